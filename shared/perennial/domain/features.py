"""What an estimator sees of each column. It all lies inside the model, and so inside the graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from perennial.domain.calendar import CalendarParts
from perennial.domain.manifest import Input
from perennial.domain.standardise import Standardise
from perennial.domain.tfidf import token_tfidf

MAX_CATEGORIES = 64
"""Categories of a column with a feature of their own, the most frequent ones; all others, unseen
ones included, look alike: none of these."""


def as_frame(tensors: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Tensors of shape [N, 1] as the frame that a model's pipeline reads, a column for each."""
    return pd.DataFrame({name: values.ravel() for name, values in tensors.items()})


def numeric_tensors(inputs: Sequence[Input]) -> list[str]:
    """Tensors of the numbers and booleans: a tree model's first features, in this order."""
    return [i.tensor for i in inputs if i.type in ("integer", "number", "boolean")]


def features_for(model: str, inputs: Sequence[Input], rows: pd.DataFrame) -> ColumnTransformer:
    """The unfitted transformation of encoded rows into features.

    - Trees (`hist_gradient_boosting`) take numbers as they are, missing ones included.
    - Linear models take them standardised, with medians and a flag for missing ones.
    - A category is one-hot, a missing one being a category like any other.
    - A time is its hour, weekday and month, as numbers.
    - A text (linear models only) is TF-IDF of words and pairs of words.

    Args:
        model: `training.model` of the definition.
        inputs: the columns that the model reads.
        rows: the training rows, as `as_frame` gives them.
    """
    linear = model == "linear"
    numbers = numeric_tensors(inputs)
    times = [i.tensor for i in inputs if i.type == "timestamp"]
    categories = [i.tensor for i in inputs if i.type == "category"]
    steps: list[tuple[str, object, object]] = []
    if numbers:
        steps.append(("numbers", Standardise() if linear else "passthrough", numbers))
    if times:
        parts = CalendarParts()
        steps.append(("times", make_pipeline(parts, Standardise()) if linear else parts, times))
    if categories:
        known = [_most_frequent(rows[name]) for name in categories]
        one_hot = OneHotEncoder(
            categories=known, handle_unknown="ignore", dtype=np.float32, sparse_output=linear
        )
        steps.append(("categories", one_hot, categories))
    texts = [i.tensor for i in inputs if i.type == "text"]
    steps.extend((f"text {text}", token_tfidf(rows[text]), text) for text in texts)
    return ColumnTransformer(steps, sparse_threshold=1.0 if linear else 0.0)


def _most_frequent(values: Iterable[str]) -> NDArray[np.object_]:
    counts = pd.Series(values).value_counts()
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return np.array(sorted(name for name, _ in ranked[:MAX_CATEGORIES]), dtype=object)
