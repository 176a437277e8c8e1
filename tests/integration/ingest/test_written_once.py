"""Whatever two handlers of one event do, and whenever: what lies there stays, and both say it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict

from .world import BAD, GOOD, UNLABELLED, World

KINDS = {
    "accepted": ("shop/a.csv", GOOD),
    "quarantined": ("shop/a.csv", BAD),
    "to_score": ("shop/score/a.csv", UNLABELLED),
}


def generations(world: World) -> dict[tuple[str, str], int]:
    """Which generation of each object lies there; another handler's would be a later one."""
    return {
        (bucket, info.name): info.generation
        for bucket in ("quarantine", "data", "models")
        for info in world.stores[bucket].list()
    }


@pytest.mark.parametrize("decision", KINDS)
def test_a_handler_that_is_overtaken_anywhere_changes_nothing(decision: str) -> None:
    """Before each of its calls in turn, another handler judges the same file, a second later."""
    name, data = KINDS[decision]
    calm = World()
    calm.apply()
    calm.calls.made.clear()
    assert calm.drop_and_ingest(name, data).decision == decision
    assert len(calm.calls.made) > 5

    for call in range(1, len(calm.calls.made) + 1):
        world = World()
        world.apply()
        file = world.drop(name, data)
        others: list[Verdict] = []
        before: dict[tuple[str, str], int] = {}

        def overtake(world: World = world, file: FileId = file, others=others, before=before):  # type: ignore[no-untyped-def]
            world.clock.time += timedelta(seconds=1)
            others.append(world.ingest(file))
            before.update(generations(world))

        world.calls.made.clear()
        world.calls.crash_at, world.calls.meanwhile = call, overtake

        verdict = world.ingest(file)

        assert [verdict] == others == world.verdicts(), call
        after = generations(world)
        changed = {key for key, generation in before.items() if after.get(key) != generation}
        assert not changed, f"{changed} at call {call}"
