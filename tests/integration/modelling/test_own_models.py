"""Models of one's own have the graph that they are, whatever estimator a factory returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, SGDClassifier, SGDRegressor
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from perennial.adapters.onnx_export import export
from perennial.adapters.parity import check_parity
from perennial.domain.definitions import own_models
from perennial.domain.modelling.frames import columns_of
from perennial.domain.modelling.inputs import encode
from perennial.domain.modelling.probes import probes
from perennial.domain.modelling.training import fit
from perennial.domain.modelling.trees import trees_of
from perennial.errors import GateFailed, ModelError

from .conftest import Case, define, draw, label

REGRESSORS: dict[str, Callable[[], Any]] = {
    "forest": lambda: RandomForestRegressor(8),
    "extra trees": lambda: ExtraTreesRegressor(8),
    "tree": DecisionTreeRegressor,
    "bagging": lambda: BaggingRegressor(n_estimators=5),
    "boosting": lambda: GradientBoostingRegressor(n_estimators=30),
    "support vectors": SVR,
    "descent": SGDRegressor,
    "lasso": Lasso,
    "elastic net": ElasticNet,
    "network": lambda: MLPRegressor(hidden_layer_sizes=(10,), max_iter=60),
    "neighbours": KNeighborsRegressor,
    "vote": lambda: VotingRegressor(
        [("a", RandomForestRegressor(5)), ("b", HistGradientBoostingRegressor(max_iter=10))]
    ),
    "imputed forest": lambda: make_pipeline(SimpleImputer(), RandomForestRegressor(8)),
    "own features": lambda: make_pipeline(
        make_column_transformer(
            (StandardScaler(), ["number"]),
            (SimpleImputer(), ["integer"]),
            (OneHotEncoder(handle_unknown="ignore"), ["category"]),
        ),
        RandomForestRegressor(8),
    ),
}
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "forest": lambda: RandomForestClassifier(8),
    "extra trees": lambda: ExtraTreesClassifier(8),
    "tree": DecisionTreeClassifier,
    "boosting": lambda: GradientBoostingClassifier(n_estimators=10),
    "support vectors": lambda: CalibratedClassifierCV(SVC()),
    "linear support vectors": lambda: CalibratedClassifierCV(LinearSVC()),
    "descent": lambda: SGDClassifier(loss="log_loss"),
    "network": lambda: MLPClassifier((10,), max_iter=60),
    "neighbours": KNeighborsClassifier,
    "stack": lambda: StackingClassifier(
        [("a", RandomForestClassifier(5)), ("b", LogisticRegression())]
    ),
}
CASES = [
    *(("regression", name) for name in REGRESSORS),
    *((task, name) for task in ("binary", "multiclass") for name in CLASSIFIERS),
]


@pytest.fixture
def made() -> Iterator[Callable[..., Case]]:
    """Makes a case of a factory."""

    def make(task: str, factory: Callable[..., Any], *, text: bool = False) -> Case:
        own_models.look_up_with(lambda _: factory)
        definition = define(task, "linear" if text else "hist_gradient_boosting")
        training = definition.training.model_copy(update={"model": "house.models:make"})
        definition = definition.model_copy(update={"training": training})
        model = fit(definition, label(draw(600, seed=0), task))
        return Case(definition, model, label(draw(150, seed=1), task))

    yield make
    own_models.look_up_with(own_models.nobody_looks_up)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("task", "name"), CASES)
def test_graph_and_model_agree(made: Callable[..., Case], task: str, name: str) -> None:
    """Gaps, unseen categories and all, and of trees at every split."""
    case = made(task, (REGRESSORS if task == "regression" else CLASSIFIERS)[name])
    report = check_parity(case.model, export(case.model), case.fresh)
    assert report["largest_difference"] <= report["tolerance"]
    assert report["probes"] > 100


def test_texts_are_for_any_estimator_that_takes_sparse_features(made: Callable[..., Case]) -> None:
    case = made("binary", lambda: RandomForestClassifier(8), text=True)
    assert case.model.text
    check_parity(case.model, export(case.model), case.fresh)


def test_probes_stand_on_the_splits_of_a_forest(made: Callable[..., Case]) -> None:
    """And thresholds are float32, as in the graph, so that they can stand there."""
    model = (case := made("regression", lambda: RandomForestRegressor(5))).model
    tensor = next(one.tensor for one in model.inputs if one.name == "number")
    given = encode(model.inputs, columns_of(model.inputs, case.fresh))
    values = set(probes(model, given)[tensor].ravel().tolist())
    nodes = np.concatenate(trees_of(model.pipeline[-1]))
    splits = nodes["num_threshold"][(nodes["is_leaf"] == 0) & (nodes["feature_idx"] == 0)]
    assert (splits == splits.astype(np.float32)).all()
    finite = splits[np.isfinite(splits)]
    assert len(finite) > 50
    assert set(finite.tolist()) <= values


def test_gaps_go_where_the_trees_send_them_or_the_gate_stays_shut(
    made: Callable[..., Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    """skl2onnx alone would send all of them to the right."""
    case = made("regression", lambda: RandomForestRegressor(5))
    check_parity(case.model, export(case.model), case.fresh)
    monkeypatch.setattr("perennial.adapters.onnx_export.route_missing", lambda *_: None)
    with pytest.raises(GateFailed, match="graph and model disagree"):
        check_parity(case.model, export(case.model), case.fresh)


def test_what_has_no_graph_is_refused_in_one_line(made: Callable[..., Case]) -> None:
    from sklearn.semi_supervised import LabelSpreading

    case = made("binary", LabelSpreading)
    with pytest.raises(ModelError, match=r"has no graph: .*LabelSpreading") as error:
        export(case.model)
    assert "\n" not in str(error.value)


def test_the_same_seed_gives_the_same_graph_also_where_the_factory_forgets_it(
    made: Callable[..., Case],
) -> None:
    first, second = (
        export(
            made(
                "binary", lambda: make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=5))
            ).model
        )
        for _ in range(2)
    )
    assert first.graph == second.graph
