"""Made-up rows in the shape of a definition, on which a model can be tried before there are any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Column, Definition

GAPS = 0.1
"""Part of the cells of a nullable column that are empty."""
WIDTH = 100.0
"""Of the values of a number: few enough for float32 to tell them apart."""

_WORDS = ("red", "roses", "for", "a", "friday", "séa", "日本語", "white", "lilies", "and")
_CATEGORIES = ("a", "b", "c", "d")
_START = 1_700_000_000
_YEAR = 365 * 86_400


def made_up_rows(definition: Definition, rows: int, *, seed: int) -> pd.DataFrame:
    """Typed rows that the definition's rules on ranges and values allow, as stored ones are typed.

    The label depends on the features, so that models have something to find; every class occurs.

    Args:
        definition: the columns.
        rows: how many.
        seed: of everything.
    """
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame(index=range(rows))
    pull = chance.normal(0, 0.3, rows)
    for name, column in definition.stored_columns.items():
        if column.role != "label":
            places = chance.random(rows)
            frame[name] = _column(column, places, chance)
            pull += places
    rank = pull.argsort().argsort() / rows
    frame[definition.label] = _label(definition, rank)
    return frame[list(definition.stored_columns)]


def _column(
    column: Column, places: NDArray[np.float64], chance: np.random.Generator
) -> pd.Series[Any]:
    """Values of a column that grow with `places`, which lie in [0, 1)."""
    values = pd.Series(_values(column, places, chance))
    if not column.nullable:
        return values
    return values.mask(chance.random(len(places)) < GAPS)


def _values(column: Column, places: NDArray[np.float64], chance: np.random.Generator) -> Any:
    if column.type == "timestamp":
        times = pd.to_datetime(_START + (places * _YEAR).astype(int), unit="s", utc=True)
        return times.as_unit("us")
    if column.type == "text":
        return [" ".join(chance.choice(_WORDS, 1 + int(8 * place))) for place in places]
    allowed = _allowed(column)
    if allowed:
        chosen = np.array(allowed, dtype=object)[(places * len(allowed)).astype(int)]
        return chosen.astype(float) if column.type in ("integer", "number") else chosen
    low, high = _range(column)
    numbers = low + places * (high - low)
    return np.floor(numbers) if column.type == "integer" else numbers


def _label(definition: Definition, rank: NDArray[np.float64]) -> Any:
    column = definition.columns[definition.label]
    if definition.task == "regression":
        low, high = _range(column)
        numbers = low + rank * (high - low)
        return np.ceil(numbers) if column.type == "integer" else numbers
    classes = column.classes or _allowed(column) or _CATEGORIES[:3]
    if column.classes is None and column.type == "integer" and not _allowed(column):
        classes = (0, 1, 2)
    classes = classes[:2] if definition.task == "binary" else classes
    return np.array(classes, dtype=object)[(rank * len(classes)).astype(int)]


def _allowed(column: Column) -> Sequence[Any]:
    """The values that a rule lists, or that the type does."""
    numeric = column.type in ("integer", "number")
    listed = next(
        (
            r.allowed or r.observed
            for r in column.rules
            if r.allowed or (r.observed and not numeric)
        ),
        None,
    )
    if listed:
        return listed
    return {"boolean": (False, True), "category": _CATEGORIES}.get(column.type, ())


def _range(column: Column) -> tuple[float, float]:
    """Lowest and highest value, at most `WIDTH` apart."""
    bounds = [rule.bounds for rule in column.rules]
    low = max((low for low, _ in bounds if low is not None), default=None)
    high = min((high for _, high in bounds if high is not None), default=None)
    if low is None:
        low = 0.0 if high is None else high - WIDTH
    return low, low + WIDTH if high is None else max(low, min(high, low + WIDTH))
