"""Models of one's own: `training.model: package.module:factory`, and what a factory must return.

A factory is called with the definition's `parameters` as keyword arguments, and with the seed as
`random_state` or `seed` where it takes one of these. It returns an unfitted scikit-learn estimator:
a classifier with `predict_proba` for binary and multiclass, a regressor for regression. What that
sees of the columns is said in `perennial.domain.modelling.features`.

A name is data until somebody looks it up, and a process that nobody taught to do so refuses. So it
is one setting of a process, as `sys.path` is, and no argument that every training would pass on.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor

from perennial.domain.definitions.recipe import Task, Training
from perennial.errors import DefinitionError, RefusedError

Factory = Callable[..., object]
LookUp = Callable[[str], Factory]
"""From `package.module:factory` to the factory; raises `UserError` for what may not be, or is not
there."""

SEEDS = ("random_state", "seed")
"""Parameters by which a factory is given the seed, the first that it has."""

_PLACE = "training.model"


def nobody_looks_up(name: str) -> Factory:
    """How a process looks up factories that may import none. Raises `RefusedError`."""
    raise RefusedError(f"{_PLACE}: {name} cannot be imported here: no model package is allowed")


_look_up: LookUp = nobody_looks_up


def look_up_with(look_up: LookUp) -> None:
    """Say how this process finds factories; whoever wires it does so once."""
    global _look_up
    _look_up = look_up


def current_look_up() -> LookUp:
    """How this process finds factories, to be handed to a process that it starts."""
    return _look_up


def own_estimator(task: Task, training: Training, seed: int) -> BaseEstimator:
    """The unfitted estimator that a definition's factory makes.

    Every `random_state` that the factory leaves open becomes the seed, at any depth: the same rows
    and seed must give the same model.

    Raises:
        RefusedError: when this process may not import the factory.
        DefinitionError: when there is none, or what it returns cannot be trained here.
    """
    name = training.model
    factory = _look_up(name)
    given = dict(training.parameters) | _seed(factory, training.parameters, seed)
    try:
        made = factory(**given)
    except Exception as error:
        # The factory is its author's code: whatever it raises is the answer to a wrong call.
        raise DefinitionError(
            f"{_PLACE}: {name}({', '.join(given)}) raises {type(error).__name__}: {error}"
        ) from error
    estimator = _unfitted(name, made)
    _check_task(name, estimator, task)
    left_open = {
        parameter: seed
        for parameter, value in estimator.get_params().items()
        if value is None and parameter.split("__")[-1] == "random_state"
    }
    return estimator.set_params(**left_open)


def _seed(factory: Factory, parameters: Mapping[str, object], seed: int) -> dict[str, object]:
    try:
        taken = inspect.signature(factory).parameters
    except (TypeError, ValueError):  # of something that is not written in Python
        return {}
    wanted = next((name for name in SEEDS if name in taken), None)
    return {wanted: seed} if wanted and wanted not in parameters else {}


def _unfitted(name: str, made: object) -> BaseEstimator:
    if isinstance(made, BaseEstimator):
        try:
            return clone(made)
        except (TypeError, RuntimeError) as error:
            raise DefinitionError(
                f"{_PLACE}: {name} returns a {type(made).__name__} that scikit-learn cannot clone: "
                f"{error}"
            ) from error
    called = "the class itself, not called" if isinstance(made, type) else type(made).__name__
    raise DefinitionError(
        f"{_PLACE}: expected {name} to return a scikit-learn estimator, found {called}"
    )


def _check_task(name: str, estimator: BaseEstimator, task: Task) -> None:
    expected = "regressor" if task == "regression" else "classifier"
    if not (is_regressor if task == "regression" else is_classifier)(estimator):
        raise DefinitionError(
            f"{_PLACE}: expected a {expected} for task {task}, {name} returns "
            f"{type(estimator).__name__}"
        )


def check_fitted(training: Training, task: Task, estimator: BaseEstimator) -> None:
    """See that a fitted classifier gives probabilities; what wraps others only knows by then.

    Raises:
        DefinitionError: when it does not.
    """
    if task != "regression" and not hasattr(estimator, "predict_proba"):
        raise DefinitionError(
            f"{_PLACE}: expected a classifier with predict_proba, {training.model} returns "
            f"{type(estimator).__name__} without: choose a loss that has it, or wrap it in "
            "CalibratedClassifierCV"
        )


def tensors_for(name: str, columns: Any, tensors: Mapping[str, str]) -> Any:
    """The tensors that carry the columns which a pipeline of one's own names.

    Args:
        name: of the factory, for messages.
        columns: as a `ColumnTransformer` takes them: a name, a list of names, or anything else,
            which is left alone.
        tensors: for each column's name its tensor.

    Raises:
        DefinitionError: for a column that models of the definition do not read.
    """
    if isinstance(columns, str):
        if columns in tensors:
            return tensors[columns]
        near = get_close_matches(columns, tensors, n=1)
        advice = f"did you mean {near[0]}?" if near else f"they are {', '.join(tensors)}"
        raise DefinitionError(
            f"{_PLACE}: the pipeline of {name} reads the column {columns}, which is none of the "
            f"definition's features; {advice}"
        )
    if isinstance(columns, list) and all(isinstance(column, str) for column in columns):
        return [tensors_for(name, column, tensors) for column in columns]
    return columns
