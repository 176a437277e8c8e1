"""Patterns mean what Python says they mean, whichever engine matches them."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.domain.judging.patterns import _for_polars, broken_by

ALIKE = [
    "[A-Z]{2}-[0-9]{4}",
    "a|ab",
    "(?:a|ab)(c|bcd)*",
    "a*?b+",
    "[^a-c]{1,3}",
    r"[\-.]+x?",
    r"\(a\)|\[b\]",
    ".{2,}",
    "",
]
PYTHONS = [
    r"\d+",
    r"\w+",
    "^a$",
    "a++b",
    "(?i)ab",
    "(?=a)ab",
    r"(a)\1",
    "[a&&b]",
    "[[a]",
    "a{,2}",
    "[+--]",
    r"a\Z",
    r"\ba",
    "(?P<x>a)",
    "(?>a|ab)c",
    "é",
]
SPELT = r"([a-c]|\[[a-c^-]+\]|\(|\)|\||[*+?.]|\{[0-3](,[0-3]?)?\}){1,8}"
TEXT = st.text(st.sampled_from("abcxAZ09-.()[]{}&,^\\1 \n\r\u00e9\u0664\u017f\u2028"), max_size=6)


def broken(pattern: str, texts: list[str | None]) -> list[bool | None]:
    values = pl.Series("value", texts, dtype=pl.String)
    return values.to_frame().select(broken_by(pattern, values)).to_series().to_list()


@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")
@given(st.lists(TEXT, min_size=1, max_size=30))
@pytest.mark.parametrize("pattern", ALIKE + PYTHONS)
def test_a_value_breaks_a_pattern_where_python_finds_no_whole_match(
    pattern: str, texts: list[str]
) -> None:
    assert broken(pattern, texts) == [not re.fullmatch(pattern, text) for text in texts]


@pytest.mark.parametrize("pattern", ALIKE)
def test_common_patterns_are_left_to_polars(pattern: str) -> None:
    assert _for_polars(pattern) == f"^(?:{pattern})$"


@pytest.mark.parametrize("pattern", PYTHONS)
def test_what_the_dialects_read_differently_is_left_to_python(pattern: str) -> None:
    assert _for_polars(pattern) is None


@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")
@given(st.from_regex(SPELT, fullmatch=True), TEXT)
def test_any_pattern_that_python_compiles_means_what_python_says(pattern: str, text: str) -> None:
    try:
        compiled = re.compile(pattern)
    except re.error:
        return
    assert broken(pattern, [text]) == [not compiled.fullmatch(text)]


def test_a_pattern_too_large_for_polars_is_left_to_python() -> None:
    pattern = "([a-z]{500}){500}x"
    assert _for_polars(pattern) is None
    assert broken(pattern, ["a"]) == [True]


def test_an_empty_cell_breaks_no_pattern() -> None:
    for pattern in ("[a-z]+", r"\w+"):
        assert not broken(pattern, [None])[0]
