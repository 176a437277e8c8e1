"""When ingest starts a run, when it does not, and what that costs."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.domain.versioning import registry as state
from perennial.errors import LaunchError
from perennial.workflows import relaunching
from perennial.workflows.runs import RunRecord, write_run
from perennial.workflows.verdicts import write_verdict
from tests.integration.ingest.world import OTHER, VISITS, World, at_once

THIRD = OTHER.replace(b"2024-02-08", b"2024-02-15")


def claim(world: World, execution: str = "") -> None:
    """A run takes the pipeline."""
    world.registry.commit(
        "shop",
        lambda head: state.take_claim(
            head, run="r1", now=world.clock.now(), seconds=60, execution=execution
        ),
        action="claim",
        by="run r1",
    )


def finish(world: World, *considered: Verdict, champion: str | None = None) -> None:
    """The run ends, having considered these files."""
    stems = tuple(verdict.file.stem for verdict in considered)
    now = world.clock.now()
    write_run(
        world.buckets.data,
        RunRecord("shop", "r1", "promoted", "", now, now, considered=stems),
    )
    through = max(verdict.file.generation for verdict in considered)
    world.registry.commit(
        "shop",
        lambda head: replace(
            state.release_claim(head, epoch=head.epoch, run="r1", learned_through=through),
            champion=champion,
        ),
        action="release",
        by="run r1",
    )


def test_a_good_file_starts_a_run(world: World) -> None:
    """A bad one does not."""
    world.drop_and_ingest("shop/a.csv")

    assert world.launcher.launched == ["shop"]


def test_files_that_come_before_the_run_claims_do_not_start_another(world: World) -> None:
    """It will see them: it lists after its claim."""
    for n in range(5):
        world.drop_and_ingest(f"shop/{n}.csv", OTHER + b"2024-02-%d,1,true\n" % (10 + n))

    assert world.launcher.launched == ["shop"]


def test_a_run_that_died_before_its_claim_is_replaced(world: World) -> None:
    """The platform knows that it is over."""
    world.drop_and_ingest("shop/a.csv")
    world.launcher.ended.add("shop-1")

    world.drop_and_ingest("shop/b.csv", OTHER)

    assert world.launcher.launched == ["shop", "shop"]


def test_the_run_that_replaced_one_is_waited_for_like_the_first(world: World) -> None:
    """And replaced in its turn when it dies before its claim, too."""
    files = [
        world.drop(f"shop/{n}.csv", OTHER + b"2024-02-%d,1,true\n" % (10 + n)) for n in range(6)
    ]
    world.ingest(files[0])
    world.launcher.ended.add("shop-1")
    for file in files[1:5]:
        world.ingest(file)
    assert world.launcher.launched == ["shop", "shop"]

    world.launcher.ended.add("shop-2")
    world.clock.time += relaunching.FIRST_PAUSE
    world.ingest(files[5])
    assert world.launcher.launched == ["shop", "shop", "shop"]


def test_no_run_is_started_while_a_claim_lives(world: World) -> None:
    """The run that holds it lists again before it stops."""
    claim(world)

    world.drop_and_ingest("shop/a.csv")
    assert world.launcher.launched == []

    world.clock.time += timedelta(seconds=61)
    world.drop_and_ingest("shop/b.csv", OTHER)
    assert world.launcher.launched == ["shop"]


def test_the_claim_of_a_dead_execution_does_not_count(world: World) -> None:
    """Its deadline need not be awaited."""
    claim(world, execution="killed")
    world.launcher.ended.add("killed")

    world.drop_and_ingest("shop/a.csv")

    assert world.launcher.launched == ["shop"]


def test_the_trigger_counts_what_no_run_has_considered(bare: World) -> None:
    """Every two files, here."""
    bare.apply(VISITS.replace("training: {", "training: {trigger: {files: 2}, "))
    first = bare.drop_and_ingest("shop/a.csv")
    assert bare.launcher.launched == []
    second = bare.drop_and_ingest("shop/b.csv", OTHER)
    assert bare.launcher.launched == ["shop"]
    claim(bare)
    finish(bare, first, second, champion="v000001")

    bare.drop_and_ingest("shop/c.csv", THIRD)

    assert bare.launcher.launched == ["shop"]


def test_a_first_version_waits_for_its_rows(bare: World) -> None:
    """One champion later, every file counts."""
    bare.apply(VISITS.replace("min_rows: 2", "min_rows: 4"))
    first = bare.drop_and_ingest("shop/a.csv")
    assert bare.launcher.launched == []
    second = bare.drop_and_ingest("shop/b.csv", OTHER)
    assert bare.launcher.launched == ["shop"]
    claim(bare)
    finish(bare, first, second, champion="v000001")

    bare.drop_and_ingest("shop/c.csv", THIRD)

    assert bare.launcher.launched == ["shop", "shop"]


def test_after_a_first_version_that_does_not_serve_one_more_file_is_enough(bare: World) -> None:
    """It was rejected or waits for approval: the next one learns from the same rows and the new."""
    bare.apply(VISITS.replace("min_rows: 2", "min_rows: 4"))
    first = bare.drop_and_ingest("shop/a.csv")
    second = bare.drop_and_ingest("shop/b.csv", OTHER)
    claim(bare)
    finish(bare, first, second, champion=None)

    bare.drop_and_ingest("shop/c.csv", THIRD)

    assert bare.launcher.launched == ["shop", "shop"]


def test_a_first_version_that_does_not_serve_uses_up_the_trigger(bare: World) -> None:
    """Every two files, also without a champion."""
    bare.apply(VISITS.replace("training: {", "training: {trigger: {files: 2}, "))
    first = bare.drop_and_ingest("shop/a.csv")
    second = bare.drop_and_ingest("shop/b.csv", OTHER)
    claim(bare)
    finish(bare, first, second, champion=None)

    bare.drop_and_ingest("shop/c.csv", THIRD)
    assert bare.launcher.launched == ["shop"]

    bare.drop_and_ingest("shop/d.csv", THIRD.replace(b"2024-02-15", b"2024-02-22"))
    assert bare.launcher.launched == ["shop", "shop"]


def test_a_file_whose_event_came_late_starts_a_run_once(world: World) -> None:
    """It is older than what the last run considered, and was not among it."""
    late = world.drop("shop/late.csv", OTHER)
    on_time = world.drop_and_ingest("shop/a.csv")
    claim(world)
    finish(world, on_time, champion="v000001")

    verdict = world.ingest(late)
    assert world.launcher.launched == ["shop", "shop"]

    claim(world)
    world.registry.commit(
        "shop",
        lambda head: state.release_claim(
            head, epoch=head.epoch, run="r2", learned_through=on_time.file.generation
        ),
        action="release",
        by="run r2",
    )
    now = world.clock.now()
    stems = (verdict.file.stem, on_time.file.stem)
    write_run(
        world.buckets.data, RunRecord("shop", "r2", "promoted", "", now, now, considered=stems)
    )
    world.ingest(late)
    assert world.launcher.launched == ["shop", "shop"]


def test_a_launch_that_failed_is_tried_again_with_the_event(world: World) -> None:
    """The verdict stands meanwhile."""
    file = world.drop("shop/a.csv")

    def refuse() -> None:
        raise LaunchError("the platform is busy")

    world.launcher.before = refuse
    with pytest.raises(LaunchError):
        world.ingest(file)
    assert [v.decision for v in world.verdicts()] == ["accepted"]

    world.launcher.before = lambda: None
    world.ingest(file)
    assert world.launcher.launched == ["shop"]


def test_many_files_at_once_start_few_runs(world: World) -> None:
    """Not one each."""
    files = [
        world.drop(f"shop/{n}.csv", OTHER + b"2024-02-%d,1,true\n" % (10 + n)) for n in range(12)
    ]
    at_once(*(lambda file=file: world.ingest(file) for file in files[:3]))
    world.calls.jitter = random.Random(0)

    at_once(*(lambda file=file: world.ingest(file) for file in files[3:]))

    assert 1 <= len(world.launcher.launched) <= 3


def test_storage_calls_do_not_grow_with_history() -> None:
    """The same calls, and as many objects listed, after 2,000 files as after one."""
    costs = []
    for earlier in (1, 2000):
        world = World()
        world.apply()
        past = [_past_verdict(world, n) for n in range(earlier)]
        claim(world)
        finish(world, *past, champion="v000001")
        world.calls.made.clear()
        world.calls.listed = 0

        world.drop_and_ingest("shop/a.csv")

        assert world.launcher.launched == ["shop"]
        costs.append((world.calls.made, world.calls.listed))

    assert costs[0] == costs[1]
    assert len(costs[0][0]) <= 17


def _past_verdict(world: World, number: int) -> Verdict:
    verdict = Verdict(
        "shop", FileId(1000 + number, f"shop/{number}.csv"), "accepted", world.clock.now(), rows=9
    )
    return write_verdict(world.stores["data"], verdict)


def test_a_storm_lists_nothing_while_the_run_that_it_launched_is_on_its_way(world: World) -> None:
    """Each of its files would list all those before it, and the run sees them all anyway."""
    for n in range(50):
        world.drop_and_ingest(f"shop/{n}.csv", OTHER + b"2024-02-10 00:%02d,1,true\n" % n)
    world.calls.listed = 0

    world.drop_and_ingest("shop/last.csv", OTHER + b"2024-02-11,1,true\n")

    assert world.launcher.launched == ["shop"]
    assert world.calls.listed <= 2
