"""Labels become places in the list of classes, whatever types a frame made of them."""

from __future__ import annotations

import numpy as np
import pytest

from perennial.domain.definitions.definition import Definition
from perennial.domain.modelling.labels import UNKNOWN_CLASS, Classes, classes_of, codes_of


def definition(label_type: str, classes: list[object] | None = None) -> Definition:
    return Definition.model_validate({
        "name": "shop",
        "task": "multiclass",
        "columns": {
            "x": {"type": "number"},
            "y": {"type": label_type, "role": "label", "classes": classes},
        },
    })  # fmt: skip


@pytest.mark.parametrize(
    ("label_type", "labels", "classes"),
    [
        ("integer", [2.0, 0.0, 2.0, 10.0], (0, 2, 10)),
        ("boolean", [True, False], (False, True)),
        ("category", ["b", "a"], ("a", "b")),
    ],
)
def test_undeclared_classes_are_those_seen_sorted(
    label_type: str, labels: list[object], classes: Classes
) -> None:
    found = classes_of(definition(label_type), labels)
    assert found == classes
    assert [type(c) for c in found] == [type(c) for c in classes]


def test_declared_classes_keep_their_order_and_take_the_columns_type() -> None:
    assert classes_of(definition("category", [3, "a"]), ["a"]) == ("3", "a")


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (np.array([1.0, 0.0, 7.0]), (0, 1)),
        (np.array([1, 0, 7]), (0, 1)),
        (np.array([True, False, None], dtype=object), (False, True)),
        (np.array(["b", "a", "c"], dtype=object), ("a", "b")),
    ],
)
def test_a_code_is_the_place_of_the_class_that_equals_the_label(
    labels: np.ndarray, classes: Classes
) -> None:
    assert codes_of(labels, classes).tolist() == [1, 0, UNKNOWN_CLASS]
