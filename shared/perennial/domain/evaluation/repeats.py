"""Rows that came before: what a model has learned already proves nothing about it.

Exports that are cumulative, or overlap, bring rows again. A row is known by its key, or by its
whole content where no key is declared.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition

_PART = 2**32


def tells_rows_apart(definition: Definition) -> bool:
    """Whether two equal rows are one row that came twice, and not two that look alike."""
    return bool(definition.names("key")) or definition.event_time is not None


def row_hashes(definition: Definition, frame: pd.DataFrame) -> NDArray[np.uint64]:
    """A hash of what names each row: shape [N].

    The same for a row whichever frame it stands in: beside a null, whole numbers and truth values
    become other types in a frame, so that all of them are hashed as floats.
    """
    named: dict[str, pd.Series] = {}
    for name in definition.names("key") or list(definition.stored_columns):
        values, kind = frame[name], definition.columns[name].type
        if kind == "integer":  # in two parts, because a float holds no long identifier exactly
            high = values // _PART
            named[name], named[f"{name} (low part)"] = (
                part.astype("float64") for part in (high, values - high * _PART)
            )
        else:
            numeric = kind in ("number", "boolean")
            named[name] = values.astype("float64") if numeric else values
    hashes: NDArray[np.uint64] = pd.util.hash_pandas_object(
        pd.DataFrame(named), index=False
    ).to_numpy()
    return hashes


def seen_before(
    definition: Definition, frame: pd.DataFrame, known: NDArray[np.uint64]
) -> NDArray[np.bool_]:
    """Which of N rows are among known ones: shape [N].

    Args:
        definition: says what names a row; where nothing does, no row counts as seen.
        frame: the rows.
        known: hashes of rows that came before.
    """
    if not len(frame) or not len(known) or not tells_rows_apart(definition):
        return np.zeros(len(frame), dtype=np.bool_)
    return np.isin(row_hashes(definition, frame), known)
