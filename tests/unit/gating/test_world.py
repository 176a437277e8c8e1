"""In a made-up world each model costs what it is to cost, or the trials would prove nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.scoring import row_losses
from perennial.domain.gating.learners import by_kind
from perennial.domain.gating.world import CHAMPION, World

Define = Callable[..., Definition]
METRICS = [
    ("binary", "log_loss"),
    ("binary", "brier"),
    ("multiclass", "log_loss"),
    ("multiclass", "brier"),
    ("regression", "mae"),
    ("regression", "rmse"),
]


def loss(world: World, answers: np.ndarray) -> float:
    metric = world.definition.metric
    mean = row_losses(metric, world.labels, answers, world.classes).mean()
    return float(mean**0.5 if metric == "rmse" else mean)


@pytest.mark.parametrize(("task", "metric"), METRICS)
@pytest.mark.parametrize("quality", [0.8, 1.0, 1.275])
def test_answers_cost_what_they_are_to_cost(
    define: Define, task: str, metric: str, quality: float
) -> None:
    world = World.make(define(task, metric=metric), 0)
    expected = quality * CHAMPION * world.constant_loss
    assert loss(world, world.answers(quality, stream=1)) == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize(("task", "metric"), METRICS)
def test_rows_differ_in_difficulty_and_models_in_where_they_err(
    define: Define, task: str, metric: str
) -> None:
    world = World.make(define(task, metric=metric), 0)
    one, other = (
        row_losses(metric, world.labels, world.answers(1.0, stream=stream), world.classes)
        for stream in (1, 2)
    )
    assert one.std() > 0.2 * one.mean()
    assert 0.2 < np.corrcoef(one, other)[0, 1] < 0.8


@pytest.mark.parametrize(("task", "metric"), METRICS)
def test_there_is_something_to_learn_which_shuffling_hides(
    define: Define, task: str, metric: str
) -> None:
    """So a challenger that learned from shuffled labels fails because of the shuffling."""
    world = World.make(define(task, metric=metric), 0)
    trained, rest = world.frames[0], world.frames[1]
    honest = by_kind(world.definition, trained)
    losses = row_losses(metric, rest["y"].to_numpy(), honest.predict(rest), honest.classes)
    assert losses.mean() < 0.2 * world.constant_loss


def test_it_has_the_settings_that_are_tried_and_no_floors(define: Define) -> None:
    tried = define("regression", metric="rmse", tolerance=0.1, min_duel_rows=77, floors={"mae": 9})
    made = World.make(tried, 0).definition
    assert (made.task, made.metric) == ("regression", "rmse")
    assert (made.promotion.tolerance, made.promotion.min_duel_rows) == (0.1, 77)
    assert made.promotion.floors == {}
    assert made.promotion.surprise is None
