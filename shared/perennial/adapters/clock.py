"""The computer's own clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        """The current time (UTC, aware)."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait that long."""
        time.sleep(seconds)
