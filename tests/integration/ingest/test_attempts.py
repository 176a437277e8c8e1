"""A file whose judging ends again and again without a verdict, as where memory runs out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from perennial.domain.names import FileId
from perennial.workflows import attempts
from tests.integration.ingest.world import GOOD, VISITS, World


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
