"""What a column of sample files seems to be.

A type comes from every cell. What is merely observed (bounds, constants, lists of categories) is
kept apart from it, because later files may rightly differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import polars as pl

from perennial.domain.definitions.definition import Column, ColumnType, Role
from perennial.domain.formats.cells import read_cells

_TIME_FORMATS = (
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d",
    "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%m/%d/%Y",
    "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y",
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y",
    "%d-%b-%Y %H:%M:%S", "%d-%b-%Y %H:%M", "%d-%b-%Y",
)  # fmt: skip
_COUNT_WORDS = frozenset(
    ["n", "num", "number", "cnt", "count", "counts", "qty", "quantity", "visits", "clicks"]
)
_ID_WORDS = frozenset(("id", "uuid", "guid", "key", "hash"))
_FLOAT32_EXACT = 2**24
_MANY = 0.5  # share of different values from which strings are no categories
_FEW = 20


@dataclass(frozen=True, slots=True)
class Guess:
    """What one column seems to be.

    Attributes:
        type, role, format: as in a definition.
        why: a remark that says what type and role rest on.
        rows, nulls: cells that were looked at, and how many of them are empty.
        distinct: how many different values there are.
        low, high: observed bounds of numbers.
        values: the observed values, where they are few.
        counts: whether it seems to be a count, which cannot be negative.
    """

    name: str
    type: ColumnType
    role: Role
    why: str
    rows: int
    nulls: int
    distinct: int
    format: str | None = None
    low: float | None = None
    high: float | None = None
    values: tuple[Any, ...] = ()
    counts: bool = False


def guess(name: str, text: pl.Series, decimal: str = ".") -> Guess:
    """Guess a column's type, and whether it is a feature or to be ignored.

    Args:
        name: the column's name, which may hint at an identifier or a count.
        text: its cells as they stand in the files; null where they are empty.
        decimal: the mark before the fraction of a number.
    """
    present = text.replace("", None).drop_nulls()
    rows, distinct = len(text), present.n_unique()
    blank = Guess(name, "text", "ignore", "", rows, rows - len(present), distinct)
    if present.is_empty():
        return replace(blank, why=f"empty in all {rows} rows")
    for attempt in (_boolean, _integer, partial(_number, decimal=decimal), _time):
        if (found := attempt(blank, present)) is not None:
            return found
    return _string(blank, present)


def as_time(name: str, text: pl.Series) -> Guess | None:
    """A guess for a column that is meant to hold times; None where it does not."""
    present = text.replace("", None).drop_nulls()
    blank = Guess(
        name, "text", "ignore", "", len(text), len(text) - len(present), present.n_unique()
    )
    return None if present.is_empty() else _time(blank, present)


def _boolean(blank: Guess, present: pl.Series) -> Guess | None:
    if not present.str.to_lowercase().is_in(["true", "false"]).all():
        return None
    return replace(blank, type="boolean", role="feature", why="true or false in every row")


def _integer(blank: Guess, present: pl.Series) -> Guess | None:
    values = read_cells(present, Column(type="integer"))
    if values.null_count():
        return None
    if present.str.contains(r"^[+-]?0[0-9]").any():
        return replace(
            blank, type="category", role="feature", values=_few(present),
            why="digits with leading zeros: codes rather than numbers",
        )  # fmt: skip
    low, high = _bounds(values)
    found = replace(blank, type="integer", role="feature", low=low, high=high, values=_few(values))
    if max(abs(low), abs(high)) > _FLOAT32_EXACT:
        return replace(
            found, role="ignore",
            why="whole numbers too large for a model to hold exactly: an identifier or a time?",
        )  # fmt: skip
    if _named(blank, _ID_WORDS) and blank.distinct == len(present) > 1:
        return replace(found, role="ignore", why=_key_like(blank))
    counts = low >= 0 and _named(blank, _COUNT_WORDS)
    return replace(found, counts=counts, why="whole numbers in every row")


def _number(blank: Guess, present: pl.Series, *, decimal: str) -> Guess | None:
    values = read_cells(present, Column(type="number"), decimal=decimal)
    if values.null_count():
        return None
    low, high = _bounds(values)
    return replace(
        blank, type="number", role="feature", low=low, high=high, why="numbers in every row"
    )


def _time(blank: Guess, present: pl.Series) -> Guess | None:
    fitting = [
        format_
        for format_ in (None, *_TIME_FORMATS)
        if not read_cells(present, Column(type="timestamp", format=format_)).null_count()
    ]
    if not fitting:
        return None
    why = f"{fitting[0] or 'ISO 8601'} fits every row"
    if len(fitting) > 1 and fitting[0] is not None:
        why += f", and so does {fitting[1]}: choose"
    return replace(blank, type="timestamp", role="feature", format=fitting[0], why=why)


def _string(blank: Guess, present: pl.Series) -> Guess:
    share = blank.distinct / len(present)
    spaced = present.str.contains(" ").mean()
    if share > _MANY and len(present) > 1:
        if isinstance(spaced, float) and spaced > _MANY:
            why = f"{blank.distinct} different texts with spaces in {blank.rows} rows"
            return replace(blank, type="text", role="feature", why=why)
        if blank.distinct == len(present) and (_named(blank, _ID_WORDS) or len(present) >= _FEW):
            return replace(blank, type="category", role="ignore", why=_key_like(blank))
    values = "value" if blank.distinct == 1 else "different values"
    return replace(
        blank, type="category", role="feature", values=_few(present),
        why=f"{blank.distinct} {values} in {blank.rows} rows",
    )  # fmt: skip


def _bounds(values: pl.Series) -> tuple[float, float]:
    low, high = (
        values.to_frame().select(pl.all().min().alias("l"), pl.all().max().alias("h")).row(0)
    )
    return low, high


def _few(values: pl.Series) -> tuple[Any, ...]:
    distinct = values.unique().sort()
    return tuple(distinct) if len(distinct) <= _FEW else ()


def _named(blank: Guess, words: frozenset[str]) -> bool:
    """Whether one of these is a word of the column's name: `n_words` and `nWords` have n."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", blank.name)
    return not words.isdisjoint(re.split(r"[\W_]+", spaced.lower()))


def _key_like(blank: Guess) -> str:
    return f"different in all {blank.rows} rows; role key would demand it of every file"
