"""Rows on which a graph and its model would part first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.domain.features import numeric_tensors
from perennial.domain.inputs import MISSING_TIME
from perennial.domain.training import Model

Tensors = Mapping[str, NDArray[Any]]

MAX_SPLITS = 10_000
"""Most split values probed, spread evenly over a column's splits where there are more."""

_FLOAT32 = np.finfo(np.float32)
_EXTREMES = np.array(
    [np.nan, 0, -0.0, 1, -1, _FLOAT32.tiny, _FLOAT32.max, _FLOAT32.min], dtype=np.float32
)
_STRANGE_CATEGORIES = np.array(["", " ", "never seen", "Ünbekannt ☃", "a" * 1000], dtype=object)
_STRANGE_TEXTS = np.array(
    ["", "never_seen", "ungesehen ünbekannt 日本語", " ".join(["word"] * 500)], dtype=object
)
_DAY = 86_400
_TIMES = np.concatenate([
    [MISSING_TIME, -1, 0, -62_135_596_800, 253_402_300_799],  # years 1 to 9999
    np.arange(24) * 3_600 + 3_599,
    np.arange(-400, 400, 27) * 30 * _DAY - 1,
    np.arange(11_014, 11_018) * _DAY,  # around 29 February 2000
]).astype(np.int64)  # fmt: skip


def probes(model: Model, rows: Tensors) -> dict[str, NDArray[Any]]:
    """Encoded rows that differ from given ones in one column each.

    The one column takes, in turn: every value at which a tree splits and its float32 neighbours,
    missing and extreme numbers, missing and unseen categories, strange texts and times.

    Args:
        model: the model; its trees' thresholds must be rounded to float32.
        rows: tensors of shape [N, 1] with N ≥ 1; the other columns' values come from them.

    Returns:
        Tensors of shape [M, 1].
    """
    variants = [_vary(rows, tensor, values) for tensor, values in _values(model)]
    return {name: np.concatenate([one[name] for one in variants]) for name in rows}


def _values(model: Model) -> Iterator[tuple[str, NDArray[Any]]]:
    splits = _splits(model)
    for one in model.inputs:
        if one.type == "category":
            yield one.tensor, _STRANGE_CATEGORIES
        elif one.type == "text":
            yield one.tensor, _STRANGE_TEXTS
        elif one.type == "timestamp":
            yield one.tensor, _TIMES
        else:
            yield one.tensor, np.concatenate([_EXTREMES, splits.get(one.tensor, _EXTREMES)])


def _splits(model: Model) -> dict[str, NDArray[np.float32]]:
    """For each numeric tensor that trees split, each split value and its two neighbours."""
    numbers = numeric_tensors(model.inputs)
    trees = [tree for trees in getattr(model.pipeline[-1], "_predictors", ()) for tree in trees]
    if not trees:
        return {}
    nodes = np.concatenate([tree.nodes for tree in trees])
    nodes = nodes[nodes["is_leaf"] == 0]
    found = {}
    for feature, tensor in enumerate(numbers):
        values = np.unique(nodes["num_threshold"][nodes["feature_idx"] == feature])
        values = values[np.isfinite(values)].astype(np.float32)
        if len(values) > MAX_SPLITS:
            values = values[np.linspace(0, len(values) - 1, MAX_SPLITS).astype(int)]
        below, above = (np.nextafter(values, np.float32(end)) for end in (-np.inf, np.inf))
        found[tensor] = np.concatenate([below, values, above])
    return found


def _vary(rows: Tensors, tensor: str, values: NDArray[Any]) -> dict[str, NDArray[Any]]:
    count = len(next(iter(rows.values())))
    # Neighbouring values meet different rows: a step coprime to most counts walks over all.
    at = np.arange(len(values)) * 7_919 % count
    varied = {name: column[at] for name, column in rows.items()}
    varied[tensor] = values.reshape(-1, 1).astype(rows[tensor].dtype)
    return varied
