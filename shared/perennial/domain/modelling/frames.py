"""From a frame of accepted rows to the columns that models read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.versioning.manifest import Input


def inputs_of(definition: Definition) -> tuple[Input, ...]:
    """The columns that models of this definition read, and the tensors that will carry them."""
    read = [(n, c) for n, c in definition.columns.items() if c.role in ("feature", "event_time")]
    # Users' names can be anything; tensors are numbered.
    return tuple(
        Input(name, f"x{number}", column.type, column.nullable, column.format)
        for number, (name, column) in enumerate(read)
    )


def columns_of(inputs: Sequence[Input], frame: pd.DataFrame) -> Mapping[str, NDArray[Any]]:
    """A frame's columns as `perennial.domain.modelling.inputs.encode` takes them.

    Args:
        inputs: the columns to take.
        frame: N typed rows.

    Returns:
        For each input's name an array of shape [N]: float64 with NaN, datetime64 (UTC) with NaT,
        or objects with None.
    """
    return {one.name: _values(frame[one.name], one) for one in inputs}


def instances_of(inputs: Sequence[Input], frame: pd.DataFrame) -> list[dict[str, object]]:
    """A frame's rows as a request would carry them, ready for JSON.

    Args:
        inputs: the columns to take.
        frame: N typed rows.
    """
    columns = columns_of(inputs, frame)
    return [
        {one.name: _json_value(columns[one.name][place], one) for one in inputs}
        for place in range(len(frame))
    ]


def _json_value(value: object, one: Input) -> object:
    """A typed value as JSON has it."""
    if value is None or pd.isna(value):
        return None
    if one.type == "boolean":
        return bool(value)
    if one.type == "timestamp":
        return pd.Timestamp(value).isoformat()
    return float(value) if isinstance(value, np.floating) else value


def _values(column: pd.Series, one: Input) -> NDArray[Any]:
    values: NDArray[Any]
    if one.type == "timestamp":
        values = pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy()
    elif one.type in ("category", "text"):
        values = column.astype(object).where(column.notna(), None).to_numpy(dtype=object)
    else:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return values
