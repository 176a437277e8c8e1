"""A model that is trained once: what it waits for, what is scored, and when it is made anew."""

from __future__ import annotations

from datetime import timedelta

import pytest

from perennial.workflows.ledger import entries
from perennial.workflows.promotion import approve
from perennial.workflows.status import status
from perennial.workflows.versions import explain

from .conftest import DEFINITION, START

ALL = DEFINITION.replace("  min_rows: 40", "  min_rows: 40\n  mode: static")
TWO = ALL + "  span: {files: 2}\n"
OTHER_RECIPE = TWO.replace("min_rows: 40", "min_rows: 40\n  parameters: {C: 0.01}")


def outcomes(records) -> list[str]:
    return [record.outcome for record in records]


def look(taps) -> dict:
    parts = taps.trainer
    return status(parts.buckets, parts.registry, parts.launcher, parts.clock, "taps")


def scored(taps) -> list[tuple[str, str]]:
    return [(entry.stem, entry.version) for entry in entries(taps.trainer.buckets.data, "taps")]


class TestTheSpan:
    def test_all_is_what_was_accepted_when_the_first_run_came(self, taps):
        taps.apply(ALL)
        for _ in range(3):
            taps.drop()
        assert outcomes(taps.train()) == ["promoted"]
        assert len(taps.learned()) == 3

    def test_files_waits_until_so_many_are_there_and_says_so(self, taps):
        taps.apply(TWO)
        taps.drop()
        assert taps.train() == []
        assert look(taps)["waiting"] == ["training.span needs 2 files, has 1"]
        (record,) = taps.train(force=True)
        assert (record.outcome, record.reason) == ("waiting", "training.span needs 2 files, has 1")
        taps.drop()
        assert outcomes(taps.train()) == ["promoted"]
        assert len(taps.learned()) == 2

    def test_files_are_the_first_in_time_however_they_came(self, taps):
        taps.apply(TWO)
        for day in (9, 1, 5, 0):
            taps.drop(day=day)
        assert outcomes(taps.train()) == ["promoted", "scored"]
        assert taps.learned() == ["taps/day0.csv", "taps/day1.csv"]

    def test_through_a_date_waits_for_a_later_file(self, taps):
        taps.apply(f"{ALL}  span: {{through: {START + timedelta(days=2):%Y-%m-%d}}}\n")
        for day in (0, 1):
            taps.drop(day=day)
        assert taps.train() == []
        (waits,) = look(taps)["waiting"]
        assert waits == (
            "training.span goes through 2026-01-03 00:00:00+00:00: it is whole when a later file "
            "comes, and holds 2 files so far"
        )
        taps.drop(day=4)
        assert outcomes(taps.train()) == ["promoted", "scored"]
        assert taps.learned() == ["taps/day0.csv", "taps/day1.csv"]

    def test_since_a_date_leaves_out_what_came_before_and_takes_it_into_account(self, taps):
        since, through = (f"{START + timedelta(days=day):%Y-%m-%d}" for day in (1, 3))
        taps.apply(f"{ALL}  span: {{since: {since}, through: {through}}}\n")
        for day in range(5):
            taps.drop(day=day)
        taps.train()
        files = explain(taps.registry, "taps", "v000001")["files"]
        assert [file["used"] for file in files] == [False, True, True]
        assert len(scored(taps)) == 2

    def test_a_period_without_files_says_so(self, taps):
        taps.apply(f"{ALL}  span: {{through: {START - timedelta(days=9):%Y-%m-%d}}}\n")
        taps.drop()
        assert look(taps)["waiting"] == [
            "no accepted file lies in training.span: change it, or drop such files"
        ]

    def test_a_window_is_for_dynamic_models(self, taps):
        taps.apply(ALL + "  window: {files: 1}\n")
        for _ in range(3):
            taps.drop()
        taps.train()
        assert explain(taps.registry, "taps", "v000001")["trained_rows"] == 300

    def test_a_dynamic_pipeline_may_state_a_span_which_waits_for_nothing(self, taps):
        taps.apply(TWO.replace("mode: static", "mode: dynamic"))
        taps.drop()
        assert outcomes(taps.train()) == ["promoted"]


