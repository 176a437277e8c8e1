"""How the text of a cell becomes a value of its column's type.

- integer: digits with an optional sign, in 64 bits;
- number: decimal or scientific notation, finite;
- boolean: true, false, 1, 0, in any case;
- timestamp: the column's strptime format, or ISO 8601 where it has none; an offset is converted
  to UTC, a time without one is UTC; years 1 to 9999;
- category, text: exactly as written: "None" and "NA" are words like others.

An empty cell is null; an empty quoted one too, except for text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl
from polars.exceptions import ComputeError

from perennial.domain.definition import Column, ColumnType

DTYPES: Mapping[ColumnType, pl.DataType] = {
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "category": pl.String(),
    "text": pl.String(),
    "timestamp": pl.Datetime("us", "UTC"),
}

DESCRIPTIONS: Mapping[ColumnType, str] = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false (or 1 or 0)",
    "category": "text",
    "text": "text",
    "timestamp": "a time in ISO 8601, such as 2025-02-14T09:30:00Z",
}

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_ISO_FORMATS = (
    "%Y-%m-%d",
    *(
        f"%Y-%m-%d{separator}%H:%M{seconds}{offset}"
        for offset in ("", "%#z")
        for separator in ("T", " ")
        for seconds in (":%S", ":%S%.f", "")
    ),
)
_FIRST_YEAR = datetime(1, 1, 1, tzinfo=UTC)
_LAST_YEAR = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def read_cells(text: pl.Series, column: Column) -> pl.Series:
    """Read a column's cells.

    Args:
        text: the cells as they stand in the file; null where they are empty.
        column: the declared column.

    Returns:
        The values, in `DTYPES[column.type]`; null where a cell is empty or cannot be read.
    """
    if column.type == "text":
        return text
    if column.type == "category":
        return text.replace("", None)
    if column.type == "integer":
        return text.cast(pl.Int64, strict=False)
    if column.type == "number":
        values = text.cast(pl.Float64, strict=False)
        return values.set(~values.is_finite(), None)
    if column.type == "boolean":
        words = text.str.to_lowercase()
        return words.replace_strict(_BOOLEANS, default=None, return_dtype=pl.Boolean)
    return _read_times(text, column.format)


def describe(column: Column) -> str:
    """What a cell of this column should hold, for a sentence."""
    if column.format is not None:
        return f"a time in the format {column.format}"
    return DESCRIPTIONS[column.type]


def _read_times(text: pl.Series, format_: str | None) -> pl.Series:
    times = _read_iso(text) if format_ is None else _strptime(text, format_)
    return times.set(~times.is_between(_FIRST_YEAR, _LAST_YEAR), None)


def _read_iso(text: pl.Series) -> pl.Series:
    """Try form after form on what is left, first those that fit the first cell: most use one."""
    times = pl.Series(text.name, [None], dtype=DTYPES["timestamp"]).new_from_index(0, len(text))
    first = text.drop_nulls().head(1)
    for format_ in sorted(_ISO_FORMATS, key=lambda form: _strptime(first, form).null_count()):
        left = text.set(times.is_not_null(), None)
        if left.null_count() == len(left):
            break
        times = times.zip_with(times.is_not_null(), _strptime(left, format_))
    return times


def _strptime(text: pl.Series, format_: str) -> pl.Series:
    try:
        times = text.str.strptime(pl.Datetime("us"), _chrono(format_), strict=False)
    except ComputeError:  # a format that polars cannot handle, such as an hour without minutes
        return _strptime_slowly(text, format_)
    if times.dtype == pl.Datetime("us"):
        return times.dt.replace_time_zone("UTC")
    return times.dt.convert_time_zone("UTC")


def _strptime_slowly(text: pl.Series, format_: str) -> pl.Series:
    known: dict[str, datetime | None] = {}
    for value in text.drop_nulls().unique():
        try:
            time = datetime.strptime(value, format_)  # noqa: DTZ007 (the next line adds the zone)
            known[value] = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            known[value] = None
    return text.replace_strict(known, default=None, return_dtype=DTYPES["timestamp"])


def _chrono(format_: str) -> str:
    """Python's strptime format in the dialect of polars: fractions and offsets differ."""
    dialect = {".%f": "%.f", "%f": "%6f", "%z": "%#z", "%%": "%%"}
    return re.sub(r"%%|\.%f|%f|%z", lambda match: dialect[match[0]], format_)
