"""What a file's columns held: sums and counts that merge across files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from perennial.domain.definition import Column

_TOP = 20
_SHOWN = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def describe_columns(
    frame: pl.DataFrame, columns: Mapping[str, Column]
) -> dict[str, dict[str, Any]]:
    """Statistics of each column, ready for JSON.

    Every column has `count` (values that are there) and `nulls`. Beside them:

    - integer, number: `min`, `max`, `sum`, `sum_of_squares`;
    - category, boolean: `distinct`, and `top`, the counts of up to 20 most frequent values;
    - text: `characters`, the sum of their lengths;
    - timestamp: `min`, `max` in ISO 8601.

    Args:
        frame: typed rows.
        columns: its columns, declared.
    """
    return {name: _describe(frame[name], column) for name, column in columns.items()}


def span(times: pl.Series) -> tuple[datetime | None, datetime | None]:
    """First and last of a column of times (UTC)."""
    bounds = times.cast(pl.Int64)
    return _time(bounds.min()), _time(bounds.max())


def _describe(values: pl.Series, column: Column) -> dict[str, Any]:
    nulls = values.null_count()
    facts: dict[str, Any] = {"count": len(values) - nulls, "nulls": nulls}
    if column.type in ("integer", "number"):
        return facts | _of_numbers(values)
    if column.type == "timestamp":
        first, last = span(values)
        return facts | {"min": first and first.isoformat(), "max": last and last.isoformat()}
    if column.type == "text":
        return facts | {"characters": int(values.str.len_chars().sum())}
    return facts | _of_categories(values, count=column.role != "key")


def _of_numbers(values: pl.Series) -> dict[str, Any]:
    floats = values.cast(pl.Float64)
    sums = {"sum": float(floats.sum()), "sum_of_squares": float((floats * floats).sum())}
    finite = {name: value if math.isfinite(value) else None for name, value in sums.items()}
    return {"min": values.min(), "max": values.max(), **finite}


def _of_categories(values: pl.Series, *, count: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {"distinct": values.drop_nulls().n_unique()}
    if count:
        counts = values.drop_nulls().cast(pl.String).alias("value").value_counts()
        top = counts.sort(["count", "value"], descending=[True, False]).head(_TOP)
        facts["top"] = {value[:_SHOWN]: number for value, number in top.iter_rows()}
    return facts


def _time(microseconds: Any) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
