"""What the store in memory does beyond the behaviours that all stores share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from perennial.adapters.clock import SystemClock
from perennial.adapters.memory import MemoryStore

NOON = datetime(2026, 2, 14, 12, tzinfo=UTC)


class StoppedClock:
    """Always the same time."""

    def now(self) -> datetime:
        return NOON

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError


def test_generations_increase_though_the_clock_stands_still() -> None:
    store = MemoryStore("garden", StoppedClock(), versioned=True)
    infos = [store.overwrite("a", b"") for _ in range(3)]

    first = int(NOON.timestamp() * 1e6)
    assert [i.generation for i in infos] == [first, first + 1, first + 2]
    assert [i.created for i in infos] == [NOON] * 3
    assert next(store.list(versions=True)).deleted == NOON


def test_a_listing_sees_what_was_written_before_it_came_by() -> None:
    """Pages are fetched when they are reached, as from a real store."""
    store = MemoryStore("garden")
    for number in range(1500):
        store.create(f"{number:04d}", b"")
    listing = store.list()
    assert next(listing).name == "0000"
    store.delete("1400")
    store.create("1400a", b"")

    names = [i.name for i in listing]
    assert "1400" not in names
    assert "1400a" in names


def test_the_system_clock_is_aware_and_waits() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.01)

    assert before.utcoffset() == timedelta(0)
    assert clock.now() - before >= timedelta(seconds=0.01)
