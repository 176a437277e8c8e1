"""A recall, from the file to a champion that never saw it; with real training in between."""

from __future__ import annotations

import pytest

from perennial.domain.names import FileId
from perennial.domain.versioning.recalling import RULE, recalled
from perennial.errors import NotFoundError, RefusedError
from perennial.workflows import promotion
from perennial.workflows.judging import judge
from perennial.workflows.quarantine import Hospital
from perennial.workflows.recall import Recaller
from perennial.workflows.status import status
from perennial.workflows.suspects import set_aside
from perennial.workflows.sweep import sweep
from perennial.workflows.verdicts import list_in_force, verdict_in_force
from perennial.workflows.versions import explain

PARTS = ("buckets", "registry", "launcher", "clock")


def parts(taps):
    return [getattr(taps.trainer, part) for part in PARTS]


def recaller(taps, **options) -> Recaller:
    return Recaller(*parts(taps), "taps", **options)


def recall(taps, source="day2.csv", **options):
    return recaller(taps, **options).recall(source, by="ada", why="cents")


def stem(taps, day: int) -> str:
    """That of a day's file."""
    files = list_in_force(taps.trainer.buckets.data, "taps")
    return next(file.file.stem for file in files if file.file.name == f"taps/day{day}.csv")


def listed(taps, stem):
    """A file as a listing shows it."""
    files = list_in_force(taps.trainer.buckets.data, "taps")
    return next(file for file in files if file.file.stem == stem)


def verdict(taps, stem):
    """The decision in force about a file."""
    return verdict_in_force(taps.trainer.buckets.data, "taps", listed(taps, stem).file)


def dropped(taps, name: str, data: bytes):
    """The verdict on a new file."""
    trainer = taps.trainer
    info = trainer.buckets.landing.overwrite(name, data)
    return judge(trainer.buckets, trainer.registry, trainer.clock, FileId(info.generation, name))


def drop_and_train(taps, days: int) -> list[str]:
    """Stems of so many days' files, each learned before the next came."""
    stems = []
    for _ in range(days):
        stems.append(taps.drop())
        taps.train()
    return stems


@pytest.fixture
def week(taps):
    """Five files, five champions."""
    drop_and_train(taps, 5)
    assert taps.head.champion == "v000005"
    return taps


@pytest.fixture
def launched(taps):
    """What was launched."""
    calls = []
    taps.trainer.launcher.launch = lambda pipeline, **_: calls.append(pipeline) or "job-9"
    return calls


def test_the_last_clean_champion_serves_and_a_clean_version_follows(week, launched):
    done = recall(week)

    assert (done.before, done.champion) == ("v000005", "v000002")
    assert list(done.versions) == ["v000003", "v000004", "v000005"]
    assert (done.run, launched) == ("job-9", ["taps"])
    assert week.head.statuses == {
        "v000001": "approved",
        "v000002": "approved",
        "v000003": "recalled",
        "v000004": "recalled",
        "v000005": "recalled",
    }
    (record,) = week.train()
    assert (record.outcome, record.version, record.files) == ("promoted", "v000006", 2)
    assert week.learned() == [f"taps/day{day}.csv" for day in (0, 1, 3, 4)]
    assert week.train() == []


def test_the_file_goes_to_quarantine_with_reason_report_and_bytes(week):
    recall(week)
    hospital = Hospital(*parts(week), "taps")
    (held,) = hospital.list()
    case = hospital.show(held.file)

    assert (case.verdict.decision, case.verdict.number) == ("quarantined", 2)
    assert case.verdict.decided_by == "ada"
    assert case.report["reason"] == "recalled by ada: cents"
    assert [finding["rule"] for finding in case.report["findings"]] == [RULE]
    landing = week.trainer.buckets.landing.read("taps/day2.csv").data
    bucket, _, name = case.report["original"].removeprefix("gs://").partition("/")
    assert bucket == "quarantine"
    assert week.trainer.buckets.quarantine.read(name).data == landing


def test_it_is_audited(week):
    recall(week)
    entry = next(iter(week.registry.history("taps")))

    assert (entry.action, entry.by, entry.version) == ("recall", "ada", "v000002")
    assert entry.why == "taps/day2.csv: cents"
    assert entry.decision == f"{stem(week, 2)}.2"
    told = [one["action"] for one in explain(week.registry, "taps", "v000004")["history"]]
    assert told == ["promote", "take back"]
    told = [one["action"] for one in explain(week.registry, "taps", "v000002")["history"]]
    assert told == ["promote", "recall"]


