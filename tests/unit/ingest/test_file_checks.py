"""What is wrong with a file as a whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from perennial.domain.definitions.definition import parse
from perennial.domain.judging.validation import judge_bytes

BASE = """
name: shop
task: {task}
columns:
  when: {{type: timestamp, role: event_time}}
  amount: {{type: number, nullable: true, rules: [{{range: [1, 50], severity: warn}}]}}
  visits: {{type: integer, nullable: true{visits}}}
  y: {{type: integer, role: label}}
training: {{min_rows: 2}}
{more}
"""
Row = Callable[[int], tuple[object, object, object, object]]


def said(row: Row, *, task: str = "regression", more: str = "", visits: str = "", rows: int = 100,
         arrived: datetime | None = None) -> list[tuple[str, str, str | None]]:  # fmt: skip
    """Rule, severity and column of every finding but those about ranges."""
    definition = parse(BASE.format(task=task, more=more, visits=visits))
    lines = [",".join("" if v is None else str(v) for v in row(n)) for n in range(rows)]
    data = "\n".join(["when,amount,visits,y", *lines]).encode()
    judgement = judge_bytes(definition, "a.csv", data, arrived=arrived)
    return [(f.rule, f.severity, f.column) for f in judgement.findings if f.rule != "range"]


def good(n: int) -> tuple[object, object, object, object]:
    return f"2024-02-01 {n // 60:02d}:{n % 60:02d}", n % 49 + 1.5, n % 13, n % 7


def test_a_good_file_draws_nothing() -> None:
    assert said(good) == []


@pytest.mark.parametrize("factor", [100, 1000, 0.01, 0.001])
def test_another_unit_is_recognised(factor: float) -> None:
    def scaled(n: int) -> tuple[object, object, object, object]:
        return good(n)[0], f"{(n % 49 + 1.5) * factor:g}", n % 13, n % 7

    assert said(scaled) == [("unit_change", "reject", "amount")]


@pytest.mark.parametrize("measure", ["warn", "ignore"])
def test_the_definition_says_what_another_unit_means(measure: str) -> None:
    found = said(
        lambda n: (good(n)[0], (n % 49 + 1.5) * 100, 1, n % 7),
        more=f"checks: {{unit_change: {measure}}}",
    )

    assert found == ([("unit_change", "warn", "amount")] if measure == "warn" else [])


def test_values_that_merely_grew_are_no_other_unit() -> None:
    assert said(lambda n: (good(n)[0], n % 49 + 40, 1, n % 7)) == []


def test_a_feature_that_equals_the_label_leaks_it() -> None:
    assert said(lambda n: (*good(n)[:2], n % 7, n % 7)) == [("leakage", "reject", "visits")]


def test_equality_by_chance_is_no_leak() -> None:
    """Where nearly every label is the same."""
    assert said(lambda n: (*good(n)[:2], int(n > 95), int(n > 95))) == []


def test_a_single_amount_is_no_label() -> None:
    assert said(lambda n: (*good(n)[:3], 5)) == [("constant_label", "reject", "y")]


def test_a_single_class_may_fill_a_file() -> None:
    assert said(lambda n: (*good(n)[:3], 1), task="binary") == [("constant_label", "warn", "y")]


def test_an_empty_column_is_told() -> None:
    assert said(lambda n: (*good(n)[:2], None, n % 7)) == [("empty_column", "warn", "visits")]


@pytest.mark.parametrize(("severity", "found"), [("reject", "reject"), ("warn", "warn")])
def test_a_share_of_empty_cells_may_be_limited(severity: str, found: str) -> None:
    rule = f", rules: [{{max_null_fraction: 0.2, severity: {severity}}}]"

    assert said(lambda n: (*good(n)[:2], None if n % 4 == 0 else 1, n % 7), visits=rule) == [
        ("max_null_fraction", found, "visits")
    ]
    assert said(lambda n: (*good(n)[:2], None if n % 5 == 0 else 1, n % 7), visits=rule) == []


def test_values_may_be_declared_unique() -> None:
    rule = ", rules: [{unique: true}]"

    assert said(lambda n: (*good(n)[:2], n, n % 7), visits=rule) == []
    assert said(lambda n: (*good(n)[:2], n % 99, n % 7), visits=rule) == [
        ("unique", "reject", "visits")
    ]


def test_repeated_rows_are_limited_where_that_is_declared() -> None:
    limits = "checks: {duplicate_rows: {warn: 0.05, reject: 0.3}}"

    assert said(lambda n: good(n % 50)) == []
    assert said(lambda n: good(n % 50), more=limits) == [("duplicate_row", "reject", None)]
    assert said(lambda n: good(n % 90), more=limits) == [("duplicate_row", "warn", None)]
    assert said(lambda n: good(n % 96), more=limits) == []


def test_a_row_cannot_happen_long_after_its_file_arrived() -> None:
    arrived = datetime(2024, 1, 30, 12, tzinfo=UTC)

    assert said(good, arrived=arrived) == [("future", "reject", "when")]
    assert said(good, arrived=arrived, more="rows: {max_future_days: 3}") == []
    assert said(good, arrived=arrived, more="rows: {max_future_days: null}") == []
    assert said(good, arrived=datetime(2024, 2, 1, tzinfo=UTC)) == []
