"""The reference of accepted files, from run to run."""

from __future__ import annotations

import random

import pytest

from perennial.domain import names
from perennial.domain.judging.reference import NO_HISTORY
from perennial.domain.names import FileId
from perennial.errors import ModelError, StoreUnavailable
from perennial.workflows import attempt
from perennial.workflows.judging import judge
from perennial.workflows.recall import Recaller
from perennial.workflows.references import MOST_FILES, read_reference


def reference(taps):
    return read_reference(taps.trainer.buckets.data, taps.head)


def test_each_run_adds_the_files_that_are_new(taps):
    assert reference(taps) == NO_HISTORY
    for files in (1, 2, 3):
        taps.drop()
        taps.train()
        assert reference(taps).files == files
    assert reference(taps).columns["heat"].rows == 300
    assert reference(taps).columns["room"].categories == frozenset("abc")

    taps.train(force=True)  # with nothing new

    assert reference(taps).files == 3


def test_ingest_holds_a_file_against_it(taps):
    for _ in range(9):
        taps.drop()
    taps.train()
    chance = random.Random(9)
    rows = "".join(
        f"2026-01-09T10:{n % 60:02d}:00,{chance.gauss(0, 100)},a,{n % 2}\n" for n in range(100)
    )
    landing = taps.trainer.buckets.landing
    info = landing.overwrite("taps/cents.csv", f"at,heat,room,open\n{rows}".encode())

    verdict = judge(
        taps.trainer.buckets, taps.registry, taps.trainer.clock, FileId(info.generation, info.name)
    )

    assert verdict.decision == "quarantined"
    assert verdict.broken == ["unit_change"]
    assert "as usual when divided by 100: are they in another unit?" in verdict.reason


def test_what_was_recalled_is_forgotten(taps):
    for _ in range(3):
        taps.drop()
        taps.train()
    parts = (taps.trainer.buckets, taps.registry, taps.trainer.launcher, taps.trainer.clock)

    Recaller(*parts, "taps").recall("day1.csv", by="ada", why="cents")
    taps.train()

    assert reference(taps).files == 2
    assert reference(taps).columns["heat"].rows == 200


def test_of_many_files_some_stand_for_all(taps):
    for _ in range(MOST_FILES + 10):
        taps.drop(rows=3)

    taps.train()

    assert reference(taps).files == MOST_FILES


def test_a_run_that_cannot_store_it_goes_on_and_the_next_makes_it_anew(taps, monkeypatch, caplog):
    taps.drop()
    taps.train()
    taps.drop()
    data = taps.trainer.buckets.data
    create = data.create

    def failing(name, *args, **options):
        if name.startswith("taps/references/"):
            raise StoreUnavailable("503")
        return create(name, *args, **options)

    monkeypatch.setattr(data, "create", failing)
    (run,) = taps.train()
    monkeypatch.setattr(data, "create", create)

    assert run.outcome == "promoted"
    assert "leaves no reference" in caplog.text
    assert reference(taps) == NO_HISTORY
    taps.drop()
    taps.train()
    assert reference(taps).files == 3


def test_a_run_that_fails_early_forgets_nothing(taps, monkeypatch):
    """Such as one whose champion cannot be loaded."""
    for _ in range(2):
        taps.drop()
        taps.train()
    taps.drop()

    def broken(*_):
        raise ModelError("its graph is damaged")

    monkeypatch.setattr(attempt, "load_champion", broken)
    with pytest.raises(ModelError):
        taps.train()

    assert reference(taps).files == 3
    assert taps.head.learned_through > 0


def test_a_deployment_without_one_begins_anew(taps):
    """Runs of earlier releases left none."""
    for _ in range(2):
        taps.drop()
        taps.train()
    taps.trainer.buckets.data.delete(names.reference("taps", taps.head.last_run))
    assert reference(taps) == NO_HISTORY
    taps.drop()

    taps.train()

    assert reference(taps).files == 3
