"""A file whose judging ends again and again without a verdict: memory runs out, we err."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from polars.exceptions import PanicException

from perennial.domain.definitions.definition import Definition
from perennial.domain.judging.validation import Judgement
from perennial.domain.names import FileId
from perennial.errors import StoreUnavailable
from perennial.workflows import attempts, deciding
from tests.integration.ingest.world import GOOD, OTHER, VISITS, World


@pytest.fixture
def cramped(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which any file may be too much."""
    monkeypatch.setattr(attempts, "SMALL", 10)
    return world


def run_out_of_memory(world: World, file: FileId) -> None:
    """Its process is killed while it reads the file."""
    with world.calls.ended(("landing", "read", 1)):
        world.ingest(file)


def test_after_three_attempts_the_sweep_quarantines_it_unread(cramped: World) -> None:
    file = cramped.drop("shop/a.csv")
    for _ in range(3):
        run_out_of_memory(cramped, file)
        cramped.clock.time += attempts.LIVING
    cramped.calls.made.clear()

    assert cramped.sweep().judged == {"quarantined": 1}

    (verdict,) = cramped.verdicts()
    (finding,) = verdict.findings
    assert finding.rule == "attempts"
    assert f"3 attempts to judge these {len(GOOD)} bytes ended without one" in verdict.reason
    assert ("landing", "read") not in cramped.calls.made
    case = cramped.hospital().show(file)
    assert case.report["reason"] == verdict.reason
    assert cramped.objects("quarantine")["quarantine", f"shop/{file.stem}/original"] == GOOD


def test_the_definition_says_after_how_many(cramped: World) -> None:
    cramped.apply(VISITS + "files: {max_attempts: 1}\n")
    file = cramped.drop("shop/a.csv")
    run_out_of_memory(cramped, file)
    cramped.clock.time += attempts.LIVING

    assert cramped.sweep().judged == {"quarantined": 1}


def test_attempts_that_may_go_on_do_not_count(cramped: World) -> None:
    """The same event arrived five times at once."""
    file = cramped.drop("shop/a.csv")
    for _ in range(5):
        run_out_of_memory(cramped, file)
    cramped.clock.time += attempts.LIVING - timedelta(seconds=1)

    assert cramped.ingest(file).decision == "accepted"


def test_an_attempt_that_succeeds_is_the_last(cramped: World) -> None:
    file = cramped.drop("shop/a.csv")
    for _ in range(2):
        run_out_of_memory(cramped, file)
        cramped.clock.time += attempts.LIVING

    assert cramped.ingest(file).decision == "accepted"


def test_a_small_file_is_judged_without_a_note(world: World) -> None:
    world.drop_and_ingest("shop/a.csv")

    assert not [name for _, name in world.objects("data") if "/attempts/" in name]


@pytest.mark.parametrize(("size", "noted"), [(attempts.SMALL_PACKED, 0), (80_000, 1)])
def test_packed_files_are_noted_sooner(world: World, size: int, noted: int) -> None:
    """Who knows how large they become."""
    world.drop_and_ingest("shop/a.csv.gz", bytes(size))

    assert sum("/attempts/" in name for _, name in world.objects("data")) == noted


def test_retry_reads_it_once_more(cramped: World) -> None:
    """In the process of whoever asks, which may have more memory."""
    file = cramped.drop("shop/a.csv")
    for _ in range(3):
        run_out_of_memory(cramped, file)
        cramped.clock.time += attempts.LIVING
    cramped.sweep()

    assert cramped.hospital().retry(file, by="ann").decision == "accepted"


@pytest.fixture
def mistaken(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which judging fails in a way that nobody foresaw, for files named poison."""
    judge_bytes = deciding.judge_bytes

    def choke(definition: Definition, name: str, data: bytes, **known: Any) -> Judgement:
        if "poison" in name:
            raise ZeroDivisionError("a mistake of ours")
        if "panic" in name:
            raise PanicException("a mistake of another's")
        return judge_bytes(definition, name, data, **known)

    monkeypatch.setattr(deciding, "judge_bytes", choke)
    return world


def test_a_mistake_of_ours_quarantines_the_file_with_its_traceback(mistaken: World) -> None:
    """After as many attempts as the definition allows, whoever makes them."""
    file = mistaken.drop("shop/poison.csv")
    with pytest.raises(ZeroDivisionError):
        mistaken.ingest(file)
    assert list(mistaken.sweep().errors) == ["shop"]

    verdict = mistaken.ingest(file)

    assert (verdict.decision, verdict.broken) == ("quarantined", ["internal_error"])
    assert "ZeroDivisionError: a mistake of ours" in verdict.reason
    report = mistaken.hospital().show(file).report
    assert "in choke" in report["traceback"]
    assert mistaken.objects("quarantine")["quarantine", f"shop/{file.stem}/original"] == GOOD
    assert mistaken.ingest(file) == verdict


def test_a_storage_error_is_no_mistake_of_ours(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it comes, the next attempt may succeed."""
    file = world.drop("shop/a.csv")
    with monkeypatch.context() as patch:

        def fail(*_: Any, **__: Any) -> Judgement:
            raise StoreUnavailable("no answer")

        patch.setattr(deciding, "judge_bytes", fail)
        for _ in range(10):
            with pytest.raises(StoreUnavailable):
                world.ingest(file)

    assert world.ingest(file).decision == "accepted"


def test_once_it_is_mended_a_retry_judges_the_file(
    mistaken: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = mistaken.drop("shop/poison.csv")
    for _ in range(3):
        mistaken.sweep()
    assert [verdict.decision for verdict in mistaken.verdicts()] == ["quarantined"]
    monkeypatch.undo()

    assert mistaken.hospital().retry(file, by="ann").decision == "accepted"


def test_what_ends_a_process_in_a_library_does_not_end_ours(mistaken: World) -> None:
    """Polars panics with an exception that no handler of exceptions takes."""
    mistaken.drop("shop/panic.csv")
    mistaken.drop("shop/b.csv", OTHER)

    swept = mistaken.sweep()

    assert swept.judged == {"accepted": 1}
    assert "PanicException" in swept.errors["shop"]


def test_a_file_that_ends_the_sweep_keeps_nothing_else_waiting(world: World) -> None:
    """It is small, so ingest notes no attempt; the sweep does, and takes it last from then on."""
    world.apply(VISITS.replace("name: shop", "name: market"))
    world.drop("market/poison.csv")
    world.drop("market/b.csv", OTHER)
    world.drop("shop/a.csv")
    with world.calls.ended(("landing", "read", 1)):
        world.sweep()

    with world.calls.ended(("landing", "read", 3)):
        world.sweep()

    assert [v.file.name for v in world.verdicts("market")] == ["market/b.csv"]
    assert [v.file.name for v in world.verdicts("shop")] == ["shop/a.csv"]
    assert world.launcher.launched == ["market", "shop"]
    world.clock.time += attempts.LIVING
    with world.calls.ended(("landing", "read", 1)):
        world.sweep()
    world.clock.time += attempts.LIVING
    world.sweep()
    assert {v.file.name: v.decision for v in world.verdicts("market")} == {
        "market/poison.csv": "quarantined",
        "market/b.csv": "accepted",
    }
