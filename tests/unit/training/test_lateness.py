"""Late files: refused beyond what is declared, learned in their place within it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from perennial.domain.names import FileId
from perennial.domain.versioning.registry import Head, Watermark
from perennial.errors import StoreUnavailable
from perennial.workflows.history_check import reconsider
from perennial.workflows.judging import judge
from perennial.workflows.ledger import entries
from perennial.workflows.quarantine import Hospital
from perennial.workflows.recall import Recaller
from perennial.workflows.status import status
from perennial.workflows.verdicts import list_in_force

from .conftest import DEFINITION, START

WITHIN_3_DAYS = DEFINITION + "rows: {max_lateness_days: 3}\n"


def parts(taps):
    return [getattr(taps.trainer, part) for part in ("buckets", "registry", "launcher", "clock")]


def upload(taps, day: int) -> FileId:
    """Put a day's file into landing, before anybody judges it."""
    lines = ["at,heat,room,open"]
    for n in range(100):
        time = START + timedelta(days=day, minutes=n)
        lines.append(f"{time:%Y-%m-%dT%H:%M:%S},{n % 7 - 3},a,{int(n % 7 > 3)}")
    text = "\n".join(lines).encode()
    info = taps.trainer.buckets.landing.overwrite(f"taps/day{day}.csv", text)
    return FileId(info.generation, info.name)


def judged(taps, file: FileId):
    return judge(taps.trainer.buckets, taps.registry, taps.trainer.clock, file)


@pytest.fixture
def strict(taps):
    """A pipeline that has learned day 10, and takes what is three days late."""
    taps.apply(WITHIN_3_DAYS)
    taps.drop(day=10)
    taps.train()
    return taps


def test_a_run_leaves_in_the_head_how_far_the_accepted_files_reach(strict):
    [file] = list_in_force(strict.trainer.buckets.data, "taps")

    assert strict.head.watermark == Watermark(file.last_event, file.file.generation)
    strict.drop(day=8)
    strict.train()
    assert strict.head.watermark.time == file.last_event


def test_a_file_that_is_too_late_is_refused_and_says_what_was_expected(strict):
    verdict = judged(strict, upload(strict, day=6))

    assert (verdict.decision, verdict.broken) == ("quarantined", ["lateness"])
    assert "expected a time from 2026-01-08 01:39 UTC on, found '2026-01-07T00:00:00'" in (
        verdict.reason
    )
    assert judged(strict, verdict.file) == verdict  # delivered again


def test_without_the_key_any_file_is_accepted(taps):
    taps.drop(day=10)
    taps.train()
    assert judged(taps, upload(taps, day=-300)).decision == "accepted"


def test_before_anything_is_learned_nothing_is_late(taps):
    taps.apply(WITHIN_3_DAYS)
    taps.drop(day=10)
    assert judged(taps, upload(taps, day=2)).decision == "accepted"


def test_a_file_whose_event_was_lost_is_not_late_for_what_came_after_it(taps):
    taps.apply(WITHIN_3_DAYS)
    forgotten = upload(taps, day=2)
    taps.drop(day=10)
    taps.train()
    assert judged(taps, forgotten).decision == "accepted"
    assert judged(taps, upload(taps, day=3)).decision == "quarantined"


def test_a_late_file_within_the_limit_is_learned_in_its_place_and_proves_nothing(strict):
    late = strict.drop(day=8)
    [record] = strict.train()

    assert record.outcome == "promoted"
    assert strict.learned() == ["taps/day8.csv", "taps/day10.csv"]
    assert late not in {entry.stem for entry in entries(strict.trainer.buckets.data, "taps")}
    manifest = strict.registry.manifest("taps", record.version)
    evaluation = json.loads(strict.registry.read_version_file(manifest, "evaluation.json"))
    assert evaluation["held_out"]["rows"] == 0
    assert status(*parts(strict), "taps")["progressive"]["files"] == []


def test_files_out_of_order_give_the_very_model_of_files_in_order(taps, another):
    ordered, shuffled = taps, another()
    for pipeline, days in ((ordered, (1, 2, 3, 4)), (shuffled, (1, 4, 2, 3))):
        for day in days:
            pipeline.drop(day=day)
            pipeline.train()
    graphs = []
    for pipeline in (ordered, shuffled):
        manifest = pipeline.registry.manifest("taps", pipeline.head.champion)
        assert manifest.version == "v000004"
        assert pipeline.learned() == [f"taps/day{day}.csv" for day in (1, 2, 3, 4)]
        graphs.append(manifest.files["model.onnx"].sha256)
    assert graphs[0] == graphs[1]


def test_retry_judges_by_what_was_known_when_the_file_came(strict):
    verdict = judged(strict, upload(strict, day=6))
    strict.drop(day=40)
    strict.train()
    hospital = Hospital(*parts(strict), "taps")

    assert [f.rule for f in hospital.foresee(verdict.file).findings] == ["lateness"]
    assert hospital.retry(verdict.file, by="ada").decision == "quarantined"
    strict.apply(DEFINITION + "rows: {max_lateness_days: 5}\n")
    assert hospital.foresee(verdict.file).accepted
    assert hospital.retry(verdict.file, by="ada").decision == "accepted"


def test_a_person_can_have_a_file_learned_that_is_too_late(strict):
    verdict = judged(strict, upload(strict, day=6))
    Hospital(*parts(strict), "taps").release(verdict.file, by="ada", why="the till was offline")
    strict.train()
    assert strict.learned() == ["taps/day6.csv", "taps/day10.csv"]


def test_once_a_file_is_recalled_others_are_not_late_for_it(strict):
    strict.drop(day=300)
    strict.train()
    late = judged(strict, upload(strict, day=11))
    assert late.decision == "quarantined"

    Recaller(*parts(strict), "taps").recall("day300.csv", by="ada", why="wrong year")
    strict.train(force=True)

    assert strict.head.watermark.time.day == 11  # day 10 counts from the first of January
    retried = Hospital(*parts(strict), "taps").retry(late.file, by="ada")
    assert retried.decision == "accepted"


def test_a_run_that_is_to_be_tried_again_moves_nothing(strict):
    before = strict.head.watermark

    def breaks():
        raise StoreUnavailable("no answer")

    strict.drop(day=20)
    strict.trainer.codec.on_export = breaks
    with pytest.raises(StoreUnavailable):
        strict.train()
    assert strict.head.watermark == before
    strict.train()
    assert strict.head.watermark.time > before.time


def test_what_a_limit_says_of_the_files_accepted_before(taps):
    for day in (10, 2, 9):
        taps.drop(day=day)
    definition = taps.registry.definition(taps.head)
    taps.apply(WITHIN_3_DAYS)
    strict = taps.registry.definition(taps.head)
    landing, data = taps.trainer.buckets.landing, taps.trainer.buckets.data

    assert [one.outcome for one in reconsider(landing, data, "taps", definition)] == [
        "accepted", "accepted", "accepted"
    ]  # fmt: skip
    found = list(reconsider(landing, data, "taps", strict))
    assert [(one.file.name, one.outcome) for one in found] == [
        ("taps/day10.csv", "accepted"),
        ("taps/day2.csv", "quarantined"),
        ("taps/day9.csv", "accepted"),
    ]


def test_a_head_of_an_earlier_release_has_no_watermark(strict):
    document = json.loads(strict.head.to_json())
    del document["watermark"]
    assert Head.from_json(json.dumps(document).encode()).watermark is None
