"""Files that do harm: set aside when they surprise, found out by probation when they do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perennial.domain.names import FileId
from perennial.workflows.ledger import progressive
from perennial.workflows.queue import work_is_due
from perennial.workflows.status import status
from perennial.workflows.verdicts import list_in_force, verdict_in_force, write_verdict
from perennial.workflows.versions import explain

NO_SURPRISE = "promotion: {surprise: null, probation: PROBATION, tolerance: 0.5}\n"


def decisions(taps) -> dict[str, str]:
    found = list_in_force(taps.trainer.buckets.data, "taps")
    return {file.file.name.removeprefix("taps/"): file.decision for file in found}


def alerts(taps) -> list[str]:
    trainer = taps.trainer
    shown = status(trainer.buckets, taps.registry, trainer.launcher, trainer.clock, "taps")
    return shown["alerts"]


def vouch(taps, stem: str, name: str) -> None:
    """As `perennial quarantine release` does."""
    data = taps.trainer.buckets.data
    held = verdict_in_force(data, "taps", FileId(int(stem.split("-")[0]), name))
    write_verdict(data, replace(held, number=held.number + 1, decision="accepted", cleared=True))


@pytest.fixture
def nine(taps):
    """A pipeline that knows what is usual."""
    for _ in range(9):
        taps.drop(rows=60)
        taps.train()
    return taps


def test_a_file_that_surprises_is_set_aside_and_its_neighbours_are_learned(nine):
    champion = nine.head.champion
    wrong = nine.drop(day=20, rows=60, wrong=range(60))
    nine.drop(day=21, rows=60)
    (record,) = nine.train()
    assert decisions(nine)["day20.csv"] == "suspect"
    assert record.outcome == "promoted"
    assert "taps/day21.csv" in nine.learned()
    assert "taps/day20.csv" not in nine.learned()
    assert [alert.kind for alert in record.alerts] == ["suspect"]
    assert wrong not in record.considered
    (alert,) = alerts(nine)
    assert "taps/day20.csv" in alert
    assert "perennial quarantine release taps FILE" in alert
    assert nine.head.champion != champion
    assert not work_is_due(nine.trainer.buckets.data, nine.registry, "taps")


def test_a_suspect_that_a_person_vouches_for_is_learned_after_all(nine):
    stem = nine.drop(day=20, rows=60, wrong=range(60))
    (record,) = nine.train()
    assert record.outcome == "set_aside"
    why = explain(nine.registry, "taps", record.version)["evaluation"]
    assert why["suspect"] == [stem]
    assert why["surprises"][0]["file"] == "taps/day20.csv"
    vouch(nine, stem, "taps/day20.csv")
    assert work_is_due(nine.trainer.buckets.data, nine.registry, "taps")
    (record,) = nine.train()
    assert decisions(nine)["day20.csv"] == "accepted"
    assert record.outcome in ("promoted", "rejected")  # its duel decides, and nothing else
    assert record.alerts == ()


@pytest.fixture
def poisoned(taps, request):
    """Four good files, one whose labels are all wrong, and two good ones."""
    taps.apply(taps.text + NO_SURPRISE.replace("PROBATION", request.param))
    for day in range(4):
        taps.drop(day=day, rows=60)
        taps.train()
    taps.drop(day=4, rows=600, wrong=range(600))
    taps.train()
    assert "taps/day4.csv" in taps.learned()
    before = taps.head
    runs = []
    for day in (5, 6):
        taps.drop(day=day, rows=100)
        runs += taps.train()
    return taps, before, runs


@pytest.mark.parametrize("poisoned", ["alert"], indirect=True)
def test_an_alert_names_the_predecessor_and_the_files_learned_since(poisoned):
    taps, before, runs = poisoned
    found = [alert for run in runs for alert in run.alerts if alert.kind == "probation"]
    assert found[0].version == before.predecessors[0]
    assert "taps/day4.csv" in found[0].files
    assert any(
        f"perennial rollback taps --to {before.predecessors[0]}" in alert for alert in alerts(taps)
    )
    assert set(decisions(taps).values()) == {"accepted"}


@pytest.mark.parametrize("poisoned", ["return"], indirect=True)
def test_probation_returns_by_itself_and_goes_on_without_the_files(poisoned):
    taps, before, runs = poisoned
    assert decisions(taps)["day4.csv"] == "suspect"
    assert taps.head.statuses[before.champion] == "withdrawn"
    assert taps.head.pin is None
    assert "taps/day4.csv" not in taps.learned()
    assert [alert.kind for run in runs for alert in run.alerts][:2] == ["suspect", "returned"]
    actions = [commit.action for commit in taps.registry.history("taps")]
    assert "return" in actions
    assert before.champion not in taps.head.approved


@pytest.mark.parametrize("poisoned", ["null"], indirect=True)
def test_probation_can_be_switched_off(poisoned):
    _, _, runs = poisoned
    assert [run.alerts for run in runs] == [(), ()]


def test_a_good_file_after_a_bad_one_surprises_its_champion_and_is_learned_all_the_same(nine):
    """Earlier champions predict it as usual: what is wrong is the champion, not the file."""
    nine.apply(nine.text + "  window: {files: 2}\npromotion: {surprise: null}\n")
    nine.drop(day=20, rows=900, wrong=range(900))
    nine.train()
    assert "taps/day20.csv" in nine.learned()
    nine.apply(nine.text + "  window: {files: 2}\n")
    good = nine.drop(day=21, rows=60)
    nine.train()
    served = progressive(nine.trainer.buckets.data, "taps")[good]
    assert served.score.metrics()["log_loss"] > 2 * 0.4  # far above what was usual
    assert decisions(nine)["day21.csv"] == "accepted"


def test_what_was_set_aside_counts_in_no_progressive_sum(nine):
    trainer = nine.trainer

    def shown():
        return status(trainer.buckets, nine.registry, trainer.launcher, trainer.clock, "taps")

    before = shown()["progressive"]
    nine.drop(day=20, rows=60, wrong=range(60))
    nine.train()
    after = shown()["progressive"]
    assert (after["rows"], after["sums"]) == (before["rows"], before["sums"])
    assert after["files"][-1]["verdict"] == "suspect"


@pytest.mark.parametrize("poisoned", ["return"], indirect=True)
def test_the_history_of_a_withdrawn_version_says_why(poisoned):
    taps, before, _ = poisoned
    last = explain(taps.registry, "taps", before.champion)["history"][-1]
    assert (last["action"], last["status"]) == ("withdraw", "withdrawn")
    assert "would have done" in last["why"]
