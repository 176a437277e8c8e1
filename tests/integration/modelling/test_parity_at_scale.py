"""Graph and model agree on many rows, every threshold and both its neighbours among them.

`make parity` asks 100,000 rows of each kind and prints what it found; `make test` asks fewer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from skl2onnx import to_onnx
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.neural_network import MLPClassifier

from perennial.adapters.graph import Graph
from perennial.adapters.onnx_export import export
from perennial.adapters.parity import check_parity, tolerance_for
from perennial.domain.definitions import own_models
from perennial.domain.definitions.definition import Definition
from perennial.domain.modelling.features import numeric_features
from perennial.domain.modelling.frames import columns_of
from perennial.domain.modelling.inputs import encode
from perennial.domain.modelling.predictions import likeliest
from perennial.domain.modelling.probes import probes
from perennial.domain.modelling.training import Model, fit
from perennial.domain.modelling.trees import trees_of
from perennial.errors import GateFailed, NotTrainable

from .conftest import Case, define, draw, label

ROWS = int(os.environ.get("PERENNIAL_TEST_PARITY_ROWS", "3000"))

OWN: dict[str, tuple[str, Callable[[], Any]]] = {
    "forest": ("multiclass", lambda: RandomForestClassifier(20)),
    "forest of numbers": ("regression", lambda: RandomForestRegressor(20)),
    "extra trees": ("binary", lambda: ExtraTreesClassifier(20)),
    "boosting": ("regression", GradientBoostingRegressor),
    "network": ("binary", lambda: MLPClassifier((10,), max_iter=60)),
}
"""Estimators of one's own, and for which task."""


def thresholds(model: Model) -> dict[str, NDArray[np.float32]]:
    """Where the trees split the numbers that they see as they are, by tensor."""
    numbers = numeric_features(model.pipeline[0]) if len(model.pipeline) == 2 else []
    trees = trees_of(model.pipeline[-1])
    if not numbers or not trees:
        return {}
    nodes = np.concatenate(trees)
    nodes = nodes[(nodes["is_leaf"] == 0) & np.isfinite(nodes["num_threshold"])]
    assert (nodes["num_threshold"] == nodes["num_threshold"].astype(np.float32)).all()
    return {
        tensor: np.unique(nodes["num_threshold"][nodes["feature_idx"] == place]).astype(np.float32)
        for place, tensor in enumerate(numbers)
    }


def asked(case: Case, rows: int) -> dict[str, NDArray[Any]]:
    """Rows as they come, half of them with a number on a split or right beside it; and probes."""
    fresh = label(draw(rows, seed=3), case.definition.task)
    fresh.loc[:: rows // 50, "category"] = "never seen"
    fresh.loc[1 :: rows // 50, "text"] = "nie geséhen, 日本語!"
    given = encode(case.model.inputs, columns_of(case.model.inputs, fresh))
    probing = probes(case.model, given)
    for tensor, on in thresholds(case.model).items():
        beside = [np.nextafter(on, np.float32(end)) for end in (-np.inf, np.inf)]
        pool = np.concatenate([on, *beside])
        if pool.size:
            places = np.random.default_rng(4).permutation(np.arange(rows // 2, rows))
            at = places[: max(rows // 4, min(pool.size, places.size))]
            given[tensor][at, 0] = np.resize(pool, at.size)
            assert pool.size > at.size or set(pool.tolist()) <= set(given[tensor].ravel().tolist())
    return {name: np.concatenate([given[name], probing[name]]) for name in given}


def compare(case: Case, rows: int) -> str:
    """What was found, in a line; the assertions are the promise."""
    artefact = export(case.model)
    check_parity(case.model, artefact, case.fresh)
    tensors = asked(case, rows)
    expected = case.model.answer(tensors)
    found = Graph(artefact.graph, artefact).run(tensors)
    difference = np.abs(found - expected)
    assert (difference <= tolerance_for(expected, span=float(np.ptp(expected[:rows])))).all()
    flips = 0
    if expected.ndim > 1:
        labels = likeliest(found)
        flips = int((labels != expected.argmax(axis=1)).sum())
        assert difference.max() <= 1e-5
    assert flips == 0
    splits = sum(len(on) for on in thresholds(case.model).values())
    return (
        f"{len(expected):,} rows ({splits:,} distinct splits of numbers), {flips} flips, "
        f"largest difference {difference.max():.1e}"
    )


def test_every_kind_agrees_on_every_row(case: Any, request: pytest.FixtureRequest) -> None:
    print(f"\n{request.node.callspec.id}: {compare(case, ROWS)}")


@pytest.fixture
def _house() -> Iterator[None]:
    yield
    own_models.look_up_with(own_models.nobody_looks_up)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.usefixtures("_house")
@pytest.mark.parametrize("name", OWN)
def test_models_of_ones_own_agree_on_every_row(name: str) -> None:
    task, factory = OWN[name]
    own_models.look_up_with(lambda _: factory)
    definition = define(task, "hist_gradient_boosting")
    training = definition.training.model_copy(update={"model": "house.models:make"})
    definition = definition.model_copy(update={"training": training})
    model = fit(definition, label(draw(1500, seed=0), task))
    case = Case(definition, model, label(draw(300, seed=1), task))
    print(f"\n{task}-{name}: {compare(case, ROWS)}")


class TestWhatWouldDiffer:
    """Each is forced here, and refused where it belongs."""

    @pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
    def test_thresholds_that_were_not_rounded(self, task: str, monkeypatch: Any) -> None:
        """The graph's float32 threshold may lie above the model's, with a value between them."""
        monkeypatch.setattr("perennial.domain.modelling.training.round_thresholds", lambda _: None)
        definition = define(task, "hist_gradient_boosting")
        model = fit(definition, label(draw(1500, seed=0), task))
        with pytest.raises(GateFailed, match=r"disagree: .* on a probe"):
            check_parity(model, export(model), label(draw(300, seed=1), task))

    def test_a_column_that_float32_cannot_hold(self) -> None:
        """Epoch seconds: what is learned of them in double precision has another graph."""
        chance = np.random.default_rng(0)
        seconds = 1_700_000_000.0 + chance.integers(0, 200_000, 4000)
        hour = (seconds // 3600) % 24
        y = np.where((hour < 6) ^ (chance.random(4000) < 0.05), "yes", "no")
        free = HistGradientBoostingClassifier(random_state=0).fit(seconds[:, None], y)
        graph = to_onnx(free, seconds[:1, None].astype(np.float32), options={"zipmap": False})
        import onnxruntime

        session = onnxruntime.InferenceSession(graph.SerializeToString())
        labels = session.run(None, {"X": seconds[:, None].astype(np.float32)})[0]
        assert (labels != free.predict(seconds[:, None])).sum() > 0

        definition = Definition.model_validate({
            "name": "shop",
            "task": "binary",
            "columns": {"seconds": {"type": "integer"}, "y": {"type": "category", "role": "label"}},
        })  # fmt: skip
        with pytest.raises(NotTrainable, match="column seconds holds numbers such as"):
            fit(definition, pd.DataFrame({"seconds": seconds, "y": y}))
