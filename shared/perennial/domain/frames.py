"""From a frame of accepted rows to what models read and what their predictions are held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.domain.definition import Column, Definition
from perennial.domain.manifest import Input

Classes = tuple[bool | int | str, ...]

UNKNOWN_CLASS = -1
"""Code of a label that is none of a model's classes."""


def inputs_of(definition: Definition) -> tuple[Input, ...]:
    """The columns that models of this definition read, and the tensors that will carry them."""
    read = [(n, c) for n, c in definition.columns.items() if c.role in ("feature", "event_time")]
    # Users' names can be anything; tensors are numbered.
    return tuple(
        Input(name, f"x{number}", column.type, column.nullable, column.format)
        for number, (name, column) in enumerate(read)
    )


def columns_of(inputs: Sequence[Input], frame: pd.DataFrame) -> Mapping[str, NDArray[Any]]:
    """A frame's columns as `perennial.domain.inputs.encode` takes them.

    Args:
        inputs: the columns to take.
        frame: N typed rows.

    Returns:
        For each input's name an array of shape [N]: float64 with NaN, datetime64 (UTC) with NaT,
        or objects with None.
    """
    return {one.name: _values(frame[one.name], one) for one in inputs}


def _values(column: pd.Series, one: Input) -> NDArray[Any]:
    values: NDArray[Any]
    if one.type == "timestamp":
        values = pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy()
    elif one.type in ("category", "text"):
        values = column.astype(object).where(column.notna(), None).to_numpy(dtype=object)
    else:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return values


def classes_of(definition: Definition, frame: pd.DataFrame) -> Classes:
    """A model's classes: the declared ones, else those that occur, sorted; () for regression."""
    if definition.task == "regression":
        return ()
    label = definition.columns[definition.label]
    if label.classes is not None:
        return tuple(_typed(value, label) for value in label.classes)
    return tuple(sorted({_typed(value, label) for value in frame[definition.label].dropna()}))


def truth_of(definition: Definition, frame: pd.DataFrame, classes: Classes) -> NDArray[Any]:
    """The labels as numbers.

    Args:
        definition: names the label.
        frame: N rows, each with a label.
        classes: the model's classes.

    Returns:
        Shape [N]: float64 for regression; otherwise int64, each label's place in `classes`, or
        `UNKNOWN_CLASS`.
    """
    values = frame[definition.label]
    truth: NDArray[Any]
    if definition.task == "regression":
        truth = values.to_numpy(dtype=np.float64)
    else:
        label = definition.columns[definition.label]
        codes = {value: code for code, value in enumerate(classes)}
        known = {value: codes.get(_typed(value, label), UNKNOWN_CLASS) for value in values.unique()}
        truth = values.map(known).to_numpy(dtype=np.int64)
    return truth


def _typed(value: Any, label: Column) -> bool | int | str:
    """A label as its column's type has it: in a frame, nulls make floats of integers."""
    if label.type == "integer":
        return int(value)
    return bool(value) if label.type == "boolean" else str(value)
