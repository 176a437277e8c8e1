"""Look something up now and then, driven by those who want to know."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from perennial.ports import Clock


class Lookup:
    """One look-up at a time, at most one in an interval, and nobody waits for ever.

    Args:
        look: looks once; given the time at which it begins (UTC). It must not raise.
        clock: tells how old the last look-up is.
        interval: seconds during which a look-up is as good as a new one.
    """

    def __init__(
        self, look: Callable[[datetime], Awaitable[None]], clock: Clock, interval: float
    ) -> None:
        self._look = look
        self._clock = clock
        self._interval = interval
        self._began: datetime | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def under_way(self) -> bool:
        """Whether one has begun and not ended."""
        return self._task is not None and not self._task.done()

    async def fresh(self, patience: float) -> None:
        """Return once a look-up of this interval has ended, or `patience` seconds after it began.

        A look-up that outlives everybody's patience goes on, and what it finds serves the next.
        """
        now = self._clock.now()
        age = (now - self._began).total_seconds() if self._began else -1.0
        if not self.under_way:
            if 0 <= age < self._interval:
                return
            self._began, age = now, 0.0
            self._task = asyncio.create_task(self._run(now))
        if self._task is not None and age < patience:
            await asyncio.wait({self._task}, timeout=patience - age)

    async def _run(self, began: datetime) -> None:
        await self._look(began)
