"""The list of operators is what the exporter uses, no more and no less."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnx

from perennial.adapters.onnx_export import OPSET, export
from perennial.domain.graphs import graph_rules
from perennial.domain.modelling.training import fit

from .conftest import KINDS, TASKS, define


def test_models_of_ours_consist_of_exactly_the_listed_operators(
    make_case: Callable[..., Any],
) -> None:
    """Every kind, task and type of column; losses of counts; classes that training never saw."""
    cases = [make_case(task, kind) for task in TASKS for kind in KINDS]
    models = [case.model for case in cases]
    of_counts = define("regression", "hist_gradient_boosting", parameters={"loss": "poisson"})
    models.append(fit(of_counts, cases[0].fresh))
    used: dict[str, set[str]] = {domain: set() for domain in graph_rules.EXPORTED}
    for model in models:
        proto = onnx.load_from_string(export(model).graph)
        for node in proto.graph.node:
            used[node.domain].add(node.op_type)
    assert used == graph_rules.EXPORTED


def test_the_exporter_uses_versions_that_are_let_in() -> None:
    for domain, version in OPSET.items():
        assert version <= graph_rules.OPSETS[domain]
