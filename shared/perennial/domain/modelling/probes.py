"""Rows on which a graph and its model would part first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.domain.modelling.features import as_frame, numeric_features
from perennial.domain.modelling.inputs import LARGEST, MISSING_TIME
from perennial.domain.modelling.splits import Tensors, split_rows
from perennial.domain.modelling.training import Model
from perennial.domain.modelling.trees import trees_of
from perennial.domain.versioning.manifest import Input

MAX_ROWS = 500
"""Given rows from which probes are made, spread evenly over all."""

_NUMBERS = np.array(
    [np.nan, 0, -0.0, 1, -1, np.finfo(np.float32).tiny, LARGEST, -LARGEST], dtype=np.float32
)
_CATEGORIES = np.array(["", " ", "never seen", "Ünbekannt ☃", "a" * 1000], dtype=object)
_TEXTS = np.array(
    ["", "never_seen", "ungesehen ünbekannt 日本語", " ".join(["word"] * 500)], dtype=object
)
_DAY = 86_400
_TIMES = np.concatenate([
    [MISSING_TIME, -1, 0, -62_135_596_800, 253_402_300_799],  # missing, around 1970, years 1, 9999
    np.arange(24) * 3_600 + 3_599,
    np.arange(-400, 400, 27) * 30 * _DAY - 1,
    np.arange(11_014, 11_018) * _DAY,  # around 29 February 2000
]).astype(np.int64)  # fmt: skip


def probes(model: Model, rows: Tensors) -> dict[str, NDArray[Any]]:
    """Encoded rows made of given ones.

    In some, one column takes missing and extreme numbers, missing and unseen categories, strange
    texts or times. Of trees that see numbers as they are, others stand on every split and on both
    sides of it; of any other model, others join each row's columns with those of other rows.

    Args:
        model: the model; its trees' thresholds must be rounded to float32.
        rows: tensors of shape [N, 1] with N ≥ 1.

    Returns:
        Tensors of shape [M, 1].
    """
    count = len(next(iter(rows.values())))
    at = np.unique(np.linspace(0, count - 1, MAX_ROWS).astype(int))
    some = {name: column[at] for name, column in rows.items()}
    variants = [_vary(some, one.tensor, _strange(one)) for one in model.inputs]
    variants += _on_splits(model, some)
    return {name: np.concatenate([one[name] for one in variants]) for name in rows}


def _strange(one: Input) -> NDArray[Any]:
    kinds = {"category": _CATEGORIES, "text": _TEXTS, "timestamp": _TIMES}
    return kinds.get(one.type, _NUMBERS)


def _vary(rows: Tensors, tensor: str, values: NDArray[Any]) -> dict[str, NDArray[Any]]:
    at = np.arange(len(values)) % len(rows[tensor])
    return {name: column[at] for name, column in rows.items()} | {tensor: values.reshape(-1, 1)}


def _on_splits(model: Model, rows: Tensors) -> Iterator[dict[str, NDArray[Any]]]:
    """Rows on the splits of trees that see numbers as they are; else the given rows, shuffled."""
    numbers = numeric_features(model.pipeline[0])
    trees = trees_of(model.pipeline[-1]) if numbers and len(model.pipeline) == 2 else []
    if trees:
        features = np.asarray(model.pipeline[0].transform(as_frame(rows)), dtype=np.float32)
        yield split_rows(trees, rows, features, numbers)
    else:
        chance = np.random.default_rng(model.seed)
        yield {name: chance.permutation(column) for name, column in rows.items()}
