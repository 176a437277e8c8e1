"""Graphs that were made elsewhere: by plain scikit-learn and skl2onnx, as a stranger would."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from perennial.domain.definitions.definition import Definition
from perennial.domain.definitions.definition import parse as parse_definition
from tests.unit.training.conftest import taps  # noqa: F401 (a fixture of these tests, too)

TAPS = """
name: taps
task: binary
columns:
  at: {type: timestamp, role: event_time}
  heat: {type: number}
  room: {type: category, nullable: true}
  open: {type: integer, role: label, classes: [0, 1]}
training: {model: linear, min_rows: 40}
"""
GUESTS = """
name: guests
task: regression
columns:
  heat: {type: number}
  seats: {type: integer}
  guests: {type: number, role: label}
"""


@pytest.fixture
def taps_definition() -> Definition:
    return parse_definition(TAPS)


@pytest.fixture
def guests_definition() -> Definition:
    return parse_definition(GUESTS)


def heats(count: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Days that are hot, and whether the taps were open: the world of the tests of training."""
    chance = random.Random(seed)
    heat = np.array([chance.gauss(0, 1) for _ in range(count)], dtype=np.float32)
    opens = np.array([int(h + chance.gauss(0, 0.5) > 0) for h in heat])
    return heat.reshape(-1, 1), opens


def classifier(*, wrong: bool = False, zipmap: bool = True, tensor: str = "heat") -> Any:
    """A logistic regression on heat, in the graph that skl2onnx makes of it."""
    x, y = heats(500)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, 1 - y if wrong else y)
    return to_onnx(
        model,
        initial_types=[(tensor, FloatTensorType([None, 1]))],
        options={"zipmap": zipmap},
        target_opset=18,
    )


def regressor() -> Any:
    """A linear regression on two columns, each a tensor of its own."""
    x = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    model = LinearRegression().fit(x, 3 * x[:, 0] - x[:, 1])
    heat, seats = (
        helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, 1]) for n in ("heat", "seats")
    )
    weights = helper.make_tensor("w", TensorProto.FLOAT, [2, 1], model.coef_.astype(np.float32))
    nodes = [
        helper.make_node("Concat", ["heat", "seats"], ["both"], axis=1),
        helper.make_node("MatMul", ["both", "w"], ["variable"]),
    ]
    out = helper.make_tensor_value_info("variable", TensorProto.FLOAT, [None, 1])
    graph = helper.make_graph(nodes, "g", [heat, seats], [out], [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
