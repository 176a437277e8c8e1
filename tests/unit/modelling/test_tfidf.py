"""Words and pairs of words are weighed as scikit-learn weighs them, whatever the texts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from perennial.domain.modelling.text import normalise
from perennial.domain.modelling.tfidf import MAX_TERMS, token_tfidf

TEXTS = ["Check out my channel!", "check OUT this video", "Ünder the séa, under it all", "a séa"]


def test_on_normalised_texts_it_equals_scikit_learn_on_raw_ones() -> None:
    tokens = [normalise(text) for text in TEXTS]
    ours = token_tfidf(tokens)
    theirs = TfidfVectorizer(min_df=2, ngram_range=(1, 2))
    np.testing.assert_array_equal(
        ours.fit_transform(tokens).toarray(), theirs.fit_transform(TEXTS).toarray()
    )
    assert list(ours.get_feature_names_out()) == list(theirs.get_feature_names_out())


@pytest.mark.parametrize("tokens", [["", ""], ["one two", "three"], [""], ["same same same"]])
def test_texts_without_a_common_token_give_one_column_of_zeros(tokens: list[str]) -> None:
    found = token_tfidf(tokens).fit_transform(tokens).toarray()
    np.testing.assert_array_equal(found, np.zeros((len(tokens), 1)))


def test_the_number_of_terms_is_bounded() -> None:
    words = [f"w{number}" for number in range(MAX_TERMS)]
    tokens = [" ".join(words), " ".join(words)]
    assert token_tfidf(tokens).fit_transform(tokens).shape[1] == MAX_TERMS
