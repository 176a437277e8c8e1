"""Typed values become the tensors that `Input` documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from perennial.domain.modelling.inputs import LARGEST, MISSING_TIME, encode
from perennial.domain.versioning.manifest import Input, InputType


def tensor(type_: InputType, values: object) -> np.ndarray:
    """The one tensor of a one-column model."""
    return encode([Input("column", "x0", type_)], {"column": values})["x0"]  # type: ignore[dict-item]


def test_numbers_are_float32_with_nan_for_a_missing_one() -> None:
    found = tensor("number", [1.5, None, -2, float("nan")])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [[1.5], [np.nan], [-2], [np.nan]])


def test_booleans_are_zero_and_one() -> None:
    np.testing.assert_array_equal(tensor("boolean", [True, None, False]), [[1], [np.nan], [0]])


def test_a_number_beyond_float32_is_cut_and_not_infinite() -> None:
    found = tensor("number", [1e300, float("-inf"), 3e38])
    largest = np.float32(LARGEST)
    np.testing.assert_array_equal(found, [[largest], [-largest], [largest]])


@pytest.mark.parametrize("value", [2**53 + 1, 16_777_217, 1e-50, 0.1])
def test_a_python_number_and_a_numpy_column_give_the_same_float32(value: float) -> None:
    assert tensor("number", [value]) == tensor("number", np.array([value]))


def test_categories_stay_as_they_came_and_a_missing_one_is_empty() -> None:
    found = tensor("category", ["Red ", None, "é"])
    assert found.tolist() == [["Red "], [""], ["é"]]


def test_characters_that_onnxruntime_cannot_take_become_question_marks() -> None:
    assert tensor("category", ["a\0b", "lone \ud800"]).tolist() == [["a?b"], ["lone ?"]]


def test_texts_are_normalised_and_a_missing_one_is_empty() -> None:
    assert tensor("text", ["Hello, WORLD", None]).tolist() == [["hello world"], [""]]


def test_times_are_whole_seconds_downwards_on_both_sides_of_1970() -> None:
    times = [
        datetime(1970, 1, 1, 0, 0, 1, 999_999, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC),
        datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        datetime(1970, 1, 2),  # noqa: DTZ001 - without an offset it is UTC
        None,
    ]
    found = tensor("timestamp", times)
    assert found.dtype == np.int64
    assert found.ravel().tolist() == [1, -1, 0, 86_400, MISSING_TIME]


def test_numpy_times_agree_with_datetimes() -> None:
    texts = ["1969-12-31T23:59:59.500000", "2012-02-29T12:00:00.999999"]
    numpy_times = np.array([*texts, "NaT"], dtype="datetime64[us]")
    times = [*map(datetime.fromisoformat, texts), None]
    np.testing.assert_array_equal(tensor("timestamp", numpy_times), tensor("timestamp", times))


def test_every_tensor_has_one_column_also_without_rows() -> None:
    inputs = [
        Input(name, name, type_)
        for name, type_ in [("a", "number"), ("b", "category"), ("c", "text"), ("d", "timestamp")]
    ]
    tensors = encode(inputs, {name: [] for name in "abcd"})
    assert {name: t.shape for name, t in tensors.items()} == dict.fromkeys("abcd", (0, 1))


def test_a_column_that_is_absent_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="column"):
        encode([Input("column", "x0", "category")], {})
