"""Physics or fashion, on streams whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from perennial.domain.definitions.definition import parse
from perennial.domain.modelling.training import fit as train
from perennial.domain.replaying.policies import STATIC
from perennial.domain.replaying.resampling import draw_files, resampled_losses
from perennial.domain.replaying.trials import follow

from .conftest import DEFINITION, fitter_of, plan_of, pumps, source_of

SMALL = {"first": 5, "cadences": [1], "windows": [5]}
"""Few trainings: what is tested is what they lead to."""


def assert_fits(lines: str) -> None:
    """What is advised can be pasted into the definition."""
    columns = DEFINITION.split("training:")[0]
    parse(columns + lines)


@pytest.mark.parametrize("seed", range(3))
def test_a_stationary_stream_is_physics(replayed, seed: int) -> None:
    found = replayed(pumps(30, rows=150, seed=seed), **SMALL)

    assert found.verdict.answer == "physics"
    assert found.verdict.confidence > 0.8
    assert found.advice.policy == STATIC
    assert_fits(found.advice.lines)


@pytest.mark.parametrize("seed", range(2))
def test_a_drifting_stream_is_fashion_and_short_windows_win(replayed, seed: int) -> None:
    found = replayed(pumps(26, turn=0.1, seed=seed), first=5, cadences=[1], windows=[4, 12])

    assert found.verdict.answer == "fashion"
    assert found.verdict.confidence > 0.95
    assert found.advice.policy.window == 4
    assert "window: {files: 4}" in found.advice.lines
    assert_fits(found.advice.lines)


def test_a_small_first_model_that_lacks_rows_is_not_taken_for_an_aged_one(replayed) -> None:
    """Retraining on all history pays on a stationary stream too, as long as rows are few."""
    found = replayed(pumps(26, rows=6), first=1, cadences=[1], windows=[1])

    static = next(one for one in found.ranked if one.trial.policy == STATIC)
    assert static.difference > 0.1
    assert found.verdict.answer == "physics"
    assert "too few rows, not because it has aged" in found.advice.sentence


def test_a_slower_cadence_is_advised_where_it_costs_no_more_than_the_tolerance(replayed) -> None:
    found = replayed(pumps(40, turn=0.015), first=10, windows=[10], cadences=[1, 2, 20])

    assert found.verdict.answer == "fashion"
    assert found.advice.policy.every == 2


def test_the_decay_curve_rises_with_age_on_a_drifting_stream(replayed) -> None:
    curve = replayed(pumps(26, turn=0.1), **SMALL).decay.curve

    assert (curve[0].age, curve[0].excess) == (0, 0)
    assert [one.excess for one in curve[:8]] == sorted(one.excess for one in curve[:8])
    assert all(one.low <= one.excess <= one.high for one in curve)


def test_a_policy_is_scored_as_a_plain_loop_scores_it() -> None:
    """Predict the next file with what was trained on the window before it."""
    source = source_of(pumps(20, turn=0.1))
    plan = plan_of(source, first=5, cadences=[3], windows=[4])
    history = source.history
    errors = []
    for file in range(5, 20):
        trained = 5 + (file - 5) // 3 * 3
        model = train(
            source.definition, history.frame.iloc[history.rows_of(range(trained - 4, trained))]
        )
        rows = history.frame.iloc[history.rows_of([file])]
        errors.append(np.abs(model.predict(rows) - rows["flow"].to_numpy()).sum())

    trial = follow(plan, history, plan.policies[1], "mae", dict(fitter_of(source)(plan.wanted)))

    np.testing.assert_allclose(trial.sums, errors, rtol=1e-5)
    assert trial.trainings == 5


class TestResampling:
    def test_blocks_of_neighbours_are_drawn_whole(self) -> None:
        drawn = draw_files(30, seed=0)

        assert drawn.shape == (1000, 30)
        steps = np.diff(drawn, axis=1) % 30
        assert (steps[:, [0, 1]] == 1).all()  # blocks of three: the cube root of 30
        assert (steps[:, 2] != 1).any()

    def test_an_interval_covers_the_mean_of_correlated_files(self) -> None:
        """Files that resemble their neighbours: drawn one by one, 95 % would be far less."""
        covered = 0
        for seed in range(100):
            chance = np.random.default_rng(seed)
            noise = np.convolve(chance.normal(size=122), [1, 1, 1], "valid")
            sums = 5 + noise
            means = resampled_losses(sums, np.ones(120), draw_files(120, seed=seed))
            covered += bool(np.quantile(means, 0.025) <= 5 <= np.quantile(means, 0.975))
        assert covered >= 84
