"""A corrected re-delivery is learned in place of the earlier file, and proves nothing of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from functions.train.main import _tell
from perennial.cli.status import _details
from perennial.cli.versions import _explained
from perennial.domain.names import FileId, run
from perennial.domain.versioning.lineage import Lineage
from perennial.workflows.ledger import entries
from perennial.workflows.quarantine import Hospital
from perennial.workflows.rebuild import rebuild
from perennial.workflows.recall import Recaller
from perennial.workflows.replay import accepted_history
from perennial.workflows.status import status
from perennial.workflows.versions import explain, list_versions

from .conftest import DEFINITION

SUPERSEDE = DEFINITION + "files: {redelivery: supersede}\n"
PARTS = ("buckets", "registry", "launcher", "clock")


def parts(taps):
    return [getattr(taps.trainer, part) for part in PARTS]


def graph(taps) -> str:
    return taps.registry.manifest("taps", taps.head.champion).files["model.onnx"].sha256


def used(taps, version: str | None = None) -> list[tuple[str, bool, str | None]]:
    files = explain(taps.registry, "taps", version or taps.head.champion)["files"]
    return [(f["name"], f["used"], f["superseded_by"]) for f in files]


def scored(taps) -> list[str]:
    return [entry.stem for entry in entries(taps.trainer.buckets.data, "taps")]


@pytest.fixture
def corrected(taps):
    """Three days, learned one after the other, and then day 1 again, corrected."""
    taps.apply(SUPERSEDE)
    stems = []
    for day in range(3):
        stems.append(taps.drop(day=day, wrong=range(2)))
        taps.train()
    stems.append(taps.drop(day=1, name="day1-corrected.csv"))
    taps.train()
    taps.stems = stems
    return taps


def test_it_is_learned_in_place_of_the_earlier_and_lineage_says_so(corrected):
    assert corrected.head.champion == "v000004"
    assert used(corrected) == [
        ("taps/day0.csv", True, None),
        ("taps/day1.csv", False, "taps/day1-corrected.csv"),
        ("taps/day1-corrected.csv", True, None),
        ("taps/day2.csv", True, None),
    ]
    manifest = corrected.registry.manifest("taps", "v000004")
    stored = corrected.registry.read_version_file(manifest, "lineage.json")
    lineage = Lineage.from_json(stored)
    assert lineage.files[1].superseded_by == corrected.stems[3]
    assert corrected.stems[1] not in {portion.stem for portion in lineage.rows}
    assert manifest.trained_rows == 300
    assert corrected.train() == []


def test_the_model_is_that_of_files_without_the_earlier_one(corrected, another):
    plain = another()
    for day, wrong in ((0, range(2)), (1, range(0)), (2, range(2))):
        plain.drop(day=day, wrong=wrong)
        plain.train()
    assert graph(plain) == graph(corrected)


def test_without_the_key_both_are_learned(taps):
    for wrong in (range(0), range(2)):
        taps.drop(day=0, wrong=wrong)
        taps.train()
    assert used(taps) == [("taps/day0.csv", True, None)] * 2
    assert status(*parts(taps), "taps")["superseded"] == []


def test_it_proves_nothing_even_of_the_newest_period(taps):
    """The champion knows another state of the same rows."""
    taps.apply(SUPERSEDE)
    taps.drop(day=0)
    taps.train()
    first = taps.drop(day=1, wrong=range(2))
    taps.train()
    taps.drop(day=1)
    (record,) = taps.train()

    assert record.outcome == "promoted"
    assert scored(taps) == [first]
    assert explain(taps.registry, "taps", record.version)["evaluation"]["held_out"]["rows"] == 0
    assert status(*parts(taps), "taps")["progressive"]["rows"] == 100


def test_run_status_explanation_and_log_say_so(corrected, caplog):
    sentence = "taps/day1.csv is superseded by taps/day1-corrected.csv"
    shown = status(*parts(corrected), "taps")
    told = {one["name"]: one["superseded_by"] for one in shown["verdicts"]}
    assert told["taps/day1.csv"]["name"] == "taps/day1-corrected.csv"
    assert told["taps/day1-corrected.csv"] is None
    assert f"replaced   {sentence}" in (lines := list(_details(shown)))
    assert "superseded by taps/day1-corrected.csv" in lines[-1]
    assert "replaced   taps/day1.csv by taps/day1-corrected.csv" in list(
        _explained(explain(corrected.registry, "taps", "v000004"))
    )

    corrected.drop(day=2)
    (record,) = corrected.train()
    data = corrected.trainer.buckets.data
    assert type(record).from_json(data.read(run("taps", record.run)).data) == record
    (one,) = record.superseded  # day 1 is known by now
    with caplog.at_level("INFO", logger="perennial.train"):
        _tell(record)
    assert one.sentence in caplog.messages
    assert one.sentence.startswith("taps/day2.csv is superseded by a later generation, ")


def test_a_recall_of_the_correction_brings_the_earlier_back(corrected):
    recaller = Recaller(*parts(corrected), "taps")
    done = recaller.recall("day1-corrected.csv", by="ada", why="wrong again")

    assert (done.champion, list(done.versions)) == ("v000003", ["v000004"])
    assert all(used for _, used, _ in used(corrected))
    assert status(*parts(corrected), "taps")["superseded"] == []
    corrected.drop(day=3)
    corrected.train()
    assert [name for name, used, _ in used(corrected) if used] == [
        f"taps/day{day}.csv" for day in range(4)
    ]

    hospital = Hospital(*parts(corrected), "taps")
    hospital.release(FileId(int(corrected.stems[3].split("-")[0]), "taps/day1-corrected.csv"),
                     by="ada", why="it was right")  # fmt: skip
    corrected.train()
    assert ("taps/day1.csv", False, "taps/day1-corrected.csv") in used(corrected)


def test_a_recall_of_the_earlier_takes_back_what_learned_it_and_not_what_did_not(corrected):
    done = Recaller(*parts(corrected), "taps").recall("day1.csv", by="ada", why="cents")

    assert (done.champion, sorted(done.versions)) == ("v000004", ["v000002", "v000003"])


def test_before_any_run_only_the_later_one_is_learned_and_it_may_prove(taps):
    taps.apply(SUPERSEDE)
    taps.drop(day=0, rows=30)
    taps.drop(day=0, rows=32)
    assert taps.train() == []  # 32 rows that count, of 40
    taps.drop(day=1)
    taps.train()
    taps.drop(day=2, wrong=range(2))
    last = taps.drop(day=2)
    taps.train()

    assert scored(taps) == [last]
    assert [name for name, used, _ in used(taps) if not used] == ["taps/day0.csv", "taps/day2.csv"]


def test_a_score_of_a_file_that_was_not_learned_counts_no_more_once_its_successor_has_one(taps):
    taps.apply(SUPERSEDE)
    taps.drop(day=0, rows=200)
    taps.train()
    bad = taps.drop(day=1, rows=400, wrong=range(300))
    (record,) = taps.train()
    assert record.outcome == "rejected"
    good = taps.drop(day=1, rows=400)
    taps.train()

    assert scored(taps) == [bad, good]
    progressive = status(*parts(taps), "taps")["progressive"]
    assert progressive["rows"] == 400
    assert progressive["metrics"]["log_loss"] < 0.5
    first, *_ = list_versions(taps.registry, "taps", taps.trainer.buckets.data)
    assert (first["progressive"]["files"], first["progressive"]["rows"]) == (1, 400)


def test_when_it_is_not_declared_any_more_the_earlier_one_is_learned_after_all(corrected):
    corrected.apply(DEFINITION)
    (record,) = corrected.train(force=True)

    assert (record.outcome, record.files) == ("promoted", 1)
    assert len([name for name, used, _ in used(corrected) if used]) == 4


def test_a_version_with_it_is_rebuilt_and_replayed_as_it_was(corrected):
    for version in ("v000003", "v000004"):
        assert rebuild(corrected.trainer, "taps", version).outcome == "equal"
    source = accepted_history(corrected.trainer.buckets.data, corrected.registry, "taps")

    assert source.history.names == (
        "taps/day0.csv", "taps/day1-corrected.csv", "taps/day2.csv"
    )  # fmt: skip
    assert [(one.name, one.reason) for one in source.left_out] == [
        ("taps/day1.csv", "taps/day1.csv is superseded by taps/day1-corrected.csv")
    ]


def test_a_static_span_is_that_of_the_files_in_effect(taps):
    static = SUPERSEDE.replace("min_rows: 40", "min_rows: 40\n  mode: static\n  span: {files: 2}")
    taps.apply(static)
    taps.drop(day=0, wrong=range(2))
    taps.drop(day=0)
    assert taps.train() == []
    taps.drop(day=1)
    taps.train()

    assert [(used, bool(by)) for _, used, by in used(taps)] == [
        (False, True), (True, False), (True, False)
    ]  # fmt: skip


def test_a_run_that_dies_on_its_way_is_made_again_to_the_same_end(corrected, restarted, another):
    def dies():
        raise KeyboardInterrupt

    corrected.drop(day=0)
    corrected.trainer.codec.on_export = dies
    with pytest.raises(KeyboardInterrupt):
        corrected.train()
    corrected.trainer.launcher.ended.add("job-1")
    (record,) = restarted(corrected, "job-2").train()
    assert [one.name for one in record.superseded] == ["taps/day0.csv"]
    assert [used for _, used, _ in used(corrected)] == [False, True, False, True, True]


def test_a_lineage_of_an_earlier_release_has_superseded_nothing(corrected):
    manifest = corrected.registry.manifest("taps", "v000004")
    document = json.loads(corrected.registry.read_version_file(manifest, "lineage.json"))
    for file in document["files"]:
        del file["superseded_by"]
    old = Lineage.from_json(json.dumps(document).encode())
    assert old.in_effect == old.files
    assert replace(old.files[0], superseded_by="x") not in old.files


def test_a_version_that_waits_does_not_predict_the_correction_of_what_it_learned(corrected):
    corrected.apply(SUPERSEDE + "promotion: {mode: manual}\n")
    corrected.drop(day=3, wrong=range(2))
    (record,) = corrected.train()
    assert record.outcome == "waiting_approval"
    last = corrected.drop(day=3)
    corrected.train()

    by = {entry.version for entry in entries(corrected.trainer.buckets.data, "taps", since=last)}
    assert "v000004" in by
    assert record.version not in by
