"""The rules on rows that a definition implies, as expressions that any worker can evaluate.

Each rule is one boolean expression over a frame that holds every column twice: as text, as it
stands in the file, and as values. So a batch of rows is judged in one pass that only counts, and
rows are looked up where a count is not zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import and_

import polars as pl

from perennial.domain.definitions.definition import Column, Definition, Rule, Severity
from perennial.domain.definitions.recipe import Scalar
from perennial.domain.formats.cells import describe, read_cells
from perennial.domain.judging.findings import listed
from perennial.domain.judging.lateness import earliest
from perennial.domain.judging.patterns import broken_by

_FLOAT32_EXACT = 2**24
"""Up to here float32 holds every integer."""

_FLOAT32_MAX = 3.4028234663852886e38


@dataclass(frozen=True, slots=True)
class Check:
    """One rule on rows.

    Attributes:
        rule: its identifier.
        severity: what is done about rows that break it.
        column: the column that it is about.
        broken: true for rows that break it; null counts as false.
        shown: the text of such a row that tells why.
        expected: what would be right.
        advice: what to do about it.
        aside: true for rows that a row policy sets aside for it; `broken` where absent.
        unusable: whether a row that breaks it is of no use to training, whoever accepts it.
    """

    rule: str
    severity: Severity
    column: str
    broken: pl.Expr
    shown: pl.Expr
    expected: str
    advice: str = ""
    aside: pl.Expr | None = None
    unusable: bool = False


def text_of(column: str) -> str:
    """Name of a column's text in the frame that checks read."""
    return f"text of {column}"


def values_of(column: str) -> str:
    """Name of a column's values in the frame that checks read."""
    return f"values of {column}"


def row_checks(
    definition: Definition,
    frame: pl.DataFrame,
    columns: Sequence[str],
    arrived: datetime | None = None,
    covered: datetime | None = None,
) -> Iterator[Check]:
    """Every rule that a row obeys or breaks by itself.

    Args:
        definition: what implies the rules.
        frame: a batch of rows, with `text_of` and `values_of` each column; only patterns look at
            it.
        columns: the declared columns that the file has.
        arrived: when the file did (UTC); None where nobody knows, and nothing is in the future.
        covered: through when earlier accepted files reach (UTC); None where nothing is late.
    """
    ahead = definition.rows.max_future_days
    first = earliest(covered, definition.rows.max_lateness_days)
    for name in columns:
        column = definition.columns[name]
        if column.role == "event_time" and (latest := _latest(arrived, ahead)) is not None:
            yield _of_future(name, latest)
        if column.role == "event_time" and first is not None:
            yield _of_lateness(name, first)
        yield from _of_type(name, column)
        for rule in column.rules:
            if rule.kind in ("range", "allowed", "observed", "pattern"):
                yield _of_rule(name, column, rule, frame)
        if column.classes is not None:
            yield _of_classes(name, column, column.classes)
        if column.role == "feature":
            yield from _of_precision(name, column)


def told_apart_by(definition: Definition, columns: Sequence[str]) -> set[str]:
    """Those of a file's declared columns in which `file_checks` look for values that repeat."""
    unique = (n for n in columns if any(rule.unique for rule in definition.columns[n].rules))
    return {*unique, *definition.names("key")} & {*columns}


def file_checks(
    definition: Definition, columns: Sequence[str], frame: pl.DataFrame
) -> Iterator[Check]:
    """The rules that rows obey or break together, unless it is clear that all obey them.

    Args:
        definition: what implies the rules.
        columns: the declared columns that the file has.
        frame: all of its rows, with `values_of` each column.
    """
    keys = definition.names("key")
    if keys and set(keys) <= set(columns) and _may_repeat(frame, keys):
        yield _of_key(keys, columns)
    for name in columns:
        for rule in definition.columns[name].rules:
            if rule.unique and _may_repeat(frame, [name]):
                yield _of_uniqueness(name, rule.severity, columns)


def _may_repeat(frame: pl.DataFrame, columns: Sequence[str]) -> bool:
    """Whether rows may have the same values in these columns.

    Different hashes are those of different values; they are compared several times faster.
    """
    hashes = frame.select(values_of(name) for name in columns).hash_rows()
    return bool(hashes.n_unique() < frame.height)


def _of_type(name: str, column: Column) -> Iterator[Check]:
    text, value = pl.col(text_of(name)), pl.col(values_of(name))
    empty = text.is_null() if column.type == "text" else text.is_null() | (text == "")
    if column.type not in ("category", "text"):
        yield Check(
            "type", "reject", name, ~empty & value.is_null(), text, describe(column), unusable=True
        )
    if not column.nullable:
        yield Check(
            "null", "reject", name, empty, pl.lit(None, pl.String), "a value",
            advice="nullable: true would allow it", unusable=True,
        )  # fmt: skip


def _of_rule(name: str, column: Column, rule: Rule, frame: pl.DataFrame) -> Check:
    text, value = pl.col(text_of(name)), pl.col(values_of(name))
    if rule.range is not None:
        low, high = rule.range
        broken = pl.lit(value=False)
        if low is not None:
            broken |= value < low
        if high is not None:
            broken |= value > high
        return Check("range", rule.severity, name, broken, text, _range(low, high))
    if rule.allowed is not None:
        broken = ~value.is_in(_read(rule.allowed, column).implode())
        return Check(
            "allowed", rule.severity, name, broken, text, f"one of {listed(_spelt(rule.allowed))}"
        )
    if rule.observed is not None:
        return _of_observed(name, column, rule.observed)
    broken = broken_by(rule.pattern or "", frame[values_of(name)])
    return Check("pattern", rule.severity, name, broken, text, f"text that matches {rule.pattern}")


