"""The estimators that a definition can ask for."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from perennial.domain.definitions.own_models import own_estimator
from perennial.domain.definitions.recipe import Task, Training
from perennial.errors import DefinitionError

_REGRESSORS: Mapping[str, type[BaseEstimator]] = {
    "hist_gradient_boosting": HistGradientBoostingRegressor,
    "linear": Ridge,
}
_CLASSIFIERS: Mapping[str, type[BaseEstimator]] = {
    "hist_gradient_boosting": HistGradientBoostingClassifier,
    "linear": LogisticRegression,
}
_DEFAULTS: Mapping[type[BaseEstimator], Mapping[str, object]] = {
    # Early stopping would hold out a random tenth: rows that a model of drifting data needs.
    HistGradientBoostingRegressor: {"early_stopping": False},
    HistGradientBoostingClassifier: {"early_stopping": False},
    LogisticRegression: {"max_iter": 500},
    Ridge: {},
}


def estimator_for(task: Task, training: Training, seed: int) -> BaseEstimator:
    """The unfitted estimator, with the definition's parameters.

    Raises:
        RefusedError: when this process may not import the definition's factory.
        DefinitionError: for a parameter that the estimator does not have, naming the nearest, or
            for a factory that gives none.
    """
    if training.package:
        return own_estimator(task, training, seed)
    kinds = _REGRESSORS if task == "regression" else _CLASSIFIERS
    kind = kinds[training.model]
    known = sorted(set(kind().get_params()) - {"random_state"})
    for name in training.parameters:
        if name not in known:
            raise DefinitionError(_unknown(name, known, kind.__name__))
    return kind(**{**_DEFAULTS[kind], **training.parameters, "random_state": seed})


def _unknown(name: str, known: list[str], kind: str) -> str:
    place = f"training.parameters.{name}"
    if name == "random_state":
        return f"{place}: set training.seed instead"
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}"
    return f"{place}: scikit-learn's {kind} has no such parameter; {hint}"