def test_done_again_it_says_so_and_changes_nothing(week, launched):
    first = recall(week)
    commit = week.head.commit
    again = recall(week)

    assert again.already
    assert not first.already
    assert again.versions == first.versions
    assert again.champion == "v000002"
    assert week.head.commit == commit
    assert launched == ["taps"]  # it is on its way
    week.train()
    assert recall(week).run is None
    week.trainer.launcher.ended.add("job-9")
    assert recall(week).run is None
    assert launched == ["taps"]


def test_a_dry_run_says_all_of_it_and_writes_nothing(week):
    buckets = week.trainer.buckets
    before = [list(getattr(buckets, b).list()) for b in ("quarantine", "data", "models")]
    planned = recaller(week).plan("day2.csv")

    assert (planned.before, planned.champion) == ("v000005", "v000002")
    assert list(planned.versions) == ["v000003", "v000004", "v000005"]
    assert [list(getattr(buckets, b).list()) for b in ("quarantine", "data", "models")] == before


@pytest.mark.parametrize("window", ["{files: 2}", "{days: 2}"])
def test_a_version_whose_window_had_passed_the_file_by_is_clean(taps, launched, window):
    taps.apply(taps.text + f"  window: {window}\n")
    drop_and_train(taps, 5)
    done = recall(taps, "day1.csv")

    assert list(done.versions) == ["v000002", "v000003"]
    assert taps.head.champion == "v000005"
    assert taps.head.predecessors == ("v000004", "v000001")
    assert launched == []  # nothing that serves, or might, learned from it
    assert taps.train() == []


def test_a_file_that_no_run_has_dealt_with_is_simply_not_learned(week, launched):
    week.apply(week.text + "  trigger: {files: 3}\n")
    week.drop()
    week.drop()
    done = recall(week, "day5.csv")

    assert (done.versions, done.champion, done.run) == ({}, "v000005", None)
    assert week.train() == []  # one file of three
    assert launched == []


def test_after_a_recall_training_does_not_wait_for_its_trigger(taps, launched):
    taps.apply(taps.text + "  trigger: {files: 2}\n")
    for _ in range(2):
        taps.drop()
        taps.drop()
        taps.train()
    done = recall(taps, "day3.csv")
    shown = status(*parts(taps), "taps")

    assert shown["waiting"] == ["a run is due, because a file was recalled"]
    assert sweep(*parts(taps)).launched == []  # it is on its way
    taps.trainer.launcher.ended.add(done.run)
    assert sweep(*parts(taps)).launched == ["taps"]  # it died before its claim
    (record,) = taps.train()
    assert (record.outcome, record.files) == ("promoted", 1)
    taps.drop()
    assert taps.train() == []


def test_what_a_bad_file_had_a_version_rejected_for_is_learned_without_it(taps):
    taps.drop(rows=200)
    taps.train()
    taps.apply(taps.text + "  trigger: {files: 2}\n")
    taps.drop(rows=400, wrong=range(400))
    taps.drop(rows=100)
    (record,) = taps.train()
    assert record.outcome == "rejected"

    done = recall(taps, "day1.csv")

    assert done.versions == {}  # a rejected version serves nobody
    (record,) = taps.train()
    assert record.outcome == "promoted"
    assert taps.learned() == ["taps/day0.csv", "taps/day2.csv"]


def test_a_waiting_version_that_learned_it_is_taken_back(week):
    promotion.rollback(week.registry, week.trainer.clock, "taps", "v000002", by="bob", why="x")
    week.drop()
    week.train()
    assert week.head.waiting == ("v000006",)

    recall(week, "day5.csv")

    assert week.head.statuses["v000006"] == "recalled"
    assert (week.head.champion, week.head.pin.by) == ("v000002", "bob")
    promotion.unpin(week.registry, "taps", by="bob")
    with pytest.raises(RefusedError, match="it is recalled"):
        promotion.approve(week.registry, "taps", "v000006", by="bob", why="x")


def test_a_pin_on_a_tainted_champion_is_lifted_and_the_audit_says_so(week):
    promotion.rollback(week.registry, week.trainer.clock, "taps", "v000004", by="bob", why="calm")
    done = recall(week)

    assert done.unpinned.by == "bob"
    assert week.head.pin is None
    entry = next(iter(week.registry.history("taps")))
    assert entry.why == "taps/day2.csv: cents; lifts the pin by bob (calm)"
    (record,) = week.train()
    assert record.outcome == "promoted"


