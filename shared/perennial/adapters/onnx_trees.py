"""Where missing values go in the trees of a graph.

skl2onnx writes that down for histogram gradient boosting alone. Of all other trees its graph sends
every missing value to the right, and scikit-learn does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

_OPERATORS = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")
_TRACKS = "nodes_missing_value_tracks_true"


def route_missing(graph: Any, trees: Sequence[NDArray[np.void]]) -> None:
    """Send missing values where the trees send them.

    Where the graph's trees are not those, nothing is changed, and the parity gate has the word.

    Args:
        graph: what skl2onnx made.
        trees: nodes of the fitted trees (see `perennial.domain.modelling.trees`), in the graph's
            order.
    """
    operators = [node for node in graph.node if node.op_type in _OPERATORS]
    sizes = [size for node in operators for size in _sizes(node)]
    if not trees or sizes != [len(nodes) for nodes in trees]:
        return
    tracks = np.concatenate(
        [nodes["missing_go_to_left"] & (1 - nodes["is_leaf"]) for nodes in trees]
    )
    for node in operators:
        mine, tracks = np.split(tracks, [sum(_sizes(node))])
        attribute = next(one for one in node.attribute if one.name == _TRACKS)
        attribute.ints[:] = mine.tolist()


def _sizes(node: Any) -> list[int]:
    """How many nodes each tree of an operator has."""
    owners = next(one.ints for one in node.attribute if one.name == "nodes_treeids")
    return [len(list(group)) for _, group in groupby(owners)]
