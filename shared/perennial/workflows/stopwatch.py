"""Seconds by step of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from perennial.ports import Clock


class Stopwatch:
    """Adds up the time spent in named steps.

    Args:
        clock: whose time it takes.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Count the time of the block towards `step`."""
        start = self._clock.now()
        try:
            yield
        finally:
            spent = (self._clock.now() - start).total_seconds()
            self.seconds[step] = round(self.seconds.get(step, 0.0) + spent, 4)
