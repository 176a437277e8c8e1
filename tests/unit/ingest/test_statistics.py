"""What verdicts say of categories: how many there are, and the most frequent of them."""

from __future__ import annotations

import polars as pl

from perennial.domain.definitions.definition import Column
from perennial.domain.judging.statistics import describe_columns

CATEGORY = Column(type="category")


def described(values: list[str | None]) -> dict[str, object]:
    frame = pl.DataFrame({"c": pl.Series(values, dtype=pl.String)})
    return describe_columns(frame, {"c": CATEGORY})["c"]


def test_the_most_frequent_come_first_and_equals_in_the_order_of_their_names() -> None:
    top = described(["b", "c", "a", "c", None])["top"]
    assert list(top.items()) == [("c", 2), ("a", 1), ("b", 1)]  # type: ignore[attr-defined]


def test_of_many_only_a_hundred_are_counted_the_first_of_equals() -> None:
    found = described([f"{n:03d}" for n in range(150)] + ["149"])
    assert found["distinct"] == 150
    assert list(found["top"]) == ["149", *(f"{n:03d}" for n in range(99))]  # type: ignore[call-overload]


def test_names_that_were_cut_to_the_same_count_together_and_are_distinct_still() -> None:
    found = described(["x" * 100 + "1", "x" * 100 + "2", "y"])
    assert found["distinct"] == 3
    assert found["top"] == {"x" * 100: 2, "y": 1}


def test_a_column_without_a_value_has_no_category() -> None:
    assert described([None, None]) == {"count": 0, "nulls": 2, "distinct": 0, "top": {}}
