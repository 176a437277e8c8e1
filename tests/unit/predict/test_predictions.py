"""A model's numbers become predictions that JSON can carry."""

from __future__ import annotations

import numpy as np
import pytest

from perennial.domain.modelling.predictions import class_key, predictions
from perennial.errors import ModelError
from tests.unit.predict.versions import CLASSES, manifest_of


def test_a_regression_answers_numbers() -> None:
    answer = predictions(manifest_of(b"", "v000001"), np.float32([1.5, -2]))
    assert answer == [1.5, -2.0]


def test_a_classifier_answers_the_likeliest_class_and_all_probabilities() -> None:
    manifest = manifest_of(b"", "v000001", classes=CLASSES)
    answer = predictions(manifest, np.float32([[0.25, 0.75], [0.5, 0.5]]))
    assert answer == [
        {"label": "yes", "probabilities": {"no": 0.25, "yes": 0.75}},
        {"label": "no", "probabilities": {"no": 0.5, "yes": 0.5}},
    ]


def test_labels_keep_their_type_and_keys_are_json() -> None:
    manifest = manifest_of(b"", "v000001", classes=(False, True))
    assert predictions(manifest, np.float32([[0, 1]])) == [
        {"label": True, "probabilities": {"false": 0.0, "true": 1.0}}
    ]
    assert [class_key(one) for one in (1, "1", True)] == ["1", "1", "true"]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_a_number_is_an_error_that_names_the_instance(bad: float) -> None:
    with pytest.raises(ModelError, match="instance 1"):
        predictions(manifest_of(b"", "v000001"), np.float32([1, bad]))


def test_what_only_float32_tells_apart_is_a_tie() -> None:
    """As scikit-learn, which has it in double precision, takes the first class of a tie."""
    manifest = manifest_of(b"", "v000001", classes=("no", "yes"))
    near, far = predictions(manifest, np.float32([[0.5, 0.50000012], [0.5, 0.50001]]))
    assert (near["label"], far["label"]) == ("no", "yes")
