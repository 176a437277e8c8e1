"""Of two people who heal the same file at once exactly one wins, wherever the other is just then.

The first is interrupted at every storage call in turn, before or after it took effect, and the
second does all of theirs meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import product

import pytest

from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.errors import RefusedError
from perennial.workflows.repairing import repair
from tests.integration.ingest.world import BAD, LENIENT, World

FIXED = BAD.replace(b"99", b"9")
ALSO_FIXED = BAD.replace(b"99", b"19")

Deed = Callable[[World, FileId, str], Verdict]


def _retry(world: World, file: FileId, by: str) -> Verdict:
    return world.hospital().retry(file, by=by)


def _release(world: World, file: FileId, by: str) -> Verdict:
    return world.hospital().release(file, by=by, why="I know better")


def _discard(world: World, file: FileId, by: str) -> Verdict:
    return world.hospital().discard(file, by=by, why="a test upload")


def _repair(world: World, file: FileId, by: str) -> Verdict:
    corrected = FIXED if by == "ann" else ALSO_FIXED
    return repair(world.hospital(), file, corrected, how="by hand", by=by)


DEEDS: dict[str, Deed] = {
    "retry": _retry,
    "release": _release,
    "repair": _repair,
    "discard": _discard,
}


@pytest.mark.parametrize(
    ("one", "other"), [pair for pair in product(DEEDS, DEEDS) if pair != ("discard", "discard")]
)
def test_of_two_ways_out_one_is_taken(one: str, other: str) -> None:
    """Both are told of the same decision, or the loser is refused; what won is learned once."""
    winners = set()
    for world, file, told in _races(DEEDS[one], DEEDS[other]):
        first, second = sorted(world.verdicts(), key=lambda verdict: verdict.number)

        assert first.decision == "quarantined"
        assert told
        assert all(verdict == second for verdict in told)
        winners.add(second.decided_by)
        if second.decision == "accepted":
            rows = [name for name in world.objects("data") if name == ("data", second.rows_object)]
            assert len(rows) == 1
            assert "shop" in world.launcher.launched
            data = {"ann": FIXED, "bob": ALSO_FIXED}[second.decided_by] if second.parent else BAD
            assert world.drop_and_ingest("shop/again.csv", data).decision == "duplicate"
        with pytest.raises(RefusedError, match=f"is not in quarantine: it is {second.decision}"):
            world.hospital().retry(file, by="eve")
    assert winners == {"ann", "bob"}


def _races(one: Deed, other: Deed) -> Iterator[tuple[World, FileId, list[Verdict]]]:
    """A world for each of the first deed's storage calls, and what its people were told."""
    calm, file = _prepared()
    one(calm, file, "ann")
    for place, after in product(range(1, len(calm.calls.made) + 1), (False, True)):
        world, file = _prepared()
        told: list[Verdict] = []

        def do(deed: Deed, by: str, world: World, file: FileId, told: list[Verdict]) -> None:
            with suppress(RefusedError):
                told.append(deed(world, file, by))

        world.calls.crash_at, world.calls.after = place, after
        world.calls.meanwhile = partial(do, other, "bob", world, file, told)
        do(one, "ann", world, file, told)
        yield world, file, told


def _prepared() -> tuple[World, FileId]:
    """A quarantined file that the definition in force would accept."""
    world = World()
    world.apply()
    file = world.drop_and_ingest("shop/bad.csv", BAD).file
    world.apply(LENIENT)
    world.calls.made.clear()
    return world, file
