"""What is new is predicted first, by every version that matters, on identical rows."""

from __future__ import annotations

from perennial.domain.names import FileId
from perennial.workflows.judging import judge
from perennial.workflows.ledger import entries, progressive
from perennial.workflows.status import status
from perennial.workflows.versions import explain, list_versions


def drop_text(taps, name: str, text: str) -> str:
    info = taps.trainer.buckets.landing.overwrite(f"taps/{name}", text.encode())
    file = FileId(info.generation, info.name)
    verdict = judge(taps.trainer.buckets, taps.registry, taps.trainer.clock, file)
    assert verdict.decision == "accepted", verdict
    return file.stem


def text_of(taps, name: str) -> str:
    return taps.trainer.buckets.landing.read(f"taps/{name}").data.decode()


def test_earlier_champions_predict_the_same_rows_beside_the_champion(taps):
    for _ in range(3):
        taps.drop()
        taps.train()
    stem = taps.drop()
    taps.train()
    on_the_last = [e for e in entries(taps.trainer.buckets.data, "taps") if e.stem == stem]
    assert {(e.version, e.part) for e in on_the_last} == {
        ("v000003", "champion"), ("v000002", "predecessor"), ("v000001", "predecessor"),
    }  # fmt: skip
    assert len({tuple(block.rows for block in e.measured.blocks) for e in on_the_last}) == 1
    assert progressive(taps.trainer.buckets.data, "taps")[stem].version == "v000003"


def test_a_version_that_waits_predicts_what_comes_after_it_and_nothing_that_it_knows(taps):
    taps.drop()
    taps.train()
    taps.apply(taps.text + "promotion: {mode: manual}\n")
    known = taps.drop()
    taps.train()
    new = taps.drop()
    taps.train()
    data = taps.trainer.buckets.data
    parts = {(e.stem, e.version): e.part for e in entries(data, "taps")}
    assert parts == {
        (known, "v000001"): "champion",
        (new, "v000001"): "champion",
        (new, "v000002"): "waiting",
    }


def test_rows_that_came_before_are_learned_and_prove_nothing(taps):
    taps.drop(day=0)
    taps.train()
    taps.drop(day=1)
    cumulative = text_of(taps, "day0.csv") + text_of(taps, "day1.csv").split("\n", 1)[1]
    stem = drop_text(taps, "both.csv", cumulative)
    (record,) = taps.train()
    scored = progressive(taps.trainer.buckets.data, "taps")[stem]
    assert (scored.score.rows, scored.repeated) == (100, 100)
    held_out = explain(taps.registry, "taps", record.version)["evaluation"]["held_out"]
    # Of 300 new rows, 100 were learned already and 100 came in the file before.
    assert (held_out["rows"], held_out["repeated"]) == (50, 200)
    assert record.reason.endswith("; 200 new rows came before and could prove nothing")


def test_a_file_without_any_new_row_is_learned_without_proof(taps):
    taps.drop(day=0)
    taps.train()
    drop_text(taps, "again.csv", text_of(taps, "day0.csv") + "\n")
    (record,) = taps.train()
    assert record.outcome in ("promoted", "rejected")
    status_ = taps.head.statuses[record.version]
    assert status_ in ("approved", "rejected")
    assert "came before" in record.reason or "late" in record.reason


def test_slices_are_kept_by_file_and_added_up_in_status(taps):
    taps.apply(taps.text + "promotion: {slices: {room: {}}}\n")
    for _ in range(3):
        taps.drop()
        taps.train()
    trainer = taps.trainer
    shown = status(trainer.buckets, taps.registry, trainer.launcher, trainer.clock, "taps")
    rooms = shown["progressive"]["slices"]["room"]
    assert sorted(rooms) == ["a", "b", "c"]
    assert sum(room["rows"] for room in rooms.values()) == shown["progressive"]["rows"] == 200
    assert {"roc_auc", "pr_auc", "brier", "accuracy"} <= shown["progressive"]["metrics"].keys()


def test_versions_show_what_each_scored_on_the_files_that_it_predicted(taps):
    for _ in range(3):
        taps.drop()
        taps.train()
    data = taps.trainer.buckets.data
    first, second, third = list_versions(taps.registry, "taps", data)
    assert (first["progressive"]["files"], first["progressive"]["rows"]) == (2, 200)
    assert second["progressive"]["files"] == 1
    assert third["progressive"] is None
    told = explain(taps.registry, "taps", "v000001", data)["scored"]
    assert [one["part"] for one in told] == ["champion", "predecessor"]


def test_with_freshness_judged_the_very_model_that_was_judged_serves(taps):
    taps.apply(taps.text + "  freshness: judged\n")
    taps.drop()
    taps.train()
    why = explain(taps.registry, "taps", "v000001")["evaluation"]
    assert (why["refit"], why["trained"]["rows"], why["held_out"]["rows"]) == (False, 80, 20)
    taps.drop()
    (record,) = taps.train()
    assert explain(taps.registry, "taps", record.version)["evaluation"]["trained"]["rows"] == 150
    assert "refit" not in record.seconds


def test_a_floor_stops_a_version_that_beats_the_champion_and_says_so(taps):
    taps.apply(taps.text + "promotion: {floors: {log_loss: 0.01}}\n")
    taps.drop()
    (record,) = taps.train()
    assert record.outcome == "rejected"
    assert record.reason.startswith("does not pass its floors: log_loss is 0.")
    (floor,) = explain(taps.registry, "taps", record.version)["evaluation"]["floors"]
    assert (floor["quality"], floor["passed"], floor["rows"]) == ("log_loss", False, 20)
    taps.apply(taps.text + "promotion: {floors: {log_loss: 5}}\n")
    taps.drop()
    assert [run.outcome for run in taps.train()] == ["promoted"]
