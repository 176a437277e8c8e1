"""Runs that end in the middle: what they judged is not judged again, what they began is done."""

from __future__ import annotations

import pytest

from perennial.workflows import probation
from tests.calls import Crash

from .test_suspects import NO_SURPRISE, decisions

MANUAL = "promotion: {mode: manual}\n"


def dies(*_, **__):
    raise Crash("the process ends")


@pytest.fixture
def dying(monkeypatch):
    """Lets a run end where it would release the pipeline."""

    def end(taps) -> None:
        with monkeypatch.context() as patch, pytest.raises(Crash):  # noqa: PT012 (likewise)
            patch.setattr("perennial.workflows.train._release", dies)
            taps.train()

    return end


def test_a_version_that_waits_has_no_twin(taps, dying):
    taps.apply(taps.text + MANUAL)
    taps.drop()
    dying(taps)
    assert taps.head.statuses == {"v000001": "waiting"}

    (record,) = taps.train()

    assert (record.outcome, record.version, record.files) == ("waiting_approval", "v000001", 1)
    assert taps.head.statuses == {"v000001": "waiting"}
    assert taps.train() == []


def test_a_version_that_was_rejected_has_none_either(taps, dying):
    taps.drop(rows=200)
    taps.train()
    taps.apply(taps.text + "  trigger: {files: 2}\n")
    taps.drop(rows=400, wrong=range(400))
    taps.drop(rows=100)
    dying(taps)
    (record,) = taps.train()
    assert (record.outcome, record.version) == ("rejected", "v000002")
    assert taps.head.statuses == {"v000001": "approved", "v000002": "rejected"}


def test_with_another_file_there_is_another_version(taps, dying):
    taps.apply(taps.text + MANUAL)
    taps.drop()
    dying(taps)
    taps.drop()
    (record,) = taps.train()
    assert record.version == "v000002"
    assert taps.head.statuses == {"v000001": "superseded", "v000002": "waiting"}


def test_what_a_finished_run_has_judged_is_made_anew_when_somebody_asks(taps):
    taps.apply(taps.text + MANUAL)
    taps.drop()
    taps.train()
    (record,) = taps.train(force=True)
    assert record.version == "v000002"


def test_a_return_that_was_cut_short_is_completed(taps, monkeypatch):
    """Its files are suspect, and the champion that learned them serves."""
    taps.apply(taps.text + NO_SURPRISE.replace("PROBATION", "return"))
    for day in range(4):
        taps.drop(day=day, rows=60)
        taps.train()
    taps.drop(day=4, rows=600, wrong=range(600))
    taps.train()
    taps.drop(day=5, rows=100)
    taps.train()
    poisoned = taps.head.champion
    taps.drop(day=6, rows=100)
    with monkeypatch.context() as patch, pytest.raises(Crash):  # noqa: PT012 (the patch must end)
        patch.setattr(probation, "go_back", dies)
        taps.train()
    assert decisions(taps)["day4.csv"] == "suspect"
    assert taps.head.champion == poisoned

    (record,) = taps.train()

    assert taps.head.statuses[poisoned] == "withdrawn"
    assert "taps/day4.csv" not in taps.learned()
    assert [alert.kind for alert in record.alerts] == ["suspect", "returned"]
    assert "would have done" in record.alerts[1].message
