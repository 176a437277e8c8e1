"""Losses are scikit-learn's, row by row, and scores of parts add up to the score of the whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss, mean_absolute_error, mean_squared_error

from perennial.domain.definitions.definition import Definition
from perennial.domain.definitions.recipe import Metric
from perennial.domain.evaluation.scoring import (
    SMALLEST_PROBABILITY,
    Constant,
    Score,
    row_losses,
    score,
)

RNG = np.random.default_rng(0)
CLASSES = ("blue", "green", "red")
LABELS = RNG.choice(CLASSES, 500)
PROBABILITIES = RNG.dirichlet([1, 1, 1], 500)
VALUES = RNG.normal(size=500)
GUESSES = VALUES + RNG.normal(size=500)


def definition(task: str, label: dict[str, object], metric: str | None = None) -> Definition:
    return Definition.model_validate({
        "name": "shop",
        "task": task,
        "columns": {"x": {"type": "number"}, "y": {**label, "role": "label"}},
        "promotion": {"metric": metric},
    })  # fmt: skip


def test_log_loss_is_scikit_learns() -> None:
    found = row_losses("log_loss", LABELS, PROBABILITIES, CLASSES).mean()
    assert found == pytest.approx(log_loss(LABELS, PROBABILITIES, labels=CLASSES))


def test_brier_is_scikit_learns_for_two_classes_and_for_more() -> None:
    two = PROBABILITIES[:, :2] / PROBABILITIES[:, :2].sum(axis=1, keepdims=True)
    truth = RNG.integers(0, 2, 500)
    found = row_losses("brier", truth, two, (0, 1)).mean()
    assert found == pytest.approx(brier_score_loss(truth, two[:, 1]))
    found = row_losses("brier", LABELS, PROBABILITIES, CLASSES).mean()
    assert found == pytest.approx(brier_score_loss(LABELS, PROBABILITIES, labels=CLASSES))


def test_mae_and_rmse_are_scikit_learns() -> None:
    metrics = score("regression", VALUES, GUESSES).metrics()
    assert metrics["mae"] == pytest.approx(mean_absolute_error(VALUES, GUESSES))
    assert metrics["rmse"] == pytest.approx(mean_squared_error(VALUES, GUESSES) ** 0.5)


def test_a_class_that_the_model_excludes_costs_the_clip_and_not_infinity() -> None:
    sure = [[1.0, 0.0], [1.0, 0.0]]
    found = row_losses("log_loss", ["b", "never declared"], sure, ("a", "b"))
    np.testing.assert_allclose(found, -math.log(SMALLEST_PROBABILITY))
    assert row_losses("brier", ["never declared"], [[1.0, 0.0]], ("a", "b")) == pytest.approx(1)


def test_float32_probabilities_that_miss_one_are_made_to_add_up() -> None:
    found = row_losses("log_loss", [1], np.array([[0.2, 0.2]], dtype=np.float32), (0, 1))
    assert found == pytest.approx(math.log(2))


def test_accuracy_counts_the_likeliest_class() -> None:
    found = score(
        "binary", [True, True, False], [[0.4, 0.6], [0.7, 0.3], [0.9, 0.1]], (False, True)
    )
    assert found.metrics()["accuracy"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("cut", [0, 1, 250, 500])
def test_scores_of_two_parts_add_up_to_the_score_of_the_whole(cut: int) -> None:
    whole = score("multiclass", LABELS, PROBABILITIES, CLASSES)
    parts = score("multiclass", LABELS[:cut], PROBABILITIES[:cut], CLASSES) + score(
        "multiclass", LABELS[cut:], PROBABILITIES[cut:], CLASSES
    )
    assert parts.rows == whole.rows
    assert parts.metrics() == pytest.approx(whole.metrics())


def test_one_loss_is_what_all_metrics_say_of_it() -> None:
    some = score("regression", VALUES, GUESSES)
    for metric in ("mae", "rmse"):
        assert some.loss(metric) == some.metrics()[metric]
    assert some.loss("log_loss") is None


def test_a_score_of_no_rows_has_no_metrics_and_adds_nothing() -> None:
    some = score("regression", VALUES, GUESSES)
    assert Score().metrics() == {}
    assert Score().loss("mae") is None
    assert Score() + some == some


@pytest.mark.parametrize("metric", ["log_loss", "brier", "mae", "rmse"])
def test_no_rows_have_no_losses(metric: Metric) -> None:
    assert row_losses(metric, [], [], ()).shape == (0,)


def test_the_constant_of_a_classification_is_the_frequency_of_each_declared_class() -> None:
    label = {"type": "category", "classes": ["a", "b", "c"]}
    rival = Constant.fit(definition("multiclass", label), ["a", "a", "b", "a"])
    assert rival.classes == ("a", "b", "c")
    np.testing.assert_array_equal(rival.predict(2), [[0.75, 0.25, 0], [0.75, 0.25, 0]])


@pytest.mark.parametrize(("metric", "best"), [("mae", 2.0), ("rmse", 34.0)])
def test_the_constant_of_a_regression_is_what_its_metric_rewards(metric: str, best: float) -> None:
    rival = Constant.fit(definition("regression", {"type": "number"}, metric), [0, 2, 100])
    np.testing.assert_array_equal(rival.predict(3), [best] * 3)
