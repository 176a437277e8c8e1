"""Weights of words and of pairs of words."""

from __future__ import annotations

from collections.abc import Iterable

from sklearn.feature_extraction.text import TfidfVectorizer

MIN_DOCUMENTS = 2
MAX_TERMS = 16_384
"""Terms kept, the most frequent ones: they bound the memory of one prediction."""

_NO_TERM = "#"
"""A term that no text has, because it is neither letter nor digit."""


class TokenTfidf(TfidfVectorizer):  # type: ignore[misc]
    """scikit-learn's TF-IDF over texts that are tokens joined by single spaces.

    A class of its own, because its graph needs no tokeniser: it splits on spaces.
    """


def token_tfidf(texts: Iterable[str]) -> TokenTfidf:
    """An unfitted vectoriser that can be fitted to these texts, whatever they are.

    Without a token in two texts there is nothing to weigh, and the vectoriser gives one column of
    zeros where scikit-learn's would raise.
    """
    found = _any_token_in_two(texts)
    return TokenTfidf(
        lowercase=False,
        token_pattern=r"[^ ]+",  # noqa: S106 - a token of text, no secret
        ngram_range=(1, 2),
        min_df=MIN_DOCUMENTS if found else 1,
        max_features=MAX_TERMS if found else None,
        vocabulary=None if found else [_NO_TERM],
    )


def _any_token_in_two(texts: Iterable[str]) -> bool:
    seen: set[str] = set()
    for text in texts:
        tokens = set(text.split())
        if not seen.isdisjoint(tokens):
            return True
        seen |= tokens
    return False
