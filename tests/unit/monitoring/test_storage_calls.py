"""A look asks little, and what it asks is in the bill."""

from __future__ import annotations

from collections import Counter

import pytest

from infra.cost import LOOK_CALLS, NEW_FILE_LOOK_CALLS
from perennial.domain import names
from perennial.workflows.monitoring.files import RECENT
from perennial.workflows.monitoring.tick import watch

CLASS = {"create": "A", "list": "A", "read": "B", "stat": "B"}


@pytest.fixture
def known(world, visits):
    """More files than a look reads, each learned before the next came."""
    for number in range(RECENT + 4):
        world.wait(hours=24)
        stem = world.drop(visits(number))
        world.run()
        world.score(stem, 0.4)
    tick(world)
    return world


def tick(world) -> None:
    watched = watch(world.lookout, ["shop"], {"log": lambda *_: None})
    assert (watched.looked, watched.open, watched.errors) == (1, {}, {})


def counted(world, monkeypatch) -> tuple[int, int]:
    """Class A and class B requests of a tick."""
    calls: Counter[str] = Counter()
    buckets = world.buckets
    for store in (buckets.landing, buckets.quarantine, buckets.data, buckets.models):
        _count(store, calls, monkeypatch)
    _count(world.predictions, calls, monkeypatch)
    tick(world)
    monkeypatch.undo()
    return calls["A"], calls["B"]


def _count(store, calls, monkeypatch) -> None:
    for verb, kind in CLASS.items():
        real = getattr(store, verb)

        def counting(*arguments, real=real, kind=kind, **options):
            calls[kind] += 1
            return real(*arguments, **options)

        monkeypatch.setattr(store, verb, counting)


def test_a_look_at_a_quiet_pipeline_writes_nothing_and_asks_little(known, monkeypatch):
    kept = len(list(known.data.list(names.watches("shop"))))
    known.wait(minutes=10)
    assert counted(known, monkeypatch) == LOOK_CALLS
    assert len(list(known.data.list(names.watches("shop")))) == kept


def test_a_new_file_costs_the_statistics_of_the_last_ones(known, visits, monkeypatch):
    known.wait(hours=24)
    stem = known.drop(visits("new"))
    known.run()
    known.score(stem, 0.4)
    quiet, new = LOOK_CALLS, NEW_FILE_LOOK_CALLS
    assert counted(known, monkeypatch) == (quiet[0] + new[0], quiet[1] + new[1])
