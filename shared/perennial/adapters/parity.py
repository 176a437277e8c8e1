"""The parity gate: a graph answers as the scikit-learn model that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.adapters.graph import Graph
from perennial.domain.modelling.frames import columns_of
from perennial.domain.modelling.inputs import encode
from perennial.domain.modelling.probes import probes
from perennial.domain.modelling.training import Model
from perennial.errors import GateFailed
from perennial.ports import Artefact

PROBABILITY_TOLERANCE = 1e-5
VALUE_TOLERANCE = 1e-5
"""Of a regression: relative to the prediction, or to the span of all predictions if larger."""


def check_parity(model: Model, artefact: Artefact, rows: pd.DataFrame) -> dict[str, float]:
    """Compare graph and model on rows, and on variants of them around every split.

    Args:
        model: what scikit-learn runs.
        artefact: its export.
        rows: typed rows; at least one.

    Returns:
        `rows` and `probes` compared, the `largest_difference`, and the `tolerance` at that place.

    Raises:
        GateFailed: where the difference is beyond the tolerance, or there is nothing to compare.
    """
    if rows.empty:
        raise GateFailed("the parity gate has no rows to compare the graph and its model on")
    given = encode(model.inputs, columns_of(model.inputs, rows))
    probing = probes(model, given)
    both = {name: np.concatenate([given[name], probing[name]]) for name in given}
    expected = model.answer(both)
    found = Graph(artefact.graph, artefact).run(both)
    if found.shape != expected.shape:
        raise GateFailed(f"the graph answers in shape {found.shape}, the model {expected.shape}")
    tolerance = tolerance_for(expected, span=float(np.ptp(expected[: len(rows)])))
    difference = np.abs(found - expected)
    worst = _worst(difference, tolerance)
    report = {
        "rows": len(rows),
        "probes": len(expected) - len(rows),
        "largest_difference": float(difference[worst]),
        "tolerance": float(tolerance[worst]),
    }
    if not difference[worst] <= tolerance[worst]:
        raise GateFailed(
            f"graph and model disagree: {found[worst]:.9g} against {expected[worst]:.9g}, "
            f"{difference[worst]:.2g} apart where {tolerance[worst]:.2g} is allowed, on "
            f"{_describe(both, model, worst[0], len(rows))}"
        )
    return report


def tolerance_for(expected: NDArray[np.float64], *, span: float) -> NDArray[np.float64]:
    """How far a float32 answer may be from each of these.

    Args:
        expected: predictions of shape [N], or probabilities of shape [N, classes].
        span: largest minus smallest prediction of ordinary rows; unused for probabilities.
    """
    if expected.ndim > 1:
        return np.full(expected.shape, PROBABILITY_TOLERANCE)
    return VALUE_TOLERANCE * np.maximum(np.abs(expected), span)


def _worst(difference: NDArray[np.float64], tolerance: NDArray[np.float64]) -> tuple[np.intp, ...]:
    # Differences of NaN count as the largest, and a zero tolerance asks for equality.
    excess = np.nan_to_num(difference, nan=np.inf) - tolerance
    return np.unravel_index(np.argmax(excess), excess.shape)


def _describe(tensors: Mapping[str, NDArray[Any]], model: Model, row: np.intp, given: int) -> str:
    values = {one.name: tensors[one.tensor][row, 0] for one in model.inputs}
    shown = ", ".join(f"{name}={str(value)[:40]!r}" for name, value in values.items())
    return f"{'an evaluation row' if row < given else 'a probe'}: {shown}"