class TestWhatComesLater:
    def test_is_predicted_scored_and_never_learned(self, taps):
        taps.apply(TWO)
        for _ in range(2):
            taps.drop()
        taps.train()
        for _ in range(3):
            stem = taps.drop()
            (record,) = taps.train()
            assert (record.outcome, record.files, record.rows) == ("scored", 1, 100)
            assert record.reason.startswith(
                "v000001 is static, and predicted 100 rows of 1 new file: log_loss 0."
            )
            assert scored(taps)[-1] == (stem, "v000001")
        assert taps.head.statuses == {"v000001": "approved"}
        assert len(taps.learned()) == 2

    def test_one_run_trains_and_the_next_scores_the_rest(self, taps):
        taps.apply(TWO)
        for _ in range(7):
            taps.drop()
        first, second = taps.train()
        assert (first.outcome, first.files) == ("promoted", 2)
        assert (second.outcome, second.files, second.rows) == ("scored", 5, 500)
        assert taps.train() == []

    def test_waits_for_the_trigger(self, taps):
        taps.apply(TWO + "  trigger: {files: 2}\n")
        for _ in range(3):
            taps.drop()
        assert outcomes(taps.train()) == ["promoted"]
        taps.drop()
        assert outcomes(taps.train()) == ["scored"]
        assert len(scored(taps)) == 2

    def test_proves_nothing_when_it_is_late(self, taps):
        taps.apply(TWO)
        for day in (1, 2):
            taps.drop(day=day)
        taps.train()
        taps.drop(day=0)
        (record,) = taps.train()
        assert record.outcome == "nothing_new"
        assert record.reason == "v000001 is static, and no later file is new to it"
        assert scored(taps) == []

    def test_that_has_an_older_generation_than_the_span_is_not_lost_to_ingest(self, taps):
        taps.apply(TWO + "  trigger: {files: 2}\n")
        later = taps.drop(day=9)
        for day in (0, 1):
            taps.drop(day=day)
        assert outcomes(taps.train()) == ["promoted"]
        assert taps.head.learned_through < int(later.split("-")[0])


class TestBeforeThereIsAChampion:
    def test_one_that_waits_for_a_person_is_not_made_again(self, taps):
        taps.apply(TWO + "promotion: {mode: manual}\n")
        for _ in range(3):
            taps.drop()
        assert outcomes(taps.train()) == ["waiting_approval", "waiting_approval"]
        assert list(taps.head.statuses) == ["v000001"]
        approve(taps.registry, "taps", None, by="ada", why="looks right")
        taps.drop()
        (record,) = taps.train()
        assert (record.outcome, record.files) == ("scored", 2)

    def test_one_that_was_turned_down_is_not_made_again_of_the_same_files(self, taps):
        taps.apply(TWO)
        taps.drop(rows=300, wrong=range(300))  # the file that it is judged on is right
        taps.drop(rows=200)
        assert outcomes(taps.train()) == ["rejected"]
        taps.drop()
        (record,) = taps.train()
        assert record.outcome == "nothing_new"
        assert record.reason == (
            "v000001 learned this very span by this definition, and is rejected: another span or "
            "another recipe may do better"
        )
        taps.apply(TWO.replace("files: 2", "files: 3"))
        assert outcomes(taps.train(force=True))[0] in ("promoted", "rejected")
        assert "v000002" in taps.head.statuses


class TestSwitching:
    def test_to_static_freezes_the_champion(self, taps):
        for _ in range(2):
            taps.drop()
            taps.train()
        taps.apply(ALL)
        taps.drop()
        (record,) = taps.train()
        assert (record.outcome, taps.head.champion) == ("scored", "v000002")
        assert "recipe" not in record.reason

    def test_back_to_dynamic_learns_everything_that_came_meanwhile(self, taps):
        taps.apply(TWO)
        for _ in range(5):
            taps.drop()
        taps.train()
        taps.apply(DEFINITION)
        taps.drop()
        (record,) = taps.train()
        assert (record.outcome, record.files, record.rows) == ("promoted", 4, 400)
        assert len(taps.learned()) == 6

    def test_back_to_dynamic_and_told_to_it_need_not_wait_for_a_file(self, taps):
        taps.apply(TWO)
        for _ in range(5):
            taps.drop()
        taps.train()
        taps.apply(DEFINITION)
        assert outcomes(taps.train(force=True)) == ["promoted"]