def test_without_a_clean_champion_it_is_refused_before_anything_is_written(week, launched):
    with pytest.raises(RefusedError, match="with --without-champion nothing serves"):
        recall(week, "day0.csv")
    assert verdict(week, stem(week, 0)).decision == "accepted"
    assert recaller(week).plan("day0.csv").champion is None

    done = recall(week, "day0.csv", without_champion=True)

    assert (done.before, done.champion, done.run) == ("v000005", None, "job-9")
    assert status(*parts(week), "taps")["champion"] is None
    (record,) = week.train()
    assert (record.outcome, record.version) == ("promoted", "v000006")
    assert week.head.predecessors == ()
    assert week.learned() == [f"taps/day{day}.csv" for day in (1, 2, 3, 4)]


def test_released_it_is_an_ordinary_file_and_its_versions_stay_recalled(week):
    recall(week)
    week.train()
    (file,) = [held.file for held in Hospital(*parts(week), "taps").list()]
    released = Hospital(*parts(week), "taps").release(file, by="ada", why="euros after all")

    assert (released.decision, released.number, released.rows) == ("accepted", 3, 100)
    (record,) = week.train()
    assert record.outcome == "promoted"
    assert "taps/day2.csv" in week.learned()
    assert week.head.statuses["v000003"] == "recalled"

    recall(week)

    assert (verdict(week, file.stem).number, week.head.recalls) == (4, 2)
    assert week.head.champion == "v000006"
    assert week.head.statuses[record.version] == "recalled"


def test_recalled_content_stays_out_under_any_name_until_it_is_released(week):
    recall(week)
    data = week.trainer.buckets.landing.read("taps/day2.csv").data
    copy = dropped(week, "taps/again.csv", data)

    assert (copy.decision, copy.findings[0].rule) == ("quarantined", RULE)
    assert f"taps/day2.csv (generation {int(stem(week, 2)[:20])})" in copy.reason
    assert "recalled by ada: cents" in copy.reason
    hospital = Hospital(*parts(week), "taps")
    assert hospital.retry(copy.file, by="bob").decision == "quarantined"
    original = hospital.find("day2.csv")
    assert hospital.retry(original, by="bob").reason == "recalled by ada: cents"
    assert recall(week).already  # the same recall, whoever looked at it since

    assert hospital.release(copy.file, by="bob", why="fine").decision == "accepted"
    assert dropped(week, "taps/third.csv", data).decision == "duplicate"
    assert hospital.release(original, by="bob", why="fine").decision == "duplicate"


def test_content_that_was_recalled_and_discarded_stays_out_too(week):
    recall(week)
    hospital = Hospital(*parts(week), "taps")
    hospital.discard(hospital.find("day2.csv"), by="bob", why="bin")
    data = week.trainer.buckets.landing.read("taps/day2.csv").data

    assert dropped(week, "taps/again.csv", data).findings[0].rule == RULE
    assert recall(week).already


def test_a_suspect_file_can_be_recalled(week):
    set_aside(
        week.trainer.buckets.data, "taps", [listed(week, stem(week, 2))], by="run r", reason="odd",
        decided=week.trainer.clock.now(),
    )  # fmt: skip
    assert recall(week).champion == "v000002"
    assert recalled(verdict(week, stem(week, 2)))


def test_a_file_whose_original_is_gone_is_discarded_with_the_reason(week):
    week.trainer.buckets.landing.delete("taps/day2.csv", generation=int(stem(week, 2)[:20]))
    done = recall(week)

    assert done.verdict.decision == "discarded"
    assert done.verdict.reason == "recalled by ada: cents (its original is gone from landing)"
    assert week.head.champion == "v000002"
    assert recall(week).already


def test_of_several_generations_the_latest_that_was_accepted_is_meant_also_the_next_time(taps):
    first = taps.drop(day=1)
    second = taps.drop(day=1, wrong=range(3))
    assert recaller(taps).find("day1.csv").stem == second
    recall(taps, "day1.csv")
    third = dropped(taps, "taps/day1.csv", taps.trainer.buckets.landing.read("taps/day1.csv").data)
    assert third.decision == "quarantined"
    assert recall(taps, "day1.csv").already
    assert recaller(taps).find(str(int(first[:20]))).stem == first


def test_what_was_never_accepted_is_refused_with_its_state(week):
    dropped(week, "taps/bad.csv", b"at,heat\n1,2\n")
    with pytest.raises(RefusedError, match=r"taps/bad.csv was never accepted.*it is quarantined"):
        recall(week, "bad.csv")
    with pytest.raises(NotFoundError, match=r"no file 'none.csv'; accepted last: .*taps/day4.csv"):
        recall(week, "none.csv")
    with pytest.raises(NotFoundError, match="no pipeline 'tabs'"):
        Recaller(*parts(week), "tabs").recall("day2.csv", by="ada", why="x")
