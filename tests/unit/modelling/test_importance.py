"""Columns that a model needs are told from those that it does not, on rows it has not learned."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from perennial.domain.evaluation.scoring import row_losses
from perennial.domain.modelling import importance
from perennial.domain.modelling.importance import Importances, importances
from perennial.domain.modelling.training import fit
from perennial.domain.versioning.card import needs

from .conftest import Define

COLUMNS = {
    "noise": {"type": "number"},
    "x": {"type": "number"},
    "constant": {"type": "integer"},
    "shop": {"type": "category", "nullable": True},
}


def rows(count: int, seed: int = 0) -> pd.DataFrame:
    """The label is 3 x + 5 in shop b, give or take 1; `noise` has nothing to do with it."""
    chance = np.random.default_rng(seed)
    x, shop = chance.normal(size=count), chance.choice(["a", "b", None], size=count)
    return pd.DataFrame({
        "noise": chance.normal(size=count),
        "x": x,
        "constant": np.full(count, 7),
        "shop": shop,
        "y": 3 * x + 5 * (shop == "b") + chance.normal(size=count),
    })  # fmt: skip


def measure(define: Define, *, held_out: int = 200, seed: int = 0, **parts: object) -> Importances:
    definition = define(columns=COLUMNS, **parts)
    frame = rows(1_000 + held_out, seed)
    if definition.task == "binary":
        frame["y"] = frame["y"] > 0
    found = importances(definition, fit(definition, frame[:1_000]), frame[1_000:])
    assert found is not None
    return found


@pytest.mark.parametrize("model", ["linear", "hist_gradient_boosting"])
@pytest.mark.parametrize(
    ("task", "metric"),
    [("regression", "mae"), ("regression", "rmse"), ("binary", "log_loss"), ("binary", "brier")],
)
def test_what_helps_is_told_from_what_does_not(
    define: Define, model: str, task: str, metric: str
) -> None:
    found = measure(define, task=task, training={"model": model}, promotion={"metric": metric})

    verdicts = {one.column: one.verdict for one in found.columns}
    assert verdicts["x"] == verdicts["shop"] == "helps"
    assert verdicts["noise"] != "helps"
    assert verdicts["constant"] == "unproven"
    assert set(found.document()["not_proven_to_help"]) == {"noise", "constant"}


def test_noise_is_seldom_said_to_help(define: Define) -> None:
    """An interval of 95 % errs on this side once in forty times."""
    errors = 0
    for seed in range(40):
        found = measure(define, seed=seed, training={"model": "linear"})
        errors += any(one.column == "noise" and one.verdict == "helps" for one in found.columns)

    assert errors <= 4


def test_the_rise_is_that_of_the_metric_when_one_column_is_shuffled(define: Define) -> None:
    """The batch gives what one gets who shuffles one column after the other."""
    definition = define(columns=COLUMNS, promotion={"metric": "rmse"})
    frame = rows(300)
    model, held_out = fit(definition, frame[:200]), frame[200:]
    truth = held_out["y"].to_numpy()
    found = importances(definition, model, held_out)
    assert found is not None
    one = next(one for one in found.columns if one.column == "x")

    squares = []
    for order in importance._orders(100, seed=0):
        shuffled = held_out.assign(x=held_out["x"].to_numpy()[order])
        squares.append(row_losses("rmse", truth, model.predict(shuffled)))
    usual = row_losses("rmse", truth, model.predict(held_out)).mean() ** 0.5

    assert found.loss == pytest.approx(usual)
    assert one.rise == pytest.approx(np.mean(squares) ** 0.5 - usual)
    assert one.low < one.rise < one.high


def test_the_newest_rows_are_used_as_many_as_the_cost_allows(
    define: Define, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = define(columns=COLUMNS, training={"model": "linear"})
    frame = rows(6_000)
    model = fit(definition, frame[:1_000])
    held_out = frame[1_000:]
    found = importances(definition, model, held_out)
    alone = importances(definition, model, held_out.tail(importance.MAX_ROWS))
    assert found is not None
    assert alone is not None
    assert (found.rows, found.held_out) == (importance.MAX_ROWS, 5_000)
    assert found.columns == alone.columns
    assert "on the newest 2,000 of 5,000 held-out rows" in needs(found.document())

    monkeypatch.setattr(importance, "MAX_ANSWERS", 4 * importance.PERMUTATIONS * 30)
    wide = importances(definition, model, held_out)
    assert wide is not None
    assert wide.rows == 30


@pytest.mark.parametrize("count", [0, 1])
def test_rows_that_cannot_be_shuffled_say_nothing(define: Define, count: int) -> None:
    definition = define(columns=COLUMNS)
    frame = rows(100)

    assert importances(definition, fit(definition, frame), frame[:count]) is None


def test_it_is_the_same_every_time_and_ready_for_json(define: Define) -> None:
    once, again = measure(define).document(), measure(define).document()

    assert json.dumps(once) == json.dumps(again)
    assert [one["column"] for one in once["columns"]][:2] == ["x", "shop"]


def test_the_card_says_what_is_needed(define: Define) -> None:
    told = needs(measure(define).document())

    assert told.startswith("x (mae +")
    assert "not proven to help: " in told
    assert "noise" in told.split("not proven to help: ")[1]
    assert "on the 200 held-out rows" in told
    assert needs(None) == "not measured, because no rows were held out"
