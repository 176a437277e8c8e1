"""Which values match a pattern of a definition, whole: Python's dialect, at the speed of polars.

Patterns are checked in Python's dialect when a definition is, so that dialect decides. But where a
pattern consists of what both read alike, whatever its characters, polars may match it: a value
matches as a whole in both or in neither, because that depends on the language alone, not on which
way through it is tried first.
"""

from __future__ import annotations

import re
from functools import lru_cache

import polars as pl
from polars.exceptions import ComputeError

_ESCAPED = r"\\[-.,:;/()\[\]{}+*?|^$\\]"
_IN_CLASS = rf"(?:[A-Za-z0-9](?:-[A-Za-z0-9])?|[ _.,:;/@#%+*=!?]|{_ESCAPED})"
_ATOM = rf"(?:[A-Za-z0-9 _,:;/@#%=!'\"<>.-]|{_ESCAPED}|\[\^?{_IN_CLASS}+-?\])"
_REPEAT = r"(?:(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??(?![*+?{]))"
_ALIKE = re.compile(rf"(?:{_ATOM}{_REPEAT}?|\((?:\?:)?(?!\?)|\){_REPEAT}?|\|)*+")
"""Literals, classes, groups, alternatives and repeats. Not anchors, look-around, references,
possessive repeats, flags, or classes such as \\w, which differ."""


def broken_by(pattern: str, values: pl.Series) -> pl.Expr:
    """True for values that do not match, as a whole; null for null.

    Args:
        pattern: a regular expression that Python compiles.
        values: text: a batch of the column of that name, on which the expression is to be used.
    """
    column = pl.col(values.name)
    if (alike := _for_polars(pattern)) is not None:
        return ~column.str.contains(alike)
    compiled = re.compile(pattern)
    others = [v for v in values.drop_nulls().unique() if not compiled.fullmatch(v)]
    return column.is_in(pl.Series(others, dtype=pl.String).implode())


@lru_cache(maxsize=256)
def _for_polars(pattern: str) -> str | None:
    """The pattern for the whole of a value, if polars reads it as Python does."""
    if not _ALIKE.fullmatch(pattern):
        return None
    whole = f"^(?:{pattern})$"
    try:
        pl.Series([""]).str.contains(whole)
    except ComputeError:  # too large for it
        return None
    return whole
