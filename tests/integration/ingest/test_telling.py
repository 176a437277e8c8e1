"""What a sweep tells, for log lines that metrics count: its verdicts, and how old champions are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from perennial.domain import names
from perennial.domain.verdict import Verdict
from perennial.errors import LaunchError
from perennial.workflows.sweep import Standing, Swept, sweep
from tests.integration.ingest.world import BAD, GOOD, VISITS, World, crown


def crown_in(world: World, pipeline: str = "shop", number: int = 1) -> str:
    return crown(pipeline, world.buckets, number=number, created=world.clock.now())


def told(world: World) -> tuple[Swept, list[Verdict], list[Standing]]:
    """Sweep; what it returns, and what it told."""
    heard: list[Verdict | Standing] = []
    swept = sweep(world.buckets, world.registry, world.launcher, world.clock, tell=heard.append)
    verdicts = [one for one in heard if isinstance(one, Verdict)]
    return swept, verdicts, [one for one in heard if isinstance(one, Standing)]


def test_each_verdict_that_the_sweep_makes_is_told_once(world: World) -> None:
    """Not those that ingest made, nor any of them again."""
    world.drop_and_ingest("shop/seen.csv")
    world.drop("shop/lost.csv", GOOD.replace(b"2024-02", b"2024-01"))
    world.drop("shop/bad.csv", BAD)
    world.drop("stray.csv")

    _, verdicts, _ = told(world)

    assert {(v.file.name, v.decision) for v in verdicts} == {
        ("shop/lost.csv", "accepted"),
        ("shop/bad.csv", "quarantined"),
        ("stray.csv", "quarantined"),
    }
    assert len(verdicts) == 3
    assert told(world)[1] == []


def test_a_verdict_that_ingest_makes_meanwhile_is_not_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ingest logs it itself."""
    file = world.drop("shop/a.csv")
    monkeypatch.setattr("perennial.workflows.sweep.judge", lambda *_, **__: world.ingest(file))

    swept, verdicts, _ = told(world)

    assert swept.judged == {"accepted": 1}
    assert verdicts == []


def test_a_champion_is_told_with_the_age_of_its_manifest(world: World) -> None:
    world.drop("shop/a.csv")
    version = crown_in(world)
    world.clock.time += timedelta(days=2)

    _, _, standings = told(world)

    assert standings == [Standing("shop", version, 2 * 86400.0)]


def test_a_pipeline_without_a_champion_is_told_once_accepted_files_wait(world: World) -> None:
    """One that nobody sends anything yet needs nobody's attention."""
    world.drop("shop/bad.csv", BAD)
    assert told(world)[2] == []

    world.drop("shop/a.csv")
    assert told(world)[2] == [Standing("shop", None, None)]
    assert told(world)[2] == [Standing("shop", None, None)]


@pytest.mark.parametrize("manifest", [b"{", b"", None])
def test_a_manifest_that_cannot_be_read_breaks_neither_sweep_nor_launch(
    world: World, manifest: bytes | None
) -> None:
    """It is reported, and the pipelines after it are looked at."""
    world.apply(VISITS.replace("name: shop", "name: market"))
    crown_in(world, "market")
    crown_in(world, "shop")
    name = names.version("market", "v000001", "manifest.json")
    if manifest is None:
        world.stores["models"].delete(name)
    else:
        world.stores["models"].overwrite(name, manifest)
    for pipeline in ("market", "shop"):
        world.drop(f"{pipeline}/a.csv")

    swept, verdicts, standings = told(world)

    assert list(swept.errors) == ["market"]
    assert swept.launched == ["market", "shop"]
    assert len(verdicts) == 2
    assert [one.pipeline for one in standings] == ["shop"]


def test_a_run_that_cannot_be_started_does_not_keep_a_champion_from_being_told(
    world: World,
) -> None:
    """That is when it begins to grow old."""
    crown_in(world)
    world.drop("shop/a.csv")

    def refuse() -> None:
        raise LaunchError("busy")

    world.launcher.before = refuse
    swept, _, standings = told(world)

    assert "shop" in swept.errors
    assert [one.champion for one in standings] == ["v000001"]


def test_telling_a_champion_costs_one_read_whatever_the_history(world: World) -> None:
    """Of versions, of commits and of files: the number of calls stays the same."""
    world.drop("shop/a.csv")
    world.sweep()
    without = calls_of_a_sweep(world)
    crown_in(world)
    world.sweep()  # which starts a run: the registry has moved
    first = calls_of_a_sweep(world)
    for number in range(2, 30):
        crown_in(world, number=number)
        world.drop_and_ingest(f"shop/{number}.csv", GOOD.replace(b"2024", b"%d" % (2000 + number)))
    world.sweep()

    assert first == sorted([*without, ("models", "read")])
    assert calls_of_a_sweep(world) == first


def calls_of_a_sweep(world: World) -> list[tuple[str, str]]:
    world.calls.made.clear()
    told(world)
    return sorted(world.calls.made)
