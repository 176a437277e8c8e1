"""A challenger passes that is better or as good, one that is worse does not; the rule says why."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from perennial.domain.evaluation.duel import CONSTANT, DuelResult, duel, tail_length

RNG = np.random.default_rng(0)


def losses(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).gamma(2.0, size=rows)


def fight(champion: np.ndarray, challenger: np.ndarray, **options: object) -> DuelResult:
    usual = {"opponent": "v000003", "tolerance": 0.02, "seed": 0, "min_rows": 50}
    return duel(champion, challenger, **usual | options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (0, 0),
        (1, 0),
        (2, 1),
        (40, 20),
        (99, 49),
        (100, 50),
        (168, 50),
        (250, 50),
        (251, 51),
        (1000, 200),
    ],
)
def test_the_tail_is_a_fifth_or_enough_for_a_duel_and_at_most_half(
    rows: int, expected: int
) -> None:
    assert tail_length(rows, 50) == expected


def test_clearly_lower_losses_are_better() -> None:
    champion = losses(400)
    result = fight(champion, champion * 0.8)
    assert (result.outcome, result.promotes) == ("better", True)
    assert result.difference == pytest.approx(-0.2)
    assert result.high is not None
    assert result.high < 0


def test_the_same_losses_are_not_worse() -> None:
    champion = losses(400)
    result = fight(champion, champion.copy())
    assert (result.outcome, result.promotes, result.difference) == ("not_worse", True, 0.0)


def test_clearly_higher_losses_are_worse_and_do_not_pass() -> None:
    champion = losses(400)
    result = fight(champion, champion * 1.2)
    assert (result.outcome, result.promotes) == ("worse", False)


def test_a_noisy_small_difference_is_inconclusive_and_passes() -> None:
    champion = losses(60, seed=1)
    challenger = losses(60, seed=2)
    challenger *= champion.mean() * 1.03 / challenger.mean()
    result = fight(champion, challenger)
    assert result.difference == pytest.approx(0.03)
    assert (result.outcome, result.promotes) == ("inconclusive", True)


def test_an_inconclusive_difference_beyond_tolerance_and_error_does_not_pass() -> None:
    champion = losses(60, seed=1)
    challenger = losses(60, seed=2)
    challenger *= champion.mean() * 1.25 / challenger.mean()
    result = fight(champion, challenger)
    assert result.outcome == "inconclusive"
    assert result.difference is not None
    assert result.error is not None
    assert result.difference - result.error > 0.02
    assert not result.promotes


def test_few_rows_are_never_more_than_inconclusive() -> None:
    champion = losses(49)
    assert fight(champion, champion * 0.5).outcome == "inconclusive"
    assert fight(champion, champion * 0.5).promotes
    assert fight(champion, champion * 1.5).outcome == "inconclusive"
    assert not fight(champion, champion * 1.5).promotes


def test_no_rows_prove_nothing_and_stand_in_nobodys_way() -> None:
    result = fight(np.empty(0), np.empty(0))
    assert (result.outcome, result.promotes, result.rows) == ("inconclusive", True, 0)


def test_equal_models_fail_about_one_duel_in_six_however_few_the_rows() -> None:
    for rows in (20, 200):
        noise = RNG.normal(size=(400, rows))
        failed = sum(
            not fight(np.full(rows, 5.0), 5 + one, tolerance=0.0).promotes for one in noise
        )
        assert 0.08 < failed / 400 < 0.24


def test_neighbours_that_err_together_widen_the_interval() -> None:
    champion = np.full(300, 5.0)
    apart = RNG.normal(size=300)
    together = RNG.normal(size=30).repeat(10)
    narrow, wide = fight(champion, champion + apart), fight(champion, champion + together)
    assert wide.error is not None
    assert narrow.error is not None
    assert wide.error > 1.5 * narrow.error


def test_squared_losses_are_compared_by_their_roots() -> None:
    champion = losses(400)
    result = fight(champion, champion * 1.21, squared=True)
    assert result.difference == pytest.approx(0.1)
    assert result.challenger_loss == pytest.approx((champion.mean() * 1.21) ** 0.5)


def test_a_champion_without_error_loses_to_none_and_beats_any() -> None:
    perfect = np.zeros(100)
    assert fight(perfect, perfect).promotes
    result = fight(perfect, np.full(100, 0.5))
    assert (result.outcome, result.promotes) == ("worse", False)
    assert np.isfinite(asdict(result)["difference"])


def test_the_same_seed_gives_the_same_result_and_it_fits_into_json() -> None:
    champion, challenger = losses(80, seed=1), losses(80, seed=2)
    first, second = fight(champion, challenger, seed=7), fight(champion, challenger, seed=7)
    assert first == second
    assert json.loads(json.dumps(asdict(first), allow_nan=False))["seed"] == 7


def test_the_rule_states_outcome_opponent_and_numbers() -> None:
    champion = losses(400)
    rule = fight(champion, champion * 1.2).rule
    assert rule.startswith(
        "worse, does not pass: the loss is 20.0% higher than v000003's (95 % int"
    )
    assert rule.endswith("tolerance 2.0%) on 400 rows")
    assert "fewer than the 50 of a firm answer" in fight(champion[:20], champion[:20]).rule


def test_the_rule_says_who_passes_and_never_who_is_promoted() -> None:
    """A version that passes may wait for a person, or behind a pin."""
    champion = losses(400)
    for challenger in (champion * 0.8, champion, champion * 1.2):
        result = fight(champion, challenger)
        passes = {True: ", passes: ", False: ", does not pass: "}
        assert passes[result.promotes] in result.rule
        assert "promoted" not in result.rule


def test_a_first_versions_opponent_is_a_constant_predictor() -> None:
    champion = losses(400)
    rule = fight(champion, champion * 0.8, opponent=CONSTANT).rule
    assert rule.startswith("better, passes: the loss is 20.0% lower than a constant predictor's (")


def test_without_rows_the_rule_says_what_is_missing() -> None:
    assert fight(np.empty(0), np.empty(0)).rule == (
        "inconclusive, passes: no rows are left that neither it nor v000003 has learned"
    )
