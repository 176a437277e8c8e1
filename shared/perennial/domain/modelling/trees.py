"""The trees inside a fitted estimator, whichever of scikit-learn's kinds they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.tree import BaseDecisionTree

NODE = np.dtype([
    ("feature_idx", np.intp), ("num_threshold", np.float64), ("is_leaf", np.uint8),
    ("missing_go_to_left", np.uint8), ("left", np.intp), ("right", np.intp),
])  # fmt: skip
"""What all of them know of a node, by the names that histogram gradient boosting gives it."""


def trees_of(estimator: Any) -> list[NDArray[np.void]]:
    """Every tree's nodes, as `NODE` describes them, in the order of the graph that is made of them.

    Args:
        estimator: fitted; one that has no trees has none here.
    """
    return [_described(nodes) for nodes, _ in _tables(estimator)]


def round_thresholds(estimator: Any) -> None:
    """Round every split threshold of a fitted estimator down to float32, in place.

    For a float32 feature x, `x <= t` and `x <= t rounded down to float32` are the same, so that
    the model stays what it is and the graph, which knows only float32, splits exactly alike.
    """
    for nodes, name in _tables(estimator):
        exact = nodes[name]
        near = exact.astype(np.float32)
        nodes[name] = np.where(near > exact, np.nextafter(near, np.float32(-np.inf)), near)


def _tables(estimator: Any) -> Iterator[tuple[NDArray[np.void], str]]:
    """The nodes as scikit-learn keeps them, and what it calls their thresholds."""
    if isinstance(estimator, BaseDecisionTree):
        # A view on the tree's own memory: it has no other door for writing.
        yield estimator.tree_.__getstate__()["nodes"], "threshold"
    elif hasattr(estimator, "_predictors"):  # histogram gradient boosting
        for trees in estimator._predictors:
            for tree in trees:
                yield tree.nodes, "num_threshold"
    else:
        for part in _parts(estimator):
            yield from _tables(part)


def _parts(estimator: Any) -> Iterable[Any]:
    if isinstance(estimator, Pipeline):
        return [estimator[-1]]
    found = getattr(estimator, "estimators_", ())
    return found.ravel() if isinstance(found, np.ndarray) else found


def _described(nodes: NDArray[np.void]) -> NDArray[np.void]:
    described = np.empty(len(nodes), dtype=NODE)
    if "num_threshold" in (nodes.dtype.names or ()):
        for name in NODE.names or ():
            described[name] = nodes[name]
        return described
    described["feature_idx"], described["num_threshold"] = nodes["feature"], nodes["threshold"]
    described["left"], described["right"] = nodes["left_child"], nodes["right_child"]
    described["is_leaf"] = nodes["left_child"] < 0
    described["missing_go_to_left"] = nodes["missing_go_to_left"]
    return described
