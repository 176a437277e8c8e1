"""Rows that stand on the boundaries of a tree model, where a rounding error shows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[Any]]

MAX_SPLITS = 10_000
"""Splits probed, spread evenly over the trees of a model that has more."""

MAX_WALKED = 4 * MAX_SPLITS
"""Splits visited to choose from: a forest that was not pruned has millions, and each costs time."""

_UP, _DOWN = np.float32(np.inf), np.float32(-np.inf)


@dataclass(frozen=True, slots=True)
class _Split:
    """A split of a number, and how to get there.

    Attributes:
        row: a row that the splits of other kinds of features let pass.
        asked: values of numbers, by feature, with which that row passes the others.
        feature: the number that is split.
        threshold: where: values up to it go left.
    """

    row: int
    asked: Mapping[int, np.float32]
    feature: int
    threshold: np.float32


def split_rows(
    trees: Sequence[NDArray[np.void]],
    rows: Tensors,
    features: NDArray[np.float32],
    numbers: Sequence[str],
) -> dict[str, NDArray[Any]]:
    """For each split of a number three rows that reach it: on the threshold, and on either side.

    Args:
        trees: nodes of each tree, as `perennial.domain.modelling.trees` describes them, thresholds
            rounded to float32.
        rows: encoded rows, tensors of shape [N, 1] with N ≥ 1.
        features: the same rows as the trees see them, shape [N, features].
        numbers: the tensors that are the first features as they are.

    Returns:
        Encoded rows: tensors of shape [M, 1].
    """
    wanted = sum(
        int(((nodes["is_leaf"] == 0) & (nodes["feature_idx"] < len(numbers))).sum())
        for nodes in trees
    )
    some = trees[:: max(1, math.ceil(wanted / MAX_WALKED))]
    walks = (_walk(nodes, features, len(numbers)) for nodes in some)
    found = list(islice(chain.from_iterable(walks), MAX_WALKED))
    found = found[:: max(1, math.ceil(len(found) / MAX_SPLITS))]
    at = np.repeat([split.row for split in found], 3).astype(int)
    values = features[at, : len(numbers)]
    for place, split in enumerate(found):
        three = slice(3 * place, 3 * place + 3)
        for feature, value in split.asked.items():
            values[three, feature] = value
        on = split.threshold
        values[three, split.feature] = (np.nextafter(on, _DOWN), on, np.nextafter(on, _UP))
    varied = {name: column[at] for name, column in rows.items()}
    return varied | {name: values[:, [place]] for place, name in enumerate(numbers)}


def _walk(nodes: NDArray[np.void], features: NDArray[np.float32], numbers: int) -> Iterator[_Split]:
    """Every split of a number in one tree.

    The last value that a path asks of a number fits all that it asked before, because thresholds
    further down lie between those above.
    """
    stack: list[tuple[int, NDArray[np.intp], dict[int, np.float32]]]
    stack = [(0, np.arange(len(features)), {})]
    while stack:
        place, candidates, asked = stack.pop()
        node = nodes[place]
        if node["is_leaf"]:
            continue
        feature, threshold = int(node["feature_idx"]), np.float32(node["num_threshold"])
        left, right = int(node["left"]), int(node["right"])
        if feature >= numbers:
            values = features[candidates, feature]
            goes_left = np.where(np.isnan(values), node["missing_go_to_left"], values <= threshold)
            stack.append((left, _some(candidates, goes_left == 1), asked))
            stack.append((right, _some(candidates, goes_left == 0), asked))
        elif np.isfinite(threshold):
            yield _Split(int(candidates[0]), asked, feature, threshold)
            stack.append((left, candidates, {**asked, feature: threshold}))
            stack.append((right, candidates, {**asked, feature: np.nextafter(threshold, _UP)}))
        else:  # values to the left, missing ones to the right
            stack.append((left, candidates, {feature: np.float32(0), **asked}))
            stack.append((right, candidates, {**asked, feature: np.float32(np.nan)}))


def _some(candidates: NDArray[np.intp], chosen: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The chosen ones, or all where there is none: a row that gets stuck is better than no row."""
    return candidates[chosen] if chosen.any() else candidates