def _of_observed(name: str, column: Column, observed: Sequence[Scalar]) -> Check:
    text, value = pl.col(text_of(name)), pl.col(values_of(name))
    if column.type not in ("integer", "number"):
        broken = ~value.is_in(_read(observed, column).implode())
        expected = f"one of the values seen so far, {listed(_spelt(observed))}"
        return Check("observed", "warn", name, broken, text, expected)
    low, high = (float(bound) for bound in observed)
    broken = (value < low - (high - low)) | (value > high + (high - low))
    expected = f"a value near those seen so far, {low:,.15g} to {high:,.15g}"
    return Check("observed", "warn", name, broken, text, expected)


def _of_classes(name: str, column: Column, classes: Sequence[bool | int | str]) -> Check:
    text, value = pl.col(text_of(name)), pl.col(values_of(name))
    return Check(
        "class", "reject", name, ~value.is_in(_read(classes, column).implode()), text,
        f"one of the classes {listed(_spelt(classes))}", unusable=True,
    )  # fmt: skip


def _of_precision(name: str, column: Column) -> Iterator[Check]:
    """Models compute in float32: a feature that it cannot hold would reach them as another one."""
    text, value = pl.col(text_of(name)), pl.col(values_of(name))
    if column.type == "integer":
        # Both bounds rather than abs(): the lowest int64 has no absolute value.
        broken = ~value.is_between(-_FLOAT32_EXACT, _FLOAT32_EXACT)
        yield Check(
            "precision", "reject", name, broken, text,
            f"an integer between -{_FLOAT32_EXACT:,} and {_FLOAT32_EXACT:,}, which a model holds "
            "exactly",
            advice="give an identifier role key or ignore, and a time type timestamp",
            unusable=True,
        )  # fmt: skip
    if column.type == "number":
        yield Check(
            "precision", "reject", name, value.abs() > _FLOAT32_MAX, text,
            "a number within the range of float32, in which a model computes", unusable=True,
        )  # fmt: skip
        broken = (value.abs() > _FLOAT32_EXACT) & (value.abs() <= _FLOAT32_MAX)
        yield Check(
            "precision", "warn", name, broken & (value == value.floor()), text,
            f"no whole number beyond {_FLOAT32_EXACT:,}, which a model rounds",
            advice="give an identifier role key or ignore, and a time type timestamp",
        )  # fmt: skip


def _of_key(keys: Sequence[str], columns: Sequence[str]) -> Check:
    values = [pl.col(values_of(key)) for key in keys]
    whole = reduce(and_, (value.is_not_null() for value in values))
    key = values[0] if len(values) == 1 else pl.struct(values)
    broken = whole & ~key.is_first_distinct()
    shown = pl.concat_str([value.cast(pl.String) for value in values], separator=", ")
    aside = whole & _contested(keys, columns)
    return Check(
        "key", "reject", " + ".join(keys), broken, shown, "every key once in a file", aside=aside
    )


def _of_uniqueness(name: str, severity: Severity, columns: Sequence[str]) -> Check:
    value = pl.col(values_of(name))
    broken = value.is_not_null() & ~value.is_first_distinct()
    shown, aside = value.cast(pl.String), value.is_not_null() & _contested([name], columns)
    return Check("unique", severity, name, broken, shown, "every value once", aside=aside)


def _contested(names: Sequence[str], columns: Sequence[str]) -> pl.Expr:
    """The rows to set aside where rows have the same values in the columns of these names.

    Where they are the same in every column, one of them is enough. Where they differ nobody knows
    which is right, so that none of them is.
    """
    same = [pl.col(values_of(name)) for name in names]
    whole = pl.struct(pl.col(values_of(name)) for name in columns)
    row = pl.int_range(pl.len())
    return (pl.len().over(same) > 1) & (
        (whole.is_first_distinct().sum().over(same) > 1) | (row != row.min().over(same))
    )


def _latest(arrived: datetime | None, ahead: float | None) -> datetime | None:
    """The last moment at which a row may happen; None where any is fine."""
    if arrived is None or ahead is None:
        return None
    try:
        return arrived + timedelta(days=ahead)
    except OverflowError:  # after the last year there is
        return None


def _of_future(name: str, latest: datetime) -> Check:
    text, value = pl.col(text_of(name)), pl.col(values_of(name))
    return Check(
        "future", "reject", name, value > latest, text,
        f"a time until {latest:%Y-%m-%d %H:%M} UTC",
        advice="rows.max_future_days says how long after its file's arrival a row may happen",
    )  # fmt: skip


def _of_lateness(name: str, first: datetime) -> Check:
    text, value = pl.col(text_of(name)), pl.col(values_of(name))
    return Check(
        "lateness", "reject", name, value < first, text,
        f"a time from {first:%Y-%m-%d %H:%M} UTC on",
        advice="rows.max_lateness_days says how long before the end of what was accepted already a "
        "row may have happened",
    )  # fmt: skip


def _read(values: Sequence[Scalar], column: Column) -> pl.Series:
    """Values from a definition, read as a cell that holds them would be."""
    return read_cells(pl.Series(_spelt(values), dtype=pl.String), column)


def _spelt(values: Sequence[Scalar]) -> list[str]:
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:,.15g}"
    if high is None:
        return f"at least {low:,.15g}"
    return f"a value from {low:,.15g} to {high:,.15g}"
