"""Columns that float32 cannot carry into a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.domain.versioning.manifest import Input
from perennial.errors import NotTrainable


def check_precision(inputs: Sequence[Input], columns: Mapping[str, NDArray[Any]]) -> None:
    """Refuse epoch seconds, long ids and the like, whose float32 would be other numbers.

    An integer column is refused when float32 changes most of its values, any numeric column when
    float32 makes most of its distinct values equal. A few rounded values do no harm.

    Args:
        inputs: the columns that the model reads.
        columns: for each input's name its training values; numbers as float64 with NaN.

    Raises:
        NotTrainable: naming the first such column and what to do about it.
    """
    for one in inputs:
        if one.type not in ("integer", "number"):
            continue
        values = columns[one.name]
        values = values[np.isfinite(values)]
        with np.errstate(over="ignore"):
            rounded = values.astype(np.float32)
        changed = one.type == "integer" and np.count_nonzero(rounded != values) > len(values) / 2
        if changed or 2 * len(np.unique(rounded)) < len(np.unique(values)):
            raise NotTrainable(
                f"column {one.name} holds numbers such as {values[0]:.17g} that float32, in which "
                "models compute, cannot tell apart: give it role ignore or key, type category, "
                "or, where it is a time, type timestamp"
            )
