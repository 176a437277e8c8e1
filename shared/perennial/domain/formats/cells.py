"""How the text of a cell becomes a value of its column's type.

- integer: digits with an optional sign, in 64 bits;
- number: decimal or scientific notation, finite;
- boolean: true, false, 1, 0, in any case;
- timestamp: the column's strptime format, or ISO 8601 where it has none; an offset is converted
  to UTC, a time without one is UTC; years 1 to 9999;
- category, text: exactly as written: "None" and "NA" are words like others.

An empty cell is null; an empty quoted one too, except for text. A format that has times of its own
gives them as such: a column of times takes them whatever its format is, any other as ISO 8601.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import polars as pl
import pyarrow as pa
from polars.exceptions import ComputeError

from perennial.domain.definitions.definition import Column, ColumnType

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

_TRUE = ("true", "1")
_FALSE = ("false", "0")
_ISO_FORMATS = (
    "%Y-%m-%d",
    *(
        f"%Y-%m-%d{separator}%H:%M{seconds}{offset}"
        for offset in ("", "%#z")
        for separator in ("T", " ")
        for seconds in (":%S", ":%S%.f", "")
    ),
)
_LONGEST_TIME = 40
_FIRST_YEAR = datetime(1, 1, 1, tzinfo=UTC)
_LAST_YEAR = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def read_cells(text: pl.Series, column: Column, *, decimal: str = ".") -> pl.Series:
    """Read a column's cells.

    Args:
        text: the cells as they stand in the file, or times (UTC); null where they are empty.
        column: the declared column.
        decimal: the mark before the fraction of a number.

    Returns:
        The values, in `DTYPES[column.type]`; null where a cell is empty or cannot be read.
    """
    if text.dtype == DTYPES["timestamp"]:
        if column.type == "timestamp":
            return _without(text, ~text.is_between(_FIRST_YEAR, _LAST_YEAR))
        text = as_text(text)
    if column.type == "text":
        return text
    if column.type == "category":
        return _without(text, text == "")
    if column.type == "integer":
        return text.cast(pl.Int64, strict=False)
    if column.type == "number":
        if decimal != ".":  # a full stop then is no mark, and such a cell no number
            text = text.set(text.str.contains(".", literal=True), None)
            text = text.str.replace(decimal, ".", literal=True)
        values = text.cast(pl.Float64, strict=False)
        return _without(values, ~values.is_finite())
    if column.type == "boolean":
        return _read_booleans(text)
    return _read_times(text, column.format)


def as_text(cells: pl.Series) -> pl.Series:
    """Cells as a finding shows them: text as it is, times in ISO 8601."""
    if cells.dtype != DTYPES["timestamp"]:
        return cells
    within = cells.is_between(_FIRST_YEAR, _LAST_YEAR)
    shown = cells.set(~within, None).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    return shown.set(~within, "a time outside the years 1 to 9999")


def describe(column: Column) -> str:
    """What a cell of this column should hold, for a sentence."""
    if column.format is not None:
        return f"a time in the format {column.format}"
    return DESCRIPTIONS[column.type]


def _read_booleans(text: pl.Series) -> pl.Series:
    if (values := _all_by_arrow(text, pa.bool_())) is not None:
        return values
    words = text.str.to_lowercase()
    yes, no = words.is_in(_TRUE), words.is_in(_FALSE)
    return yes.set(~(yes | no), None)


def _all_by_arrow(text: pl.Series, type_: pa.DataType) -> pl.Series | None:
    """Cells as Arrow reads them, several times faster; None if there is any that it does not read.

    Only for what Arrow and this module read alike: of truth values all, of times see `_read_usual`.
    Not for numbers, where it takes blanks around them and 0x1F, and gains nothing.
    """
    try:
        values = text.to_arrow().cast(type_)
    except pa.ArrowInvalid:
        return None
    return pl.Series(text.name, values)


def _without(values: pl.Series, wrong: pl.Series) -> pl.Series:
    """Null where they are wrong; seldom any is, and then nothing is copied."""
    return values.set(wrong, None) if wrong.any() else values


def _read_times(text: pl.Series, format_: str | None) -> pl.Series:
    times = _read_iso(text) if format_ is None else _strptime(text, format_)
    return _without(times, ~times.is_between(_FIRST_YEAR, _LAST_YEAR))


def _read_usual(text: pl.Series) -> pl.Series | None:
    """Times to the second, all without an offset or all with Z; None if any is written otherwise.

    By their length, because Arrow reads more than `_ISO_FORMATS`, such as an hour without minutes:
    of 19 bytes it takes only one form without an offset, and of 20 only one with it.
    """
    lengths = text.str.len_bytes()
    length = lengths.min()
    if length not in (19, 20) or lengths.max() != length:
        return None
    times = _all_by_arrow(text, pa.timestamp("us", "UTC" if length == 20 else None))
    return times if times is None or length == 20 else times.dt.replace_time_zone("UTC")


def _read_iso(text: pl.Series) -> pl.Series:
    """Try form after form on what is left, first those that fit the first cell: most use one."""
    if (usual := _read_usual(text)) is not None:
        return usual
    times = pl.Series(text.name, [None], dtype=DTYPES["timestamp"]).new_from_index(0, len(text))
    # Times without an offset are read several times faster, and Z is none; of these lengths only
    # Z can be what follows the seconds.
    zulu = text.str.ends_with("Z") & (text.str.len_bytes() == 20) & (text.str.slice(16, 1) == ":")
    if zulu.any():
        text = text.str.head(19).zip_with(zulu.fill_null(value=False), text)
    first = next(iter(text.drop_nulls().head(1)), "")
    for format_ in _likely_first(re.sub("[0-9]", "1", first[:_LONGEST_TIME])):
        left = text.set(times.is_not_null(), None)
        if left.null_count() == len(left):
            break
        times = times.zip_with(times.is_not_null(), _strptime(left, format_))
    return times


@lru_cache(maxsize=256)
def _likely_first(example: str) -> Sequence[str]:
    """The formats, first those that fit a time written like this one."""
    one = pl.Series([example])
    return sorted(_ISO_FORMATS, key=lambda format_: _strptime(one, format_).null_count())


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
