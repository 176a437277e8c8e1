"""DIR/logs/supervisor.log: when a local cloud started, and why it stopped."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path


def path(directory: Path) -> Path:
    """The file; the supervisor's own output goes there too."""
    return directory / "logs" / "supervisor.log"


def note(directory: Path, message: str) -> None:
    """Add a line with the time."""
    file = path(directory)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as journal:
        journal.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} localdev: {message}\n")