class TestAnew:
    def test_the_same_recipe_and_span_give_the_same_model_and_are_not_tried(self, taps):
        taps.apply(TWO)
        for _ in range(3):
            taps.drop()
        taps.train()
        (record,) = taps.train(force=True)
        assert record.outcome == "nothing_new"
        assert record.reason == "v000001 has learned this very span, by the same recipe"

    def test_another_recipe_waits_until_somebody_says_so(self, taps):
        taps.apply(TWO)
        for _ in range(3):
            taps.drop()
        taps.train()
        taps.apply(OTHER_RECIPE)
        sentence = (
            "the recipe changed since v000001 was made: `perennial retrain taps` trains by it"
        )
        assert sentence in look(taps)["waiting"]
        taps.drop()
        (record,) = taps.train()
        assert record.outcome == "scored"
        assert record.reason.endswith(sentence)
        assert list(taps.head.statuses) == ["v000001"]

    def test_it_meets_the_champion_on_rows_that_came_after_the_span(self, taps):
        taps.apply(TWO)
        for _ in range(6):
            taps.drop()
        taps.train()
        taps.apply(OTHER_RECIPE)
        (record,) = taps.train(force=True)
        assert record.version == "v000002"
        made = explain(taps.registry, "taps", "v000002")
        assert made["against"] == "v000001"
        assert made["trained_rows"] == 200
        assert made["evaluation"]["held_out"]["rows"] == 80
        assert made["evaluation"]["held_out"]["first"] >= f"{START + timedelta(days=5):%Y-%m-%d}"
        assert made["trained_through"] < f"{START + timedelta(days=2):%Y-%m-%d}"
        # What decided its duel proves nothing more about it.
        assert [file["used"] for file in made["files"]] == [True] * 2 + [False] * 4

    def test_without_rows_that_neither_has_learned_nothing_is_trained(self, taps):
        taps.apply(TWO)
        for _ in range(2):
            taps.drop()
        taps.train()
        taps.apply(OTHER_RECIPE)
        (record,) = taps.train(force=True)
        assert record.outcome == "nothing_new"
        assert record.reason == (
            "no rows are left that neither v000001 nor a new model of this span has learned: "
            "`perennial retrain taps` once a later file has come"
        )

    def test_a_span_that_is_not_whole_yet_is_said_and_what_is_new_is_scored(self, taps):
        taps.apply(TWO)
        for _ in range(2):
            taps.drop()
        taps.train()
        taps.apply(TWO.replace("files: 2", "files: 9"))
        taps.drop()
        (record,) = taps.train(force=True)
        assert (record.outcome, record.files) == ("scored", 1)
        assert record.reason.endswith("; training.span needs 9 files, has 3")

    def test_of_all_it_learns_what_is_there_now(self, taps):
        taps.apply(ALL)
        taps.drop()
        taps.train()
        for _ in range(3):
            taps.drop()
            taps.train()
        assert outcomes(taps.train(force=True)) == ["promoted"]
        assert len(taps.learned()) == 4


class TestAgeing:
    def test_a_dynamic_champion_is_not_asked(self, taps):
        taps.drop()
        taps.train()
        assert (look(taps)["mode"], look(taps)["ageing"]) == ("dynamic", None)

    def test_few_files_say_nothing_yet(self, taps):
        taps.apply(TWO)
        for _ in range(5):
            taps.drop()
        taps.train()
        found = look(taps)["ageing"]
        assert (found["version"], found["files"], found["compared"]) == ("v000001", 3, 0)
        assert found["sentence"] == (
            "3 files scored since v000001 was trained; it takes 8 to say how it ages"
        )

    @pytest.mark.parametrize("drifts", [False, True])
    def test_a_world_that_changes_shows(self, taps, drifts):
        taps.apply(TWO)
        for day in range(14):
            taps.drop(wrong=range(0, 100, 2) if drifts and day >= 9 else range(0))
        taps.train()
        found = look(taps)["ageing"]
        assert (found["files"], found["compared"]) == (12, 4)
        assert 11.9 < found["days"] < 12.1
        assert found["metric"] == "log_loss"
        if drifts:
            assert found["low"] > 0.5
            assert found["low"] <= found["change"] <= found["high"]
            assert found["sentence"].startswith("log_loss on the last 4 files is ")
            assert found["sentence"].endswith(
                "%) than on the first 4 after training; `perennial replay taps` says whether "
                "retraining would pay"
            )
        else:
            assert found["low"] < 0.1
