"""The sweep brings about whatever events failed to."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from perennial.domain.definitions.definition import Definition
from perennial.domain.judging.validation import Judgement
from perennial.domain.names import FileId
from perennial.domain.versioning.registry import apply_definition
from perennial.errors import InvariantBroken, LaunchError, StoreUnavailable
from perennial.ports import ObjectInfo
from perennial.workflows import deciding
from tests.integration.ingest.world import BAD, GOOD, OTHER, VISITS, World


def test_files_whose_events_were_lost_are_judged(world: World) -> None:
    """Every generation, overwritten ones and those of no pipeline included; then a run starts."""
    world.drop("shop/a.csv")
    world.drop("shop/a.csv", OTHER)
    world.drop("shop/b.csv", BAD)
    world.drop("shp/c.csv")
    world.drop("d.csv")
    world.drop("trains/e.csv")

    swept = world.sweep()

    assert swept.listed == 6
    assert swept.judged == {"vanished": 1, "accepted": 1, "quarantined": 3, "pending": 1}
    assert swept.launched == ["shop"]
    assert swept.errors == {}
    assert {v.decided_by for v in world.verdicts()} == {"sweep"}


def test_a_second_sweep_finds_nothing_to_judge(world: World) -> None:
    """Not even the pending file, which still has no definition."""
    world.drop("shop/a.csv")
    world.drop("trains/e.csv")
    world.sweep()
    before = world.objects("data", "quarantine")

    swept = world.sweep()

    assert swept.judged == {}
    assert world.objects("data", "quarantine") == before


def test_pending_files_are_judged_once_there_is_a_definition(bare: World) -> None:
    """Even where `apply` crashed before it judged them."""
    bare.drop_and_ingest("shop/a.csv")
    digest = bare.registry.store_definition("shop", VISITS)
    bare.registry.commit(
        "shop", lambda head: apply_definition(head, digest), action="apply", by="ann"
    )

    swept = bare.sweep("shop")

    assert swept.judged == {"accepted": 1}
    assert swept.launched == ["shop"]


def test_one_pipeline_can_be_swept_alone(world: World) -> None:
    """The others are left as they are."""
    world.apply(VISITS.replace("name: shop", "name: market"))
    world.drop("shop/a.csv")
    world.drop("market/a.csv")

    swept = world.sweep("market")

    assert (swept.listed, swept.launched) == (1, ["market"])
    assert world.verdicts("shop") == []


def test_one_pipelines_trouble_does_not_stop_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is reported, and swept again next time."""
    world.apply(VISITS.replace("name: shop", "name: market"))
    for pipeline in ("market", "shop"):
        world.drop(f"{pipeline}/a.csv")
    stat = world.stores["landing"].stat

    def fail(name: str, *, generation: int | None = None) -> ObjectInfo:
        if name.startswith("market/"):
            raise StoreUnavailable("no answer")
        return stat(name, generation=generation)

    monkeypatch.setattr(world.stores["landing"], "stat", fail)

    swept = world.sweep()

    assert swept.errors == {"market": "StoreUnavailable: no answer"}
    assert swept.judged == {"accepted": 1}
    assert swept.launched == ["shop"]


@pytest.mark.parametrize("error", [ValueError("a cell from hell"), InvariantBroken("no rows")])
def test_one_poison_file_does_not_starve_the_rest(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Neither the files of its own pipeline nor those of others; the first error is reported."""
    world.apply(VISITS.replace("name: shop", "name: market"))
    world.drop("market/a.csv")
    world.drop("market/b.csv", OTHER)
    world.drop("shop/a.csv")
    judge_bytes = deciding.judge_bytes

    def choke(definition: Definition, name: str, data: bytes, **known: Any) -> Judgement:
        if name == "market/a.csv":
            raise error
        return judge_bytes(definition, name, data, **known)

    monkeypatch.setattr(deciding, "judge_bytes", choke)

    swept = world.sweep()

    assert swept.errors == {"market": f"{type(error).__name__}: {error}"}
    assert swept.judged == {"accepted": 2}
    assert swept.launched == ["market", "shop"]


def test_an_unforeseen_error_is_logged_with_its_traceback(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its message alone would not tell where to look."""
    world.drop("shop/a.csv")
    monkeypatch.setattr(deciding, "judge_bytes", lambda *_, **__: 1 / 0)
    monkeypatch.setattr(logging.getLogger("perennial"), "propagate", True)

    world.sweep()

    [record] = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_a_pipeline_whose_store_is_silent_is_left_at_its_first_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each further one would wait through every retry, in vain."""
    asked = []

    def fail(name: str, **_: object) -> ObjectInfo:
        asked.append(name)
        raise StoreUnavailable("no answer")

    for n in range(3):
        world.drop(f"shop/{n}.csv")
    monkeypatch.setattr(world.stores["landing"], "stat", fail)

    world.sweep()

    assert asked == ["shop/0.csv"]


def test_a_run_that_cannot_be_started_is_reported(world: World) -> None:
    """The next sweep tries again."""
    world.drop("shop/a.csv")

    def refuse() -> None:
        raise LaunchError("busy")

    world.launcher.before = refuse
    assert world.sweep().errors == {"shop": "LaunchError: busy"}

    world.launcher.before = lambda: None
    assert world.sweep().launched == ["shop"]


def test_events_and_sweeps_agree(world: World) -> None:
    """Whoever notices a file first."""
    files: list[FileId] = [world.drop(f"shop/{n}.csv", GOOD) for n in range(3)]
    world.ingest(files[1])
    world.sweep()

    assert [world.ingest(file).decision for file in files] == ["duplicate", "accepted", "duplicate"]


def test_pipelines_take_turns_so_that_a_storm_starves_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the time is up long before the storm is: the next sweep goes on."""
    world.apply(VISITS.replace("name: shop", "name: market"))
    for n in range(50):
        world.drop(f"market/{n}.csv", OTHER + b"2024-03-%02d 01:%02d,1,true\n" % (1, n))
    world.drop("shop/a.csv")
    now = world.clock.now
    monkeypatch.setattr(
        world.clock, "now", lambda: now() + timedelta(seconds=len(world.calls.made))
    )

    swept = world.sweep(patience=timedelta(seconds=100))

    assert [v.file.name for v in world.verdicts("shop")] == ["shop/a.csv"]
    assert swept.launched == ["market", "shop"]
    assert 0 < swept.left < 50
    assert sum(swept.judged.values()) + swept.left == swept.listed
    assert world.sweep().judged == {"accepted": swept.left}
