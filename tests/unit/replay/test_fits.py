"""Distinct trainings: who shares them, what they predict, and how they are remembered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from perennial.domain.definitions.definition import parse
from perennial.domain.replaying.fits import Fit, key_of, learn, losses_of, predicted_rows
from perennial.domain.replaying.gates import expected
from perennial.domain.replaying.policies import STATIC, Policy, static_fit
from perennial.workflows.replay import replay

from .conftest import DEFINITION, fitter_of, plan_of, pumps, source_of


class TestThePlan:
    def test_a_training_that_several_policies_ask_for_is_wanted_once(self) -> None:
        plan = plan_of(source_of(pumps(30)), first=4, cadences=[1, 2], windows=[6])

        asked = sum(len(plan.trained_at(p.every)) for p in plan.policies if p.every) + 1

        assert asked == 1 + 2 * (26 + 13)
        # Every second file's trainings are among those of every file; windows of 6 are all history
        # up to file 6, and the static model is the first of that.
        assert len(plan.wanted) == 26 + (26 - 3)
        assert static_fit(plan) in plan.wanted

    def test_static_comes_first_and_all_history_is_always_tried(self) -> None:
        plan = plan_of(source_of(pumps(30)), cadences=[3], windows=[5])

        assert plan.policies == (STATIC, Policy(3, 5), Policy(3, None))

    def test_what_the_definition_does_now_is_tried_too(self) -> None:
        text = DEFINITION.replace(
            "min_rows: 20", "min_rows: 20, window: {files: 7}, trigger: {files: 3}"
        )

        plan = plan_of(source_of(pumps(30), text))

        assert 3 in plan.cadences
        assert 7 in plan.windows

    def test_a_long_history_is_retrained_in_larger_steps(self) -> None:
        definition = parse(DEFINITION)
        from perennial.domain.replaying.policies import make_plan

        plan = make_plan(definition, [100] * 1000)

        assert plan.cadences[1] == 9
        assert len(plan.trained_at(9)) <= 100


def test_no_fit_predicts_a_row_that_it_learns() -> None:
    source = source_of(pumps(20))
    history, plan = source.history, plan_of(source)
    gated = expected(source.definition, plan, history, Policy(2, 8))
    assert gated

    for fit, through in {**plan.wanted, **gated}.items():
        learned = np.setdiff1d(history.rows_of(fit.files), fit.held)
        assert not np.intersect1d(learned, predicted_rows(history, fit, through)).size


def test_a_fit_is_the_training_that_production_makes() -> None:
    source = source_of(pumps(12, turn=0.1))
    history, fit = source.history, Fit((2, 3, 4))
    frame = history.frame.iloc[history.rows_of((2, 3, 4))]
    from perennial.domain.modelling.training import fit as train

    model = train(source.definition, frame)
    rows = history.rows_of((5, 6))
    truth = history.frame["flow"].iloc[rows].to_numpy()

    found = losses_of(source.definition, learn(source.definition, history, fit), history, rows)

    errors = np.abs(model.predict(history.frame.iloc[rows]) - truth)
    np.testing.assert_allclose(found["mae"], errors, rtol=1e-6)


class TestTheKey:
    def keys(self, text: str = DEFINITION, files=None, libraries=None) -> str:
        source = source_of(files or pumps(10), text)
        return key_of(source.definition, source.history, libraries or {"numpy": "2"})(
            Fit((1, 2), (90,))
        )

    def test_it_is_the_same_for_another_name_window_trigger_or_tolerance(self) -> None:
        other = (
            DEFINITION.replace("pumps", "wells")
            .replace("min_rows: 20", "min_rows: 30, window: {files: 4}, trigger: {files: 2}")
            .replace("min_duel_rows: 20", "tolerance: 0.1")
        )

        assert self.keys(other) == self.keys()

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("model: linear", "model: linear, seed: 7"),
            ("model: linear", "model: linear, parameters: {alpha: 2.0}"),
            ("b: {type: number}", "b: {type: number, role: ignore}"),
            ("role: label}", "role: label, rules: [{range: [0, null]}]}"),
        ],
    )
    def test_it_changes_with_the_recipe(self, old: str, new: str) -> None:
        assert self.keys(DEFINITION.replace(old, new)) != self.keys()

    def test_it_changes_with_the_rows_and_with_a_library(self) -> None:
        assert self.keys(files=pumps(10, seed=1)) != self.keys()
        assert self.keys(libraries={"numpy": "3"}) != self.keys()


class TestTheCache:
    def test_a_second_replay_makes_no_fit_and_finds_the_same(self, tmp_path: Path) -> None:
        source = source_of(pumps(16, turn=0.2))
        plan = plan_of(source)
        first, second = fitter_of(source, tmp_path), fitter_of(source, tmp_path)

        found, again = replay(source, plan, first), replay(source, plan, second)

        assert first.counts.made == found.distinct
        assert second.counts.made == 0
        assert [(r.loss, r.low, r.high) for r in again.ranked] == [
            (r.loss, r.low, r.high) for r in found.ranked
        ]

    def test_what_was_made_before_an_interruption_is_not_made_again(self, tmp_path: Path) -> None:
        source = source_of(pumps(16))
        plan, first = plan_of(source), fitter_of(source, tmp_path)
        fits = first(plan.wanted)
        for _ in range(10):
            next(fits)
        fits.close()

        second = fitter_of(source, tmp_path)
        dict(second(plan.wanted))

        assert first.counts.made == 10
        assert second.counts.made == len(plan.wanted) - 10

    def test_a_damaged_file_is_made_again(self, tmp_path: Path) -> None:
        source = source_of(pumps(16))
        plan = plan_of(source)
        whole = dict(fitter_of(source, tmp_path)(plan.wanted))
        stored = sorted(tmp_path.rglob("*.npz"))
        assert len(stored) == len(whole)
        stored[0].write_bytes(stored[0].read_bytes()[:100])
        stored[1].write_bytes(b"")

        fitter = fitter_of(source, tmp_path)
        found = dict(fitter(plan.wanted))

        assert fitter.counts.made == 2
        for fit, fitted in found.items():
            np.testing.assert_array_equal(fitted.losses["mae"], whole[fit].losses["mae"])

    def test_it_leaves_no_drafts(self, tmp_path: Path) -> None:
        source = source_of(pumps(16))
        dict(fitter_of(source, tmp_path)(plan_of(source).wanted))

        assert [path.name for path in tmp_path.rglob(".*")] == []

    def test_new_files_need_new_fits_only_where_models_are_still_followed(
        self, tmp_path: Path
    ) -> None:
        files = pumps(50)
        before, after = source_of(files[:48]), source_of(files)
        options = {"first": 5, "cadences": [1], "windows": [5]}
        plan, grown = plan_of(before, **options), plan_of(after, **options)
        dict(fitter_of(before, tmp_path)(plan.wanted))

        fitter = fitter_of(after, tmp_path)
        dict(fitter(grown.wanted))

        # Followed for 26 files: those trained before file 22 had all of them already. The static
        # one is followed to the end. Two windows.
        assert fitter.counts.remembered == (48 - 26 - 5 + 1) * 2 - 2
        assert fitter.counts.made == len(grown.wanted) - fitter.counts.remembered

    def test_a_history_with_a_late_file_is_not_mistaken_for_the_old_one(
        self, tmp_path: Path
    ) -> None:
        files = pumps(20)
        without, whole = source_of([*files[:10], *files[11:]]), source_of(files)
        options = {"first": 4, "cadences": [1], "windows": [4]}
        dict(fitter_of(without, tmp_path)(plan_of(without, **options).wanted))
        plan = plan_of(whole, **options)

        found = dict(fitter_of(whole, tmp_path)(plan.wanted))

        for fit, fitted in dict(fitter_of(whole)(plan.wanted)).items():
            np.testing.assert_array_equal(found[fit].rows, fitted.rows)
            np.testing.assert_array_equal(found[fit].losses["mae"], fitted.losses["mae"])


def test_what_cannot_be_trained_is_remembered_with_the_reason(tmp_path: Path) -> None:
    text = DEFINITION.replace("task: regression", "task: binary").replace(
        "flow: {type: number, role: label}", "flow: {type: integer, role: label, classes: [0, 1]}"
    )
    files = [
        (
            f"{n:02}.csv",
            f"at,a,b,flow\n2025-01-{n + 1:02},1,{n},1\n2025-01-{n + 1:02},2,1,1\n".encode(),
        )
        for n in range(10)
    ]
    source = source_of(files, text)
    fit = Fit((0, 1))

    for _ in range(2):
        ((_, fitted),) = fitter_of(source, tmp_path)({fit: 4})
        assert "two values of flow are needed" in fitted.error
    assert replace(fitted, seconds=0).losses == {} or all(
        not len(values) for values in fitted.losses.values()
    )
