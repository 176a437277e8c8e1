"""A label's classes, and labels as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perennial.domain.definitions.definition import Column, Definition

Classes = tuple[bool | int | str, ...]

UNKNOWN_CLASS = -1
"""Code of a label that is none of a model's classes."""


def classes_of(definition: Definition, labels: Iterable[Any]) -> Classes:
    """A model's classes: the declared ones, else those that occur, sorted; () for regression."""
    if definition.task == "regression":
        return ()
    column = definition.columns[definition.label]
    if column.classes is not None:
        return tuple(_typed(value, column) for value in column.classes)
    return tuple(sorted({_typed(value, column) for value in set(labels)}))


def codes_of(labels: ArrayLike, classes: Sequence[object]) -> NDArray[np.int64]:
    """Each label's place in `classes`, or `UNKNOWN_CLASS`.

    Args:
        labels: shape [N]; values that equal a class, whatever their type (1, 1.0 and True do).
        classes: the model's classes.
    """
    codes = {value: code for code, value in enumerate(classes)}
    found = [codes.get(value, UNKNOWN_CLASS) for value in np.asarray(labels).tolist()]
    return np.array(found, dtype=np.int64)


def _typed(value: Any, label: Column) -> bool | int | str:
    """A label as its column's type has it: in a frame, nulls make floats of integers."""
    if label.type == "integer":
        return int(value)
    return bool(value) if label.type == "boolean" else str(value)
