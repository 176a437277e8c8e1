"""A crash at any storage call, before or after it took effect, leaves nothing undone.

Each scenario is run once undisturbed; then again and again, ended at its first call, its second,
and so on, and the event delivered once more. Every time the same objects must lie there.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perennial.domain.names import FileId
from tests.calls import Crash
from tests.integration.ingest.world import BAD, GOOD, LENIENT, UNLABELLED, VISITS, World, crown

Scenario = tuple[Callable[[World], object], Callable[[World], object]]


def good(world: World) -> FileId:
    world.apply()
    return world.drop("shop/a.csv", GOOD)


def bad(world: World) -> FileId:
    world.apply()
    return world.drop("shop/a.csv", BAD)


def few_bad_rows(world: World) -> FileId:
    world.apply(VISITS + "rows: {max_bad_row_fraction: 0.5}\n")
    return world.drop("shop/a.csv", BAD)


def duplicate(world: World) -> FileId:
    world.apply()
    world.drop_and_ingest("shop/a.csv")
    world.launcher.ended.add("shop-1")
    return world.drop("shop/b.csv")


def overtaken_duplicate(world: World) -> FileId:
    """Its owner has no verdict yet."""
    world.apply()
    first = world.drop("shop/a.csv")
    world.calls.made.clear()
    world.calls.crash_at, world.calls.after = ("data", "create", 2), True
    with pytest.raises(Crash):
        world.ingest(first)
    assert not world.verdicts()
    return world.drop("shop/b.csv")


def next_owner(world: World) -> FileId:
    """The content belongs to a file that was rejected."""
    world.apply()
    world.drop_and_ingest("shop/a.csv", BAD)
    world.apply(LENIENT)
    return world.drop("shop/b.csv", BAD)


def pending(world: World) -> FileId:
    return world.drop("shop/a.csv")


def vanished(world: World) -> FileId:
    world.apply()
    file = world.drop("shop/a.csv")
    world.drop("shop/a.csv", BAD)
    return file


def misspelt(world: World) -> FileId:
    world.apply()
    return world.drop("shp/a.csv")


def reserved(world: World) -> FileId:
    world.apply()
    return world.drop("shop/labels/a.csv")


def to_score(world: World) -> FileId:
    world.apply()
    crown("shop", world.buckets)
    return world.drop("shop/score/a.csv", UNLABELLED)


def bad_to_score(world: World) -> FileId:
    world.apply()
    crown("shop", world.buckets)
    return world.drop("shop/score/a.csv", b"when,people\n2024-02-08,99\n")


INGEST = [
    good,
    bad,
    few_bad_rows,
    duplicate,
    overtaken_duplicate,
    next_owner,
    pending,
    vanished,
    misspelt,
    reserved,
    to_score,
    bad_to_score,
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("scenario", INGEST)
def test_redelivery_completes_what_a_crash_interrupted(
    scenario: Callable[[World], FileId], after: bool
) -> None:
    """The same verdicts, rows, owners, originals and reports, and a run where one is due."""
    calm = World()
    file = scenario(calm)
    calm.calls.made.clear()
    verdict = calm.ingest(file)
    calls = len(calm.calls.made)
    assert calls > 3

    for crash_at in range(1, calls + 1):
        world = World()
        assert scenario(world) == file
        world.calls.made.clear()
        world.calls.crash_at, world.calls.after = crash_at, after
        with pytest.raises(Crash):
            world.ingest(file)

        assert world.ingest(file) == verdict, crash_at
        assert _state(world) == _state(calm), crash_at
        assert set(world.launcher.launched) == set(calm.launcher.launched), crash_at


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("deed", ["retry", "release", "discard"])
def test_a_deed_that_crashed_can_be_done_again(deed: str, after: bool) -> None:
    """Healing is a decision like any other."""

    def prepare() -> tuple[World, FileId]:
        world = World()
        world.apply()
        file = world.drop_and_ingest("shop/a.csv", BAD).file
        if deed == "retry":
            world.apply(LENIENT)
        world.calls.made.clear()
        return world, file

    def do(world: World, file: FileId) -> object:
        if deed == "retry":
            return world.hospital().retry(file, by="ann")
        return getattr(world.hospital(), deed)(file, by="ann", why="I know better")

    calm, file = prepare()
    do(calm, file)

    for crash_at in range(1, len(calm.calls.made) + 1):
        world, file = prepare()
        world.calls.crash_at, world.calls.after = crash_at, after
        with pytest.raises(Crash):
            do(world, file)
        decided = [v for v in world.verdicts() if v.number == 2]
        if not decided:
            do(world, file)
        elif decided[0].decision == "accepted":
            world.sweep()  # the deed is done, the launch perhaps not

        assert _state(world) == _state(calm), crash_at
        assert set(world.launcher.launched) == set(calm.launcher.launched), crash_at


def test_a_sweep_completes_what_a_lost_event_left() -> None:
    """After a crash at any call, without a redelivery."""
    calm = World()
    file = good(calm)
    calm.calls.made.clear()
    verdict = calm.ingest(file)

    for crash_at in range(1, len(calm.calls.made) + 1):
        world = World()
        good(world)
        world.calls.made.clear()
        world.calls.crash_at = crash_at
        with pytest.raises(Crash):
            world.ingest(file)
        world.sweep()

        [swept] = world.verdicts()
        assert (swept.decision, swept.rows_object) == (verdict.decision, verdict.rows_object)
        assert world.launcher.launched


def _state(world: World) -> dict[tuple[str, str], bytes]:
    """Everything that counts: which execution was launched is the platform's business."""
    objects = world.objects("data", "quarantine")
    return {name: data for name, data in objects.items() if "launches/" not in name[1]}
