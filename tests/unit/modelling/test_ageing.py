"""How a model ages, from its scores on the files that it did not learn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from perennial.domain.evaluation.ageing import ageing
from perennial.domain.evaluation.scoring import Score

TRAINED = datetime(2026, 1, 1, tzinfo=UTC)


def judged(losses, metric="mae", rows=100):
    """What is said of a model with these mean losses, a file a week."""
    scores = [Score(rows, {metric: loss * rows}) for loss in losses]
    newest = TRAINED + timedelta(weeks=len(losses))
    return ageing("shop", "v000001", TRAINED, newest, scores, metric, seed=0)


def test_the_same_loss_for_ever_is_no_age():
    found = judged([2.0] * 20)
    assert (found.change, found.low, found.high) == (0, 0, 0)
    assert (found.files, found.days, found.compared) == (20, 140, 5)
    assert found.sentence.endswith("it does not age")


def test_a_loss_that_doubles_is_a_hundred_per_cent():
    found = judged([1.0] * 10 + [2.0] * 10)
    assert (found.first, found.latest, found.change) == (1, 2, 1)
    assert found.sentence == (
        "mae on the last 5 files is 100% higher (+100% to +100%) than on the first 5 after "
        "training; `perennial replay shop` says whether retraining would pay"
    )


def test_rmse_is_compared_as_the_root():
    assert judged([1.0] * 10 + [4.0] * 10, "rmse").change == pytest.approx(1)


def test_files_that_differ_widen_the_interval():
    chance = np.random.default_rng(0)
    calm = judged(1 + 0.01 * chance.normal(size=40))
    wild = judged(1 + 0.3 * chance.normal(size=40))
    assert wild.high - wild.low > 10 * (calm.high - calm.low)
    assert wild.low < 0 < wild.high
    assert wild.sentence.endswith("which may be chance")


def test_a_model_that_gets_better_is_told_so():
    found = judged([2.0] * 10 + [1.0] * 10)
    assert "is 50% lower (-50% to -50%)" in found.sentence
    assert found.sentence.endswith("it does not age")


@pytest.mark.parametrize("files", [0, 1, 7])
def test_of_few_files_nothing_is_said(files):
    found = judged([1.0] * files)
    assert (found.files, found.compared, found.change) == (files, 0, None)
    assert "it takes 8 to say how it ages" in found.sentence


def test_files_without_labelled_rows_do_no_harm():
    found = judged([1.0] * 12, rows=0)
    assert found.first == 0
