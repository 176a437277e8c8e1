"""How often one person may ask what costs others something."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timedelta

from perennial.errors import TooManyError
from perennial.ports import Clock

_MOST_CALLERS = 1000


class Pace:
    """So many within so many seconds, for each caller, by one instance. Safe for many threads.

    Args:
        most: how often.
        seconds: within which time.
        clock: the time.
    """

    def __init__(self, most: int, seconds: float, clock: Clock) -> None:
        self._most = most
        self._span = timedelta(seconds=seconds)
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: dict[str, deque[datetime]] = {}

    def take(self, caller: str) -> None:
        """Count one more.

        Raises:
            TooManyError: when it is one too many; it does not count.
        """
        now = self._clock.now()
        with self._lock:
            asked = self._asked.setdefault(caller, deque())
            while asked and now - asked[0] >= self._span:
                asked.popleft()
            if len(asked) >= self._most:
                seconds = (asked[0] + self._span - now).total_seconds()
                raise TooManyError(
                    f"expected at most {self._most} questions in {self._span.total_seconds():.0f} "
                    f"seconds: ask again in {seconds:.0f}"
                )
            asked.append(now)
            self._forget(now)

    def _forget(self, now: datetime) -> None:
        if len(self._asked) > _MOST_CALLERS:
            self._asked = {
                one: asked for one, asked in self._asked.items() if now - asked[-1] < self._span
            }
