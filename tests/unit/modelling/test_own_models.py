"""What a factory is given, what it must return, and who may look it up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from perennial.domain.definitions import own_models
from perennial.domain.definitions.recipe import Training
from perennial.domain.modelling.estimators import estimator_for
from perennial.domain.modelling.rehearsing import made_up_rows
from perennial.domain.modelling.training import fit
from perennial.errors import DefinitionError, RefusedError

NAME = "house.models:make"


@pytest.fixture
def made() -> Iterator[Callable[..., Any]]:
    """The estimator of a factory."""

    def make(factory: object, task: str = "regression", **parameters: Any) -> Any:
        own_models.look_up_with(lambda _: factory)  # type: ignore[arg-type, return-value]
        return estimator_for(task, Training(model=NAME, parameters=parameters), seed=7)  # type: ignore[arg-type]

    yield make
    own_models.look_up_with(own_models.nobody_looks_up)


def test_parameters_are_keywords_and_so_is_the_seed(made: Callable[..., Any]) -> None:
    given: list[dict[str, Any]] = []

    def factory(alpha: float, seed: int) -> Ridge:
        given.append({"alpha": alpha, "seed": seed})
        return Ridge(alpha=alpha)

    assert made(factory, alpha=3).alpha == 3
    assert given == [{"alpha": 3, "seed": 7}]


def test_a_class_is_a_factory_and_gets_its_random_state(made: Callable[..., Any]) -> None:
    assert made(RandomForestRegressor, n_estimators=3).random_state == 7


def test_a_random_state_that_is_left_open_becomes_the_seed(made: Callable[..., Any]) -> None:
    forest = made(lambda: make_pipeline(RandomForestRegressor()))[-1]
    assert forest.random_state == 7
    assert made(lambda: RandomForestRegressor(random_state=1)).random_state == 1


def test_what_was_fitted_already_starts_anew(made: Callable[..., Any]) -> None:
    fitted = Ridge().fit([[0], [1]], [0, 1])
    assert not hasattr(made(lambda: fitted), "coef_")


def broken() -> Ridge:
    raise KeyError("price")


@pytest.mark.parametrize(
    ("factory", "task", "parameters", "message"),
    [
        (lambda: 5, "regression", {}, "to return a scikit-learn estimator, found int"),
        (lambda: Ridge, "regression", {}, "found the class itself, not called"),
        (broken, "regression", {}, rf"{NAME}\(\) raises KeyError: 'price'"),
        (Ridge, "regression", {"alfa": 1}, "raises TypeError: .*alfa"),
        (Ridge, "binary", {}, "expected a classifier for task binary, .* returns Ridge"),
        (RandomForestClassifier, "regression", {}, "expected a regressor for task regression"),
    ],
)  # fmt: skip
def test_what_gives_no_estimator_is_refused(
    made: Callable[..., Any], factory: object, task: str, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(DefinitionError, match=message):
        made(factory, task, **parameters)


def test_a_classifier_without_probabilities_is_refused(
    made: Callable[..., Any], define: Callable[..., Any]
) -> None:
    definition = define("binary", training={"model": NAME})
    own_models.look_up_with(lambda _: LinearSVC)
    with pytest.raises(DefinitionError, match=r"LinearSVC without: .* CalibratedClassifierCV"):
        fit(definition, made_up_rows(definition, 50, seed=0))


def test_a_pipeline_that_reads_a_column_nobody_has_is_told_the_nearest(
    made: Callable[..., Any], define: Callable[..., Any]
) -> None:
    definition = define(columns={"price": {"type": "number"}}, training={"model": NAME})
    numbers = make_column_transformer(("passthrough", ["prise"]))
    own_models.look_up_with(lambda _: lambda: make_pipeline(numbers, Ridge()))
    with pytest.raises(DefinitionError, match=r"reads the column prise, .* did you mean price\?"):
        fit(definition, made_up_rows(definition, 50, seed=0))


def test_a_process_that_was_taught_nothing_imports_nothing() -> None:
    with pytest.raises(RefusedError, match="os:system cannot be imported here"):
        estimator_for("regression", Training(model="os:system"), 0)


def test_made_up_rows_keep_to_types_rules_and_classes(define: Callable[..., Any]) -> None:
    columns = {
        "price": {"type": "number", "rules": [{"range": [5, 6]}], "nullable": True},
        "people": {"type": "integer", "rules": [{"range": [1, None]}]},
        "colour": {"type": "category", "rules": [{"allowed": ["red", "blue"]}]},
        "when": {"type": "timestamp", "role": "event_time"},
    }
    definition = define("multiclass", {"classes": ["a", "b", "c"]}, columns=columns)
    rows = made_up_rows(definition, 300, seed=0)
    assert list(rows) == [*columns, "y"]
    assert rows["price"].dropna().between(5, 6).all()
    assert 10 < rows["price"].isna().sum() < 60
    assert (rows["people"] >= 1).all()
    assert (rows["people"] % 1 == 0).all()
    assert set(rows["colour"]) == {"red", "blue"}
    assert set(rows["y"]) == {"a", "b", "c"}
    assert rows.equals(made_up_rows(definition, 300, seed=0))
