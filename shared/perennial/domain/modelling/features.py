"""What an estimator sees of each column. It all lies inside the model, and so inside the graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.utils import get_tags

from perennial.domain.definitions.own_models import tensors_for
from perennial.domain.modelling.calendar import CalendarParts
from perennial.domain.modelling.inputs import MISSING_TIME, NUMERIC
from perennial.domain.modelling.standardise import Standardise
from perennial.domain.modelling.tfidf import token_tfidf
from perennial.domain.versioning.manifest import Input
from perennial.errors import NotTrainable

NUMBERS = "numbers"
"""Name of the step that takes the numbers and booleans."""

MAX_CATEGORIES = 256
"""Categories of a column that get a one-hot feature, the most frequent ones."""

UNSEEN_CATEGORY = -1
"""Code of a category that training never saw, where categories are numbers."""


def as_frame(tensors: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Tensors of shape [N, 1] as the frame that a model's pipeline reads, a column for each."""
    return pd.DataFrame({name: values.ravel() for name, values in tensors.items()})


def numeric_features(features: ColumnTransformer) -> list[str]:
    """Tensors that are features as they are: a tree model's first ones, in this order."""
    for name, step, columns in features.transformers[:1]:
        if name == NUMBERS and step == "passthrough" and isinstance(columns, list):
            return columns
    return []


@dataclass(frozen=True, slots=True)
class Appetite:
    """What an estimator can take.

    Attributes:
        gaps: it takes missing values, as trees do: it sees numbers as they are and categories as
            places.
        sparse: it takes sparse features.
        exact: numbers that are scaled for it must not differ from the graph's in any bit, because
            it may split, count or compare them.
    """

    gaps: bool
    sparse: bool = False
    exact: bool = False


APPETITES = {
    "hist_gradient_boosting": Appetite(gaps=True),
    "linear": Appetite(gaps=False, sparse=True),
}


def pipeline_for(
    model: str, estimator: BaseEstimator, inputs: Sequence[Input], rows: pd.DataFrame
) -> Pipeline:
    """The unfitted pipeline from a frame of encoded rows to predictions.

    A pipeline of one's own that begins with a `ColumnTransformer` reads the columns by itself,
    under their names in the definition: float32 numbers with NaN, text of categories ("" where
    missing) and of normalised texts, times as int64 seconds since 1970. Any other estimator stands
    behind features of ours: what says by scikit-learn's tags that it takes missing values sees what
    `hist_gradient_boosting` does, unless there are texts, and all others see what `linear` does.

    Args:
        model: `training.model` of the definition.
        estimator: the unfitted estimator.
        inputs: the columns that the model reads.
        rows: the training rows, as `as_frame` gives them.

    Raises:
        NotTrainable: when no column has a value.
        DefinitionError: when a pipeline of one's own reads a column that models do not read.
    """
    if isinstance(estimator, Pipeline) and isinstance(estimator[0], ColumnTransformer):
        tensors = {one.name: one.tensor for one in inputs}
        steps = [
            (name, step, tensors_for(model, columns, tensors))
            for name, step, columns in estimator[0].transformers
        ]
        return estimator.set_params(**{f"{estimator.steps[0][0]}__transformers": steps})
    appetite = APPETITES.get(model) or _appetite(estimator, inputs)
    return Pipeline([
        ("features", features_for(appetite, inputs, rows)),
        ("estimator", estimator),
    ])  # fmt: skip


def _appetite(estimator: BaseEstimator, inputs: Sequence[Input]) -> Appetite:
    tags = get_tags(estimator).input_tags
    texts = any(one.type == "text" for one in inputs)
    # Only texts are worth it: not all that learns from sparse features also has a graph then.
    return Appetite(gaps=tags.allow_nan and not texts, sparse=tags.sparse and texts, exact=True)


def features_for(
    appetite: Appetite, inputs: Sequence[Input], rows: pd.DataFrame
) -> ColumnTransformer:
    """The unfitted transformation of encoded rows into features.

    What takes gaps, as trees do, takes numbers as they are, missing ones included, and
    categories as their place in alphabetical order: with 20 rows at least in a leaf, one-hot
    columns leave rare categories unlearned (measured with 60 simulated categories: mean error
    .53 against .71 in 500 rows, .33 against .32 in 5,000).

    All else, as linear models, takes numbers standardised, with medians and a flag for missing
    ones; categories one-hot, rare and unseen ones being none of them; texts as TF-IDF of words and
    pairs of words.

    For both a missing category is a category like any other, a time is its hour, weekday and
    month, as numbers, and numbers and times without any value in training are left out.

    Args:
        appetite: what the estimator can take.
        inputs: the columns that the model reads.
        rows: the training rows, as `as_frame` gives them.

    Raises:
        NotTrainable: when no column has a value.
    """
    scaled = not appetite.gaps
    numbers = [i.tensor for i in inputs if i.type in NUMERIC and rows[i.tensor].notna().any()]
    times = [
        i.tensor for i in inputs if i.type == "timestamp" and (rows[i.tensor] != MISSING_TIME).any()
    ]
    categories = [i.tensor for i in inputs if i.type == "category"]
    steps: list[tuple[str, object, object]] = []
    if numbers:
        step = Standardise(appetite.exact) if scaled else "passthrough"
        steps.append((NUMBERS, step, numbers))
    if times:
        parts = CalendarParts()
        step = make_pipeline(parts, Standardise(appetite.exact)) if scaled else parts
        steps.append(("times", step, times))
    if categories:
        encoder = _one_hot(rows[categories]) if scaled else _ordinal()
        steps.append(("categories", encoder, categories))
    texts = [i.tensor for i in inputs if i.type == "text"]
    steps.extend((f"text {text}", token_tfidf(rows[text]), text) for text in texts)
    if not steps:
        raise NotTrainable("there is nothing to learn from: no column has a value")
    return ColumnTransformer(steps, sparse_threshold=1.0 if scaled and appetite.sparse else 0.0)


def _ordinal() -> OrdinalEncoder:
    return OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=UNSEEN_CATEGORY, dtype=np.float32
    )


def _one_hot(columns: pd.DataFrame) -> OneHotEncoder:
    known = [_most_frequent(columns[name]) for name in columns]
    return OneHotEncoder(categories=known, handle_unknown="ignore", dtype=np.float32)


def _most_frequent(values: Iterable[str]) -> NDArray[np.object_]:
    counts = pd.Series(values).value_counts()
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return np.array(sorted(name for name, _ in ranked[:MAX_CATEGORIES]), dtype=object)
