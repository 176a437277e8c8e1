"""What a file's columns held: sums and counts that merge across files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from perennial.domain.definitions.definition import Column
from perennial.domain.definitions.recipe import Scalar

_TOP = 100
_POINTS = 17
_SAMPLED = 20_000
_COUNTED = 1000
_GREATEST = 1e300
_SHOWN = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def describe_columns(
    frame: pl.DataFrame, columns: Mapping[str, Column]
) -> dict[str, dict[str, Any]]:
    """Statistics of each column, ready for JSON.

    Every column has `count` (values that are there) and `nulls`. Beside them:

    - integer, number: `min`, `max`, `sum`, `sum_of_squares`, and `quantiles`, 17 that are evenly
      spaced from the least to the greatest, of at most 20,000 values evenly spread over the rows;
    - category, boolean: `distinct`, and `top`, the counts of up to 100 most frequent values, each
      cut to 100 characters; of more than 1,000 different values, in such a sample of rows, too;
    - text: `characters`, the sum of their lengths;
    - timestamp: `min`, `max` in ISO 8601.

    Args:
        frame: typed rows.
        columns: its columns, declared.
    """
    return {name: _describe(frame[name], column) for name, column in columns.items()}


def category_names(values: pl.Series) -> pl.Series:
    """The text under which statistics count values of a category or truth values."""
    return values.cast(pl.String).str.head(_SHOWN)


def category_name(value: Scalar) -> str:
    """The same of one value from a definition."""
    return (str(value).lower() if isinstance(value, bool) else str(value))[:_SHOWN]


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
    facts = {"min": values.min(), "max": values.max(), **finite}
    return facts | {"quantiles": _quantiles(floats.drop_nulls())}


def _quantiles(values: pl.Series) -> list[float]:
    """Of a sample, because sorting a million values would take longer than to read them."""
    if values.is_empty():
        return []
    sample = values.gather_every(-(-len(values) // _SAMPLED)).clip(-_GREATEST, _GREATEST).sort()
    places = [round(place * (len(sample) - 1) / (_POINTS - 1)) for place in range(_POINTS)]
    points: list[float] = sample.gather(places).to_list()
    lowest, highest = values.min(), values.max()
    return [float(lowest), *points[1:-1], float(highest)]  # type: ignore[arg-type]  # not empty


def _of_categories(values: pl.Series, *, count: bool) -> dict[str, Any]:
    present = values.drop_nulls().alias("value")
    if count and present[:_SAMPLED].n_unique() <= _COUNTED:
        # Likely few in all, and then one pass tells how many there are and how many of each.
        counts = present.value_counts()
        if counts.height <= _COUNTED:
            return {"distinct": counts.height, "top": _top(counts)}
    distinct = present.hash().n_unique()  # several times faster than of the text itself
    if not count:
        return {"distinct": distinct}
    if distinct > _COUNTED:
        present = present.gather_every(-(-len(present) // _SAMPLED))
    return {"distinct": distinct, "top": _top(present.value_counts())}


def _top(counts: pl.DataFrame) -> dict[str, int]:
    """The most frequent values, by the names under which they are counted."""
    named = counts.with_columns(category_names(counts["value"]))
    if named["value"].str.len_chars().max() == _SHOWN:  # those that were cut may be the same now
        named = named.group_by("value").agg(pl.col("count").sum())
    top = named.top_k(_TOP, by=["count", "value"], reverse=[False, True])
    return dict(top.sort(["count", "value"], descending=[True, False]).iter_rows())


def _time(microseconds: Any) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
