"""A definition's parameters reach scikit-learn, and thresholds fit into float32."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from perennial.domain.definitions.recipe import Training
from perennial.domain.modelling.estimators import estimator_for
from perennial.domain.modelling.trees import round_thresholds
from perennial.errors import DefinitionError


@pytest.mark.parametrize(
    ("task", "model", "kind"),
    [
        ("regression", "hist_gradient_boosting", HistGradientBoostingRegressor),
        ("binary", "hist_gradient_boosting", HistGradientBoostingClassifier),
        ("multiclass", "linear", LogisticRegression),
        ("regression", "linear", Ridge),
    ],
)
def test_task_and_model_choose_the_estimator(task: str, model: str, kind: type) -> None:
    estimator = estimator_for(task, Training(model=model), seed=7)  # type: ignore[arg-type]
    assert type(estimator) is kind
    assert estimator.random_state == 7


def test_boosting_learns_from_every_row_unless_told_otherwise() -> None:
    assert estimator_for("regression", Training(), 0).early_stopping is False
    training = Training(parameters={"early_stopping": True, "max_iter": 7})
    assert estimator_for("regression", training, 0).early_stopping is True
    assert estimator_for("regression", training, 0).max_iter == 7


def test_an_unknown_parameter_names_the_nearest() -> None:
    training = Training(parameters={"learning_rat": 0.1})
    with pytest.raises(DefinitionError, match=r"learning_rat: .* did you mean learning_rate\?"):
        estimator_for("binary", training, 0)


def test_a_parameter_like_no_other_lists_those_that_exist() -> None:
    with pytest.raises(DefinitionError, match="Ridge has no such parameter; it has alpha, "):
        estimator_for("regression", Training(model="linear", parameters={"zzz": 1}), 0)


def test_the_seed_is_not_a_parameter() -> None:
    with pytest.raises(DefinitionError, match=r"training\.seed"):
        estimator_for("binary", Training(parameters={"random_state": 1}), 0)


def test_rounding_thresholds_down_leaves_every_float32_prediction_as_it_was() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 2)).astype(np.float32)
    model = HistGradientBoostingRegressor(max_iter=20).fit(x, x[:, 0] * 3 + x[:, 1] ** 2)
    exact = np.concatenate([t.nodes["num_threshold"] for (t,) in model._predictors])
    near = np.unique(exact.astype(np.float32))
    near = np.concatenate([near, np.nextafter(near, np.inf), np.nextafter(near, -np.inf)])
    probes = np.column_stack([near, near[::-1]])
    before = model.predict(probes)
    round_thresholds(model)
    np.testing.assert_array_equal(model.predict(probes), before)
    rounded = np.concatenate([t.nodes["num_threshold"] for (t,) in model._predictors])
    assert (rounded == rounded.astype(np.float32)).all()
    assert (rounded <= exact).all()
    assert (rounded < exact).any(), "or this test shows nothing"
