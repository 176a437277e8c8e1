"""What each kind of model sees of each type of column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from perennial.domain.modelling.features import (
    APPETITES,
    MAX_CATEGORIES,
    UNSEEN_CATEGORY,
    as_frame,
    features_for,
    numeric_features,
)
from perennial.domain.modelling.inputs import MISSING_TIME
from perennial.domain.versioning.manifest import Input, InputType
from perennial.errors import NotTrainable

TREES, LINEAR = "hist_gradient_boosting", "linear"
NAN = np.nan


def inputs(*types: InputType) -> tuple[Input, ...]:
    return tuple(Input(f"column {n}", f"x{n}", type_) for n, type_ in enumerate(types))


def seen(model: str, types: tuple[InputType, ...], *columns: list[object]) -> np.ndarray:
    """What a model that learned these columns sees of them."""
    rows = as_frame({f"x{n}": np.array(values) for n, values in enumerate(columns)})
    found = features_for(APPETITES[model], inputs(*types), rows).fit_transform(rows)
    return found.toarray() if hasattr(found, "toarray") else found


def test_trees_see_numbers_as_they_are_and_categories_by_the_alphabet() -> None:
    found = seen(TREES, ("category", "number"), ["b", "", "a", "b"], [1.5, NAN, -2.0, 0.0])
    np.testing.assert_array_equal(found, [[1.5, 2], [NAN, 0], [-2, 1], [0, 2]])


def test_trees_see_a_category_that_they_never_learned_as_one_code() -> None:
    rows = pd.DataFrame({"x0": ["a", "b"]})
    features = features_for(APPETITES[TREES], inputs("category"), rows).fit(rows)
    found = features.transform(pd.DataFrame({"x0": ["c", "", "A"]}))
    assert found.ravel().tolist() == [UNSEEN_CATEGORY] * 3


def test_linear_models_see_a_flag_for_a_gap_and_a_column_for_each_category() -> None:
    found = seen(LINEAR, ("number", "category"), [1.0, 3.0, NAN, 2.0], ["b", "a", "", "b"])
    assert found.shape == (4, 2 + 3)
    assert found[:, 1].tolist() == [0, 0, 1, 0]
    assert found[:, 2:].tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1]]


def test_linear_models_weigh_the_most_frequent_categories_and_no_more() -> None:
    often = [f"often {n:03d}" for n in range(MAX_CATEGORIES)]
    found = seen(LINEAR, ("category",), [*often, *often, "rare"])
    assert found.shape == (2 * MAX_CATEGORIES + 1, MAX_CATEGORIES)
    assert found[-1].sum() == 0
    assert (found[:-1].sum(axis=1) == 1).all()


@pytest.mark.parametrize("model", [TREES, LINEAR])
def test_columns_without_any_value_are_left_out(model: str) -> None:
    alone = seen(model, ("number",), [1.0, 2.0])
    beside = seen(
        model, ("number", "boolean", "timestamp"), [1.0, 2.0], [NAN] * 2, [MISSING_TIME] * 2
    )
    np.testing.assert_array_equal(beside, alone)


@pytest.mark.parametrize("model", [TREES, LINEAR])
def test_nothing_to_learn_from_is_said(model: str) -> None:
    with pytest.raises(NotTrainable, match="no column has a value"):
        seen(model, ("number",), [NAN, NAN])


def test_the_first_features_of_trees_are_the_numbers_in_their_order() -> None:
    types: tuple[InputType, ...] = ("category", "integer", "timestamp", "boolean")
    rows = pd.DataFrame({"x0": ["a"], "x1": [1.0], "x2": [0], "x3": [1.0]})
    features = features_for(APPETITES[TREES], inputs(*types), rows).fit(rows)
    assert numeric_features(features) == ["x1", "x3"]
    assert features.transform(rows).tolist() == [[1, 1, 0, 3, 1, 0]]
