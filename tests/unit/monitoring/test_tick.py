"""A tick looks at every pipeline; what breaks in one place leaves the others as they are."""

from __future__ import annotations

import sys
from datetime import timedelta

import pytest

from perennial.domain import names
from perennial.errors import NotDelivered, StoreUnavailable
from perennial.workflows.monitoring.tick import PATIENCE, watch
from perennial.workflows.monitoring.watches import latest_watch

SECOND = "name: market"


@pytest.fixture
def two(world):
    """Two pipelines in the same buckets."""
    world.apply(world.text.replace("name: shop", SECOND))
    return world


def tick(world, told=None):
    told = [] if told is None else told
    channels = {"log": lambda pipeline, change: told.append((pipeline, change.finding.kind))}
    return watch(world.lookout, world.registry.pipelines(), channels)


def test_each_pipeline_is_looked_at(two):
    watched = tick(two)
    assert (watched.looked, watched.open, watched.errors) == (2, {}, {})
    assert latest_watch(two.data, "shop") is not None
    assert latest_watch(two.data, "market") is not None


def test_a_pipeline_that_breaks_starves_no_other(two):
    head = two.registry.require("market")
    two.buckets.models.delete(names.definition("market", head.definition))
    watched = tick(two)
    assert watched.looked == 1
    assert list(watched.errors) == ["market"]
    assert latest_watch(two.data, "shop") is not None


def test_a_part_that_cannot_be_looked_at_is_noted_and_closes_nothing(world, monkeypatch):
    world.run("failed", reason="broken")
    world.claim()
    world.wait(hours=1)
    told = []
    tick(world, told)
    assert told == [("shop", "job_failed"), ("shop", "job_hung")]

    def broken(*_):
        raise StoreUnavailable("no answer")

    monkeypatch.setattr("perennial.workflows.monitoring.look.look_at_jobs", broken)
    world.wait(minutes=10)
    assert tick(world, told).looked == 1
    last = latest_watch(world.data, "shop")
    assert last is not None
    assert last.errors == {"jobs": "StoreUnavailable: no answer"}
    assert {one.kind for one in last.findings} == {"job_failed", "job_hung"}
    assert len(told) == 2


def test_without_the_library_of_one_part_the_others_look(world, visits, monkeypatch):
    monkeypatch.setitem(sys.modules, "river.drift", None)
    for number in range(14):
        world.wait(hours=24)
        stem = world.drop(visits(number, 40))
        world.run("rejected")
        world.score(stem, 0.4)
    watch = world.lookout.look("shop")
    assert watch.errors == {
        "scores": "river.drift is missing: pip install 'perennial[monitor]' has it"
    }
    assert watch.features


def test_without_a_prediction_log_everything_else_is_looked_at(world):
    world.predictions = None
    watched = tick(world)
    assert (watched.looked, watched.errors) == (1, {})


def test_what_there_is_no_time_for_is_left_and_another_tick_begins_with_it(two, monkeypatch):
    real = two.registry.require

    def slow(pipeline):
        two.clock.sleep(PATIENCE.total_seconds() + 1)
        return real(pipeline)

    monkeypatch.setattr(two.registry, "require", slow)
    left = [tick(two).left, (two.wait(minutes=10), tick(two).left)[1]]
    assert all(len(one) == 1 for one in left)
    two.clock.time += timedelta(minutes=10)


def test_a_channel_that_is_silent_is_an_error_of_no_pipeline(world):
    world.run("failed")

    def silent(pipeline, change):
        raise NotDelivered("nobody there")

    watched = watch(world.lookout, ["shop"], {"webhook": silent})
    assert (watched.looked, watched.errors) == (1, {})
    assert watched.untold == {"shop": {"webhook": "NotDelivered: nobody there"}}


def test_the_same_tick_twice_tells_once(world):
    world.run("failed")
    told = []
    for _ in range(3):
        tick(world, told)
    assert told == [("shop", "job_failed")]
    world.run()
    tick(world, told)
    tick(world, told)
    assert told == [("shop", "job_failed")] * 2  # opened, and closed


def test_a_look_is_written_again_before_the_lifecycle_removes_it(world):
    tick(world)
    numbers = []
    for days in (0, 29, 2):
        world.wait(days=days)
        tick(world)
        last = latest_watch(world.data, "shop")
        numbers.append(last and last.number)
    assert numbers == [1, 1, 2]


@pytest.mark.parametrize("lands", [False, True])
def test_a_tick_that_dies_at_any_request_is_made_good_by_the_next(worlds, lands):
    """Each request to the data bucket in turn gets no answer; a write may have landed."""
    died = 0
    while True:
        world = worlds()
        world.run("failed")
        told = []
        calls = Dying(world.data, died, lands=lands)
        try:
            watched = tick(world, told)
        finally:
            calls.heal()
        if calls.seen <= died:
            break
        assert watched.looked + len(watched.errors) == 1
        world.wait(minutes=10)
        assert tick(world, told).errors == {}
        assert tick(world, told).errors == {}
        last = latest_watch(world.data, "shop")
        assert last is not None
        assert [one.kind for one in last.findings] == ["job_failed"]
        assert told in ([("shop", "job_failed")], [("shop", "job_failed")] * 2)
        died += 1
    print(f"{died} requests, each without an answer once")
    assert died > 5


class Dying:
    """Answers nothing to one request to a store, and to none after it."""

    def __init__(self, store, place: int, *, lands: bool) -> None:
        self.seen, self._store = 0, store
        for verb in ("list", "read", "create"):
            setattr(store, verb, self._answering(getattr(store, verb), place, lands))

    def heal(self) -> None:
        for verb in ("list", "read", "create"):
            delattr(self._store, verb)

    def _answering(self, real, place: int, lands: bool):
        def answer(*arguments, **options):
            self.seen += 1
            if self.seen <= place:
                return real(*arguments, **options)
            if lands and self.seen == place + 1:
                real(*arguments, **options)
            raise StoreUnavailable("no answer")

        return answer
