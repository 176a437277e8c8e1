"""A registry in memory, a clock that stands still until told, and stores that lose answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from perennial.adapters.memory import MemoryStore
from perennial.workflows.registry import Registry


class SteppingClock:
    """A clock that only `sleep` and `advance` move."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def models() -> MemoryStore:
    return MemoryStore("models")


@pytest.fixture
def registry(models, clock) -> Registry:
    return Registry(models, clock)
