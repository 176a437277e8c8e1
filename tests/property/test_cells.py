"""Cells that a fast reader takes are read as the slow one reads them."""

from __future__ import annotations

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from perennial.domain.definitions.definition import Column, ColumnType
from perennial.domain.formats.cells import read_cells

NO_VALUE = "?"
"""Of no type: one such cell, and the whole column is read slowly."""

DAY = st.dates().map(str)
CLOCK = st.times().map(lambda time: f"{time:%H:%M:%S}")
OFFSET = st.sampled_from(["", "Z", "z", "+01", "-0130", "+01:30", "+24:00", " Z"])
CLOCKS = st.one_of(CLOCK, st.sampled_from(["09", "09:30", "24:00:00", "23:59:60", "09:30:00.5"]))
TIME = st.tuples(DAY, st.sampled_from(["T", "t", " ", "  "]), CLOCKS, OFFSET).map("".join)
USUAL = st.tuples(DAY, st.sampled_from(["T", " "]), CLOCK, st.sampled_from(["", "Z"])).map("".join)


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """A time of the usual form with another character somewhere, of the same length."""
    time = draw(USUAL)
    place = draw(st.integers(0, len(time) - 1))
    return time[:place] + draw(st.sampled_from("0123456789 +-:.TtZz/é")) + time[place + 1 :]


TRUTH = st.one_of(
    st.sampled_from(["true", "false"]).flatmap(
        lambda word: st.tuples(*(st.sampled_from([c, c.upper()]) for c in word)).map("".join)
    ),
    st.sampled_from(["0", "1", "", " true", "1 ", "t", "yes", "01", "fal\u017fe", "TRU\u0395"]),
)


def agree(cells: list[str | None], type_: ColumnType) -> None:
    """A column of these cells is read alike with and without one that makes it slow."""
    column = Column(type=type_)
    fast = read_cells(pl.Series("c", cells, dtype=pl.String), column)
    slow = read_cells(pl.Series("c", [*cells, NO_VALUE], dtype=pl.String), column)
    assert fast.dtype == slow.dtype
    assert fast.name == slow.name
    assert fast.to_list() == slow.to_list()[:-1]


@given(st.lists(st.none() | TIME | spoilt(), min_size=1, max_size=1) | st.lists(TIME | spoilt()))
@settings(max_examples=500, deadline=None)
@example(["2024-02-01T10"])
@example(["2024-02-01T10Z"])
@example(["2024-02-01T10+01:00"])
@example(["2024-02-01T10:00+01"])
@example(["0000-02-01T10:00:00Z"])
@example(["2024-02-01 10:00:00", "2024-02-01T10:00:01"])
def test_a_time_is_read_alike_beside_times_and_beside_anything(cells: list[str | None]) -> None:
    """Also those that look usual, of which one character is another."""
    agree(cells, "timestamp")


@given(st.lists(st.none() | USUAL, max_size=8))
@settings(max_examples=300, deadline=None)
def test_times_of_the_usual_forms_are_read_alike(cells: list[str | None]) -> None:
    """From the year 1 to 9999, with Z or without an offset, and both in one column."""
    agree(cells, "timestamp")


@given(st.lists(st.none() | TRUTH, max_size=4))
@settings(max_examples=300, deadline=None)
def test_a_truth_value_is_read_alike_beside_truth_values_and_beside_anything(
    cells: list[str | None],
) -> None:
    """In any case of letters; letters that only look alike, or fold to them, are none."""
    agree(cells, "boolean")
