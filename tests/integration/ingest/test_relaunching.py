"""Runs that die are started again, less and less often, and tell of it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from perennial.domain.versioning import registry as state
from perennial.workflows.relaunching import FIRST_PAUSE, LONGEST_PAUSE, ON_ITS_WAY
from perennial.workflows.runs import new_run_id
from perennial.workflows.sweep import ALARMING
from tests.integration.ingest.world import OTHER, World

TICK = timedelta(minutes=10)


def die(world: World, *, at_work: bool) -> None:
    """What was launched last ends without a record, before its claim or after it."""
    execution = f"shop-{len(world.launcher.launched)}"
    if at_work:
        run = new_run_id(world.clock.now())
        dead = head.claim.run if (head := world.registry.require("shop")).claim else ""
        world.registry.commit(
            "shop",
            lambda head: state.take_claim(
                head, run=run, now=world.clock.now(), seconds=3600, execution=execution, dead=dead
            ),
            action="claim",
            by=f"run {run}",
        )
    world.launcher.ended.add(execution)


@pytest.mark.parametrize("at_work", [True, False])
def test_a_run_that_dies_each_time_is_started_ever_less_often(world: World, at_work: bool) -> None:
    """A dozen times in two days of sweeps every ten minutes, and as an error from the third on."""
    world.drop_and_ingest("shop/a.csv")
    die(world, at_work=at_work)
    starts, errors = [world.clock.now()], 0
    for _ in range(288):
        world.clock.time += TICK
        swept = world.sweep()
        if swept.launched:
            starts.append(world.clock.now())
            die(world, at_work=at_work)
        errors += "ended without a record" in swept.errors.get("shop", "")

    pauses = [later - earlier for earlier, later in pairwise(starts)]
    assert pauses == sorted(pauses)
    assert LONGEST_PAUSE <= pauses[-1] <= LONGEST_PAUSE + TICK
    assert len(starts) <= 18
    assert errors > 200


def test_events_do_not_start_what_must_wait_either(world: World) -> None:
    """A storm of files would start the dying run with each of them."""
    world.drop_and_ingest("shop/a.csv")
    for _ in range(2):
        die(world, at_work=True)
        world.drop_and_ingest("shop/b.csv", OTHER + b"2024-02-11,1,true\n")
        world.drop_and_ingest("shop/c.csv", OTHER + b"2024-02-12,1,true\n")
    assert world.launcher.launched == ["shop", "shop"]

    world.clock.time += FIRST_PAUSE
    world.drop_and_ingest("shop/d.csv", OTHER + b"2024-02-13,1,true\n")

    assert world.launcher.launched == ["shop", "shop", "shop"]


def test_a_run_that_ends_well_clears_the_count(world: World) -> None:
    world.drop_and_ingest("shop/a.csv")
    for _ in range(ALARMING):
        die(world, at_work=True)
    head = world.registry.require("shop")
    assert head.claim is not None
    assert head.claim.deaths == ALARMING - 1
    world.registry.commit(
        "shop",
        lambda head: state.release_claim(head, epoch=head.epoch),
        action="release",
        by="run r",
    )

    assert world.sweep().launched == ["shop"]
    die(world, at_work=True)
    assert world.registry.require("shop").claim.deaths == 0
    assert world.sweep().launched == ["shop"]


def test_the_sweep_does_not_wait_for_ever_for_what_the_platform_lost(world: World) -> None:
    """It never says that the execution ended, and no claim comes."""
    world.drop_and_ingest("shop/a.csv")
    assert world.sweep().launched == []

    world.clock.time += ON_ITS_WAY

    assert world.sweep().launched == ["shop"]
