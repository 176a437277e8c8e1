"""How the text of a cell is read, type by type."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from perennial.domain.definitions.definition import Column, ColumnType
from perennial.domain.formats.cells import DTYPES, read_cells


def read(text: list[str | None], **column: Any) -> list[Any]:
    """The values of a column's cells."""
    values = read_cells(pl.Series(text, dtype=pl.String), Column(**column))
    assert values.dtype == DTYPES[column["type"]]
    return values.to_list()


@pytest.mark.parametrize("type_", ["integer", "number", "boolean", "category", "timestamp"])
def test_empty_cells_are_null(type_: ColumnType) -> None:
    """Quoted or not."""
    assert read([None, ""], type=type_) == [None, None]


def test_text_keeps_an_empty_string_apart_from_an_empty_cell() -> None:
    """Only text does."""
    assert read([None, ""], type="text") == [None, ""]


@pytest.mark.parametrize("type_", ["category", "text"])
def test_words_that_other_readers_take_for_null_stay_words(type_: ColumnType) -> None:
    """Pandas reads "None" and "NA" as null."""
    words: list[str | None] = ["None", "NA", "null", " x ", "007"]

    assert read(words, type=type_) == words


def test_integers_are_digits_with_an_optional_sign() -> None:
    """Anything else, and what 64 bits do not hold, is not read."""
    assert read(["1", "+2", "-3", "007", "-9223372036854775808"], type="integer") == [
        1, 2, -3, 7, -(2**63),
    ]  # fmt: skip
    bad: list[str | None] = ["1.0", "1e3", " 1", "1_0", "0x1", "9223372036854775808", "warm", "١"]
    assert read(bad, type="integer") == [None] * len(bad)


def test_numbers_are_finite_decimals() -> None:
    """NaN, infinities and what overflows are not numbers."""
    assert read(["1", "-.5", "2.", "1e3", "-0"], type="number") == [1.0, -0.5, 2.0, 1000.0, 0.0]
    bad: list[str | None] = ["nan", "NaN", "inf", "-Infinity", "1e999", "1,5", "warm", "1d"]
    assert read(bad, type="number") == [None] * len(bad)


def test_booleans_are_a_small_documented_set() -> None:
    """As the predict function reads them: true, false, 1, 0, in any case."""
    assert read(["true", "FALSE", "1", "0"], type="boolean") == [True, False, True, False]
    assert read(["yes", "no", "t", "2", "-1"], type="boolean") == [None] * 5


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-01", "2024-02-01T00:00", "2024-02-01 00:00", "2024-02-01T00:00:00",
        "2024-02-01 00:00:00.000", "2024-02-01T00:00:00Z", "2024-02-01T01:00:00+01:00",
        "2024-01-31 19:00:00-0500", "2024-02-01T01:00+01",
    ],
)  # fmt: skip
def test_times_without_a_format_are_iso_8601(text: str) -> None:
    """With T or a space, a fraction, an offset; without an offset it is UTC."""
    assert read([text], type="timestamp") == [datetime(2024, 2, 1, tzinfo=UTC)]


def test_one_column_may_mix_iso_forms() -> None:
    """A form is tried on what the ones before it did not fit."""
    forms: list[str | None] = ["2024-02-01T00:00:00Z", None, "2024-02-01", "2024-02-01 00:00"]

    assert read(forms, type="timestamp") == [
        None if form is None else datetime(2024, 2, 1, tzinfo=UTC) for form in forms
    ]


@pytest.mark.parametrize(
    "text", ["2024-02-30", "2024-13-01", "0000-01-01", "9999-12-31T23:00:00-05:00", "yesterday"]
)
def test_times_that_do_not_exist_are_not_read(text: str) -> None:
    """Nor those outside the years 1 to 9999, which Python cannot hold."""
    assert read([text], type="timestamp") == [None]


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        ("%m/%d/%Y %H:%M", "2/1/2024 00:00"),
        ("%d.%m.%Y", "01.02.2024"),
        ("%Y-%m-%d %H:%M:%S.%f", "2024-02-01 00:00:00.000000"),
        ("%Y%m%d%H%M%S%f", "20240201000000000000"),
        ("%Y-%m-%dT%H:%M:%S%z", "2024-02-01T02:00:00+0200"),
        ("%Y-%m-%dT%H", "2024-02-01T00"),
        ("%b %d %Y %I:%M %p", "Feb 1 2024 12:00 AM"),
    ],
)
def test_declared_formats_mean_what_python_means_by_them(format_: str, text: str) -> None:
    """Fractions and offsets are spelt differently by polars, and an hour alone it cannot read."""
    expected = datetime.strptime(text, format_)  # noqa: DTZ007 (the next line adds the zone)
    expected = expected if expected.tzinfo else expected.replace(tzinfo=UTC)

    assert read([text, "x"], type="timestamp", format=format_) == [expected, None]
    assert expected == datetime(2024, 2, 1, tzinfo=UTC)


def test_fractions_keep_their_microseconds() -> None:
    """Python's %f is a fraction; that of polars counts nanoseconds."""
    [time] = read(["2024-02-01 00:00:00.25"], type="timestamp", format="%Y-%m-%d %H:%M:%S.%f")

    assert time == datetime(2024, 2, 1, tzinfo=UTC) + timedelta(milliseconds=250)
