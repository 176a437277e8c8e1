"""Rows with every type of column, gaps included, and a model for each task and kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from perennial.domain.definitions.definition import Definition
from perennial.domain.modelling.training import Model, fit

TASKS = ("regression", "binary", "multiclass")
KINDS = ("hist_gradient_boosting", "linear")
TEXTS = [
    "Check out my CHANNEL!!", "lovely séa song", "日本語 テキスト lovely", "", None, "a",
    "Ünder the séa: check it", "under the sea",
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A definition, the model of its training rows, and rows that the model has not seen."""

    definition: Definition
    model: Model
    fresh: pd.DataFrame


def draw(rows: int, seed: int) -> pd.DataFrame:
    """Rows of every type with a number, `y`, that depends on all of them."""
    rng = np.random.default_rng(seed)

    def gaps(values: object) -> pd.Series:
        return pd.Series(values, dtype=object).mask(rng.random(rows) < 0.1)

    times = pd.to_datetime(rng.integers(-(10**9), 2 * 10**9, rows), unit="s", utc=True)
    frame = pd.DataFrame({
        "number": rng.normal(20, 5, rows),
        "integer": gaps(rng.integers(0, 50, rows)).astype(float),
        "boolean": gaps(rng.random(rows) < 0.5),
        "category": gaps(rng.choice(["red", "blue", "grün ☃"], rows)),
        "text": rng.choice(np.array(TEXTS, dtype=object), rows),
        "event": times.as_unit("us"),
        "other": pd.Series(times).mask(rng.random(rows) < 0.1).dt.as_unit("us"),
    })  # fmt: skip
    frame["y"] = (
        frame["number"] / 5
        + frame["integer"].fillna(25) / 10
        + frame["boolean"].eq(True)
        + frame["category"].eq("red") * 3
        + frame["text"].str.contains("lovely").eq(True) * 2
        + frame["event"].dt.hour / 8
        + rng.normal(0, 0.1, rows)
        - 4
    )
    return frame


def define(task: str, kind: str, **training: object) -> Definition:
    """The definition of those rows."""
    label: dict[str, object] = {"type": "number", "rules": [{"range": [0, None]}]}
    if task != "regression":
        label = {"type": "category"}
    if task == "multiclass":
        label["classes"] = ["never", "high", "mid", "low"]
    columns = {
        name: {"type": name, "nullable": True}
        for name in ("number", "integer", "boolean", "category", "text")
    }
    if kind != "linear":
        columns["text"]["role"] = "ignore"
    columns["event"] = {"type": "timestamp", "role": "event_time"}
    columns["other"] = {"type": "timestamp", "nullable": True}
    columns["y"] = {**label, "role": "label"}
    return Definition.model_validate({
        "name": "shop", "task": task, "columns": columns, "training": {"model": kind, **training},
    })  # fmt: skip


def label(frame: pd.DataFrame, task: str) -> pd.DataFrame:
    """The rows with the label that a task needs."""
    if task == "regression":
        return frame.assign(y=frame["y"].clip(lower=0))
    cuts = [6.0] if task == "binary" else [5.0, 7.5]
    names = np.array(["low", "mid", "high"] if task == "multiclass" else ["no", "yes"])
    return frame.assign(y=names[np.digitize(frame["y"], cuts)])


def make_case(task: str, kind: str, **training: object) -> Case:
    definition = define(task, kind, **training)
    model = fit(definition, label(draw(1500, seed=0), task))
    fresh = label(draw(300, seed=1), task)
    fresh.loc[:20, "category"] = "never seen"
    return Case(definition, model, fresh)


@pytest.fixture(name="make_case", scope="session")
def make_case_fixture() -> Callable[..., Case]:
    """Makes a case of a task and a kind, with parameters."""
    return make_case


@pytest.fixture(scope="session", params=[(t, k) for t in TASKS for k in KINDS], ids="-".join)
def case(request: pytest.FixtureRequest) -> Case:
    """One case for each task and kind of model."""
    return make_case(*request.param)


@pytest.fixture(scope="session")
def boosted() -> Case:
    """A regression by gradient boosting."""
    return make_case("regression", "hist_gradient_boosting")
