"""A graph answers as its model does, also where trees split; otherwise the gate stays shut."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import numpy_helper

from perennial.adapters.graph import Graph
from perennial.adapters.onnx_export import export
from perennial.adapters.parity import check_parity
from perennial.domain.modelling.frames import columns_of
from perennial.domain.modelling.inputs import encode
from perennial.domain.modelling.probes import probes
from perennial.domain.modelling.training import fit
from perennial.errors import GateFailed
from perennial.ports import Artefact


def sabotage(artefact: Artefact, change: Callable[[onnx.ModelProto], None]) -> Artefact:
    proto = onnx.load_from_string(artefact.graph)
    change(proto)
    return replace(artefact, graph=proto.SerializeToString())


def node(proto: onnx.ModelProto, kind: str) -> onnx.NodeProto:
    return next(n for n in proto.graph.node if n.op_type == kind)


def attribute(of: onnx.NodeProto, name: str) -> onnx.AttributeProto:
    return next(a for a in of.attribute if a.name == name)


def test_graph_and_model_agree_for_every_task_and_kind(case: Any) -> None:
    artefact = export(case.model)
    report = check_parity(case.model, artefact, case.fresh)
    assert report["rows"] == len(case.fresh)
    assert report["probes"] > 100
    assert report["largest_difference"] <= report["tolerance"]


def test_answers_have_a_column_for_each_class_and_the_same_one_is_likeliest(case: Any) -> None:
    artefact = export(case.model)
    found = Graph(artefact.graph, artefact).predict(columns_of(artefact.inputs, case.fresh))
    expected = case.model.predict(case.fresh)
    assert artefact.classes == case.model.classes
    assert found.shape == (len(case.fresh), *([len(artefact.classes)] if artefact.classes else []))
    np.testing.assert_array_equal(found.argmax(axis=-1), expected.argmax(axis=-1))


def test_predictions_do_not_depend_on_their_neighbours(case: Any) -> None:
    """One by one, in one call, or in a call of more rows than the graph takes at once."""
    artefact = export(case.model)
    graph = Graph(artefact.graph, artefact)
    many = graph.predict(columns_of(artefact.inputs, pd.concat([case.fresh] * 3)))
    for row in (0, 7, 299):
        one = graph.predict(columns_of(artefact.inputs, case.fresh.iloc[[row]]))
        np.testing.assert_allclose(one[0], many[row], atol=1e-5)
        np.testing.assert_allclose(one[0], many[row + 600], atol=1e-5)


def test_no_rows_have_no_answers(case: Any) -> None:
    artefact = export(case.model)
    none = columns_of(artefact.inputs, case.fresh.iloc[:0])
    found = Graph(artefact.graph, artefact).predict(none)
    assert found.shape == (0, *case.model.predict(case.fresh).shape[1:])


@pytest.mark.parametrize("loss", ["poisson", "gamma", "absolute_error"])
def test_every_loss_of_boosting_exports(make_case: Callable[..., Any], loss: str) -> None:
    definition = make_case("regression", "hist_gradient_boosting").definition
    training = definition.training.model_copy(update={"parameters": {"loss": loss}})
    rows = make_case("regression", "hist_gradient_boosting").fresh
    model = fit(definition.model_copy(update={"training": training}), rows.assign(y=rows.y + 1))
    check_parity(model, export(model), rows)


def test_columns_without_a_value_in_training_stay_inputs_of_the_graph(boosted: Any) -> None:
    empty = {"integer": np.nan, "category": None, "other": pd.NaT}
    model = fit(boosted.definition, boosted.fresh.assign(**empty))
    artefact = export(model)
    assert [i.name for i in artefact.inputs] == [i.name for i in boosted.model.inputs]
    check_parity(model, artefact, boosted.fresh)


def test_texts_without_a_common_word_export(make_case: Callable[..., Any]) -> None:
    case = make_case("binary", "linear")
    model = fit(case.definition, case.fresh.assign(text=None))
    check_parity(model, export(model), case.fresh)


def test_probes_stand_on_and_beside_every_split_of_a_number(boosted: Any) -> None:
    model = boosted.model
    tensor = next(i.tensor for i in model.inputs if i.name == "number")
    given = encode(model.inputs, columns_of(model.inputs, boosted.fresh))
    values = set(probes(model, given)[tensor].ravel().tolist())
    nodes = np.concatenate([tree.nodes for (tree,) in model.pipeline[-1]._predictors])
    splits = nodes["num_threshold"][(nodes["is_leaf"] == 0) & (nodes["feature_idx"] == 0)]
    assert len(splits)
    for split in splits.astype(np.float32):
        beside = {np.nextafter(split, np.float32(end)) for end in (-math.inf, math.inf)}
        assert {float(split), *map(float, beside)} <= values


@pytest.mark.parametrize("tree", [0, 50, 99])
def test_a_threshold_moved_to_the_next_float32_fails_the_gate(boosted: Any, tree: int) -> None:
    """Ordinary rows would not notice: only a probe lies on the split, wherever it is."""

    def move(proto: onnx.ModelProto) -> None:
        trees = node(proto, "TreeEnsembleRegressor")
        values = attribute(trees, "nodes_values").floats
        places = [
            place
            for place, (mode, feature, owner) in enumerate(
                zip(
                    attribute(trees, "nodes_modes").strings,
                    attribute(trees, "nodes_featureids").ints,
                    attribute(trees, "nodes_treeids").ints,
                    strict=True,
                )
            )
            if mode == b"BRANCH_LEQ" and feature == 0 and owner == tree
        ]
        last = places[-1]
        values[last] = np.nextafter(np.float32(values[last]), np.float32(np.inf))

    broken = sabotage(export(boosted.model), move)
    with pytest.raises(GateFailed, match=r"disagree: .* on a probe: number="):
        check_parity(boosted.model, broken, boosted.fresh)


def test_a_leaf_with_another_value_fails_the_gate(boosted: Any) -> None:
    def change(proto: onnx.ModelProto) -> None:
        weights = attribute(node(proto, "TreeEnsembleRegressor"), "target_weights").floats
        largest = max(range(len(weights)), key=lambda i: abs(weights[i]))
        weights[largest] *= 1.01

    with pytest.raises(GateFailed, match="graph and model disagree"):
        check_parity(boosted.model, sabotage(export(boosted.model), change), boosted.fresh)


def test_a_graph_without_the_bound_of_the_label_fails_the_gate(
    make_case: Callable[..., Any],
) -> None:
    case = make_case("regression", "linear")

    def unbind(proto: onnx.ModelProto) -> None:
        lowest = next(i for i in proto.graph.initializer if i.name == "lowest")
        lowest.CopyFrom(numpy_helper.from_array(np.array(-np.inf, dtype=np.float32), "lowest"))

    with pytest.raises(GateFailed, match="graph and model disagree"):
        check_parity(case.model, sabotage(export(case.model), unbind), case.fresh)


def test_a_graph_that_answers_nan_fails_the_gate(make_case: Callable[..., Any]) -> None:
    case = make_case("regression", "linear")

    def poison(proto: onnx.ModelProto) -> None:
        attribute(node(proto, "LinearRegressor"), "intercepts").floats[0] = math.nan

    with pytest.raises(GateFailed, match="nan against"):
        check_parity(case.model, sabotage(export(case.model), poison), case.fresh)


def test_swapped_classes_fail_the_gate(make_case: Callable[..., Any]) -> None:
    case = make_case("multiclass", "linear")
    places = "places"

    def swap(proto: onnx.ModelProto) -> None:
        constant = next(i for i in proto.graph.initializer if i.name == places)
        constant.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(constant)[::-1], places))

    with pytest.raises(GateFailed, match="graph and model disagree"):
        check_parity(case.model, sabotage(export(case.model), swap), case.fresh)


def test_without_rows_the_gate_does_not_open(boosted: Any) -> None:
    with pytest.raises(GateFailed, match="no rows"):
        check_parity(boosted.model, export(boosted.model), boosted.fresh.iloc[:0])
