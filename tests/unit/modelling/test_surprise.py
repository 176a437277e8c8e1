"""What is usual is told by earlier files, and only what lies far above it surprises."""

from __future__ import annotations

import numpy as np
import pytest

from perennial.domain.evaluation.duel import DuelResult
from perennial.domain.evaluation.floors import Floor
from perennial.domain.evaluation.gate import rule
from perennial.domain.evaluation.surprise import LEAST_FILES, Surprise, usual_band

RNG = np.random.default_rng(3)


def test_too_few_files_tell_nothing():
    assert usual_band([1.0] * (LEAST_FILES - 1), 6.0) is None


def test_regular_files_are_surprised_by_twice_the_usual_loss_and_by_no_less():
    band = usual_band([10.0] * 20, 6.0)
    assert not band.surprises(19.9)
    assert band.surprises(20.1)


def test_files_that_differ_widely_widen_the_band_and_one_odd_file_does_not():
    losses = list(np.exp(RNG.normal(3, 0.4, 26)))
    wide = usual_band(losses, 6.0)
    assert wide.highest > 4 * wide.usual
    odd = usual_band([*losses[:-1], 1e6], 6.0)
    assert odd.highest == pytest.approx(wide.highest, rel=0.25)


def test_only_the_newest_files_count():
    assert usual_band([1000.0] * 50 + [1.0] * 26, 6.0).usual == pytest.approx(1.0)


def test_hardly_any_of_many_stationary_files_surprises():
    """Files of the same world whose losses scatter as those of 40 rows do."""
    false_alarms = 0
    for _ in range(200):
        losses = RNG.gamma(40, 1 / 40, 60)
        false_alarms += sum(
            usual_band(list(losses[:n]), 6.0).surprises(losses[n]) for n in range(8, 60)
        )
    assert false_alarms == 0


def duel(outcome: str, *, promotes: bool) -> DuelResult:
    return DuelResult(
        outcome, promotes, f"{outcome}, told", 100, 1.0, 1.0, 0.0, 0.1, -0.1, 0.1, 0.02, 50, 0
    )


SURPRISE = Surprise("shop/a.csv", "0-a", 9.0, usual_band([1.0] * 10, 6.0), 2.5)
MISSED = Floor("accuracy", 0.9, 0.5, 100, passed=False)


@pytest.mark.parametrize("outcome", ["not_worse", "inconclusive", "worse"])
def test_after_a_surprise_only_a_better_challenger_passes_and_the_file_is_set_aside(outcome):
    ruling = rule(duel(outcome, promotes=outcome != "worse"), [], [SURPRISE])
    assert (ruling.promotes, ruling.suspect) == (False, ("0-a",))
    assert (
        "no champion's loss on shop/a.csv is below 9, and usually it is about 1 (at most 2"
        in ruling.reason
    )


def test_a_challenger_that_is_better_than_champion_and_constant_explains_the_surprise():
    assert rule(duel("better", promotes=True), [], [SURPRISE], constant=1.5).promotes


def test_one_that_only_answers_less_boldly_than_the_champion_does_not():
    ruling = rule(duel("better", promotes=True), [], [SURPRISE], constant=0.9)
    assert (ruling.promotes, ruling.suspect) == (False, ("0-a",))
    assert "better than a constant (its loss is 0.9)" in ruling.reason


def test_a_floor_that_is_missed_stops_a_challenger_that_won():
    ruling = rule(duel("better", promotes=True), [MISSED], [])
    assert not ruling.promotes
    assert ruling.reason == (
        "does not pass its floors: accuracy is 0.5 on 100 rows, and must be at least 0.9"
    )


def test_a_floor_that_rows_cannot_tell_stops_nothing():
    unknown = Floor("roc_auc", 0.9, None, 3)
    assert rule(duel("better", promotes=True), [unknown], []).promotes
