"""What a run, its versions and their history say to people is true of what happened."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from perennial.cli import context
from perennial.cli.main import main
from perennial.domain import names
from perennial.workflows.promotion import rollback
from perennial.workflows.runs import list_runs
from perennial.workflows.train import train
from perennial.workflows.versions import explain, list_versions


@pytest.fixture
def say(taps, monkeypatch, capsys) -> Callable[..., str]:
    """What `perennial WORDS…` prints for people about the pipeline."""
    for role in context.BUCKETS:
        monkeypatch.setenv(f"PERENNIAL_{role.upper()}_BUCKET", role)
    monkeypatch.setattr(context, "open_buckets", lambda _: taps.trainer.buckets)
    monkeypatch.setattr(context, "CloudRunJobs", lambda _: taps.trainer.launcher)

    def say(*words: str) -> str:
        assert main(list(words)) == 0
        return capsys.readouterr().out

    return say


@pytest.fixture
def at_once(taps, mocker) -> None:
    """A platform on which a launched execution has ended when the launch returns."""
    numbers = itertools.count()

    def launch(pipeline: str, *, force: bool = False) -> str:
        execution = f"execution-{next(numbers)}"
        train(replace(taps.trainer, execution=execution), pipeline, force=force)
        return execution

    mocker.patch.object(taps.trainer.launcher, "launch", launch)


def pinned_with_one_that_waits(taps) -> str:
    """Two champions, a rollback to the first, and a third version that passed since."""
    for _ in range(2):
        taps.drop()
        taps.train()
    rollback(taps.registry, taps.trainer.clock, "taps", "v000001", by="ada", why="a bad feeling")
    taps.drop()
    (record,) = taps.train()
    assert record.outcome == "waiting_approval"
    return record.version


def test_a_version_that_waits_behind_a_pin_is_said_to_pass_and_nowhere_to_be_promoted(taps):
    version = pinned_with_one_that_waits(taps)

    entry = next(taps.registry.history("taps"))
    card = taps.registry.models.read(names.version("taps", version, "card.md")).data.decode()

    assert ", passes: " in entry.why
    assert "lower than v000001's" in entry.why or "higher than v000001's" in entry.why
    assert entry.why in card
    for text in (entry.why, card):
        assert "promoted" not in text
        assert "approved" not in text


def test_a_first_version_names_a_constant_predictor_as_its_opponent(taps):
    taps.drop()
    (record,) = taps.train()

    assert record.reason.startswith("inconclusive, passes: ")  # of 20 rows
    assert "lower than a constant predictor's" in record.reason


def test_a_version_that_a_newer_one_superseded_says_by_which(taps):
    taps.apply(taps.text + "promotion: {mode: manual}\n")
    for _ in range(2):
        taps.drop()
        taps.train()

    first, second = list_versions(taps.registry, "taps")
    told = explain(taps.registry, "taps", "v000001")["history"]

    assert (first["status"], first["superseded_by"]) == ("superseded", "v000002")
    assert (second["status"], second["superseded_by"]) == ("waiting", None)
    assert [(entry["action"], entry["status"]) for entry in told] == [
        ("judge", "waiting"),
        ("supersede", "superseded"),
    ]
    assert told[1]["why"] == "v000002 passed its duel while v000001 waited"


def test_the_history_of_a_version_leaves_out_that_a_run_gave_back_its_claim(taps):
    version = pinned_with_one_that_waits(taps)

    told = explain(taps.registry, "taps", version)["history"]
    returned = explain(taps.registry, "taps", "v000001")["history"]

    assert "release" in {entry.action for entry in taps.registry.history("taps")}
    assert [(entry["action"], entry["status"]) for entry in told] == [("judge", "waiting")]
    assert [entry["action"] for entry in returned] == ["promote", "rollback"]


def test_people_read_what_happened_to_a_version_in_plain_words(taps, say):
    version = pinned_with_one_that_waits(taps)
    taps.drop()
    taps.train()

    assert "superseded by v000004" in say("versions", "taps")
    told = say("versions", "taps", "--explain", version)
    assert f"{version} is superseded by v000004" in told
    assert "passed, and waits" in told
    assert "release" not in told
    told = say("versions", "taps", "--explain", "v000001")
    assert "passed, and serves" in told
    assert "returned to" in told


@pytest.mark.usefixtures("at_once")
def test_retrain_without_new_files_says_so_and_shows_no_empty_column(taps, say):
    assert "\nnew        no files" in say("retrain", "taps")
    assert "seconds" not in say("retrain", "taps")
    taps.drop(rows=30)
    assert "\nnew        30 rows in 1 file\n" in say("retrain", "taps")


def test_a_run_that_cannot_train_yet_or_fails_counts_its_new_files(taps):
    taps.drop(rows=30)
    (waiting,) = taps.train(force=True)
    taps.drop(rows=30)

    def breaks() -> None:
        raise ZeroDivisionError

    taps.trainer.codec.on_export = breaks
    with pytest.raises(ZeroDivisionError):
        taps.train()
    *_, failed = list_runs(taps.trainer.buckets.data, "taps")

    assert (waiting.outcome, waiting.files, waiting.rows) == ("waiting", 1, 30)
    assert (failed["outcome"], failed["files"], failed["rows"]) == ("failed", 2, 60)


def test_a_pipeline_whose_rows_cannot_give_a_model_says_that_it_waits_for_others(taps, say):
    taps.drop(always=1)
    taps.train()

    (waits,) = [line for line in say("status", "taps").splitlines() if line.startswith("waits")]

    assert waits.startswith("waits      new files: no model can be made of what there is (two val")


def test_below_min_rows_no_run_is_said_to_be_due(taps, say):
    """A file is new, and the trigger is one file, but a run would find too few rows."""
    taps.drop(rows=30)
    assert "a run is due" not in say("status", "taps")
    taps.drop(rows=30)
    assert "a run is due, on 2 new files" in say("status", "taps")
