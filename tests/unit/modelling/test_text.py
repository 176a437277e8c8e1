"""Text becomes the same tokens that scikit-learn's vectoriser would find."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from perennial.domain.modelling.text import normalise

ANALYSE = TfidfVectorizer().build_analyzer()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Check out MY channel!!", "check out my channel"),
        ("a b c", ""),
        ("", ""),
        ("Ünïcode Ελληνικά 日本語 naïve", "ünïcode ελληνικά 日本語 naïve"),
        ("snake_case 42 don't", "snake_case 42 don"),
        ("line\nbreak\ttab\u00a0hard", "line break tab hard"),
        ("lone \ud800 surrogate", "lone surrogate"),
    ],
)
def test_normalise_gives_lowercase_tokens_of_two_or_more_characters(text: str, tokens: str) -> None:
    assert normalise(text) == tokens


@given(st.text())
def test_tokens_are_those_of_scikit_learn_and_split_on_single_spaces(text: str) -> None:
    assert normalise(text).split(" ") == (ANALYSE(text) or [""])
