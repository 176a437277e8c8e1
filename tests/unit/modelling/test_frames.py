"""Typed rows become a model's columns, and the instances of a request that reads back the same."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from perennial.domain.modelling.frames import columns_of, instances_of
from perennial.domain.modelling.inputs import encode
from perennial.domain.serving.instances import read_instances
from perennial.domain.versioning.manifest import Input

INPUTS = tuple(
    Input(type_, f"x{n}", type_, nullable=True)  # type: ignore[arg-type]
    for n, type_ in enumerate(
        ("integer", "number", "boolean", "category", "text", "timestamp")
    )
)  # fmt: skip
FRAME = pd.DataFrame({
    "integer": [3, None],
    "number": [0.1, None],
    "boolean": pd.Series([True, None], dtype=object),
    "category": ["é", None],
    "text": ["Hello, WORLD", None],
    "timestamp": pd.to_datetime(["2025-02-14T23:59:59.5Z", None]),
})  # fmt: skip


def test_a_row_is_json_with_null_for_what_is_missing() -> None:
    first, second = json.loads(json.dumps(instances_of(INPUTS, FRAME)))
    assert first == {
        "integer": 3, "number": 0.1, "boolean": True, "category": "é", "text": "Hello, WORLD",
        "timestamp": "2025-02-14T23:59:59.500000",
    }  # fmt: skip
    assert set(second.values()) == {None}


def test_a_request_reads_back_as_the_rows_that_it_carries() -> None:
    """So what training saw, and what a caller asks, reach the graph as the same tensors."""
    reading = read_instances(INPUTS, json.loads(json.dumps(instances_of(INPUTS, FRAME))))
    assert reading.errors == ()
    asked, trained = encode(INPUTS, reading.columns), encode(INPUTS, columns_of(INPUTS, FRAME))
    for name, tensor in trained.items():
        np.testing.assert_array_equal(asked[name], tensor)
