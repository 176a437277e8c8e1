"""Whatever is done to a file: what the small reader lets pass, the real one sees in the same way.

And onnxruntime does no more with it than answer or refuse.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto

from perennial.adapters.graph import Graph
from perennial.adapters.onnx_export import export
from perennial.domain.graphs import graph_rules
from perennial.domain.graphs.graph_file import check_graph, read_contents
from perennial.domain.graphs.wire import WireError
from perennial.domain.versioning.manifest import Input
from perennial.errors import ModelError
from tests.integration.modelling.conftest import make_case
from tests.unit.adapters.hostile import INPUTS, sound
from tests.unit.adapters.test_graph_file import Signed


@cache
def trees() -> tuple[bytes, tuple[Input, ...]]:
    """A small gradient boosting, and what it reads."""
    case = make_case("regression", "hist_gradient_boosting", parameters={"max_iter": 3})
    artefact = export(case.model)
    return artefact.graph, artefact.inputs


def whole(boosted: bool) -> tuple[bytes, tuple[Input, ...]]:
    return trees() if boosted else (sound().SerializeToString(), INPUTS)


@st.composite
def edits(draw: st.DrawFn) -> list[tuple[str, float, bytes]]:
    """What to do, where (a fraction of the length), and with which bytes."""
    kinds = st.sampled_from(["flip", "set", "insert", "delete", "copy"])
    places = st.floats(0, 1, exclude_max=True)
    return draw(st.lists(st.tuples(kinds, places, st.binary(min_size=1, max_size=9)), max_size=4))


def edited(data: bytes, todo: list[tuple[str, float, bytes]]) -> bytes:
    out = bytearray(data)
    for kind, where, value in todo:
        at = int(where * len(out))
        if kind == "flip":
            out[at] ^= 1 << value[0] % 8
        elif kind == "set":
            out[at : at + len(value)] = value
        elif kind == "insert":
            out[at:at] = value
        elif kind == "delete":
            del out[at : at + value[0] % 30]
        else:
            out[at:at] = out[at : at + value[0]]
        if not out:
            break
    return bytes(out)


SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SETTINGS
@given(boosted=st.booleans(), todo=edits())
@example(boosted=True, todo=[])
@example(boosted=False, todo=[])
def test_the_small_reader_and_onnx_see_the_same(boosted, todo) -> None:
    data, _ = whole(boosted)
    data = edited(data, todo)
    try:
        found = read_contents(data)
    except WireError:
        return
    try:
        proto = ModelProto.FromString(data)
    except Exception:  # noqa: BLE001 (protobuf's own differs between its implementations)
        return  # which onnxruntime, whose reader this is, refuses too
    graph = proto.graph
    assert len(graph.node) == found.nodes
    assert {one.name for one in graph.initializer} == found.constants
    assert [one.name for one in graph.input] == [one.name for one in found.inputs]
    assert [one.name for one in graph.output] == [one.name for one in found.outputs]
    assert not proto.functions
    assert not graph.sparse_initializer
    tree_nodes = 0
    for node in graph.node:
        assert graph_rules.allowed(node.domain, node.op_type)
        for attribute in node.attribute:
            assert not attribute.HasField("g")
            assert not attribute.graphs
            if attribute.name == "nodes_treeids":
                tree_nodes += len(attribute.ints)
    assert tree_nodes == found.tree_nodes
    for tensor in graph.initializer:
        assert tensor.data_location != TensorProto.EXTERNAL
        assert not tensor.external_data


@SETTINGS
@given(boosted=st.booleans(), todo=edits())
def test_damaged_graphs_answer_or_are_refused(boosted, todo) -> None:
    data, inputs = whole(boosted)
    values = {"number": 1.0, "integer": 1, "boolean": True, "category": "hall"}
    rows = {one.name: [values.get(one.type)] * 3 for one in inputs}
    try:
        found = Graph(edited(data, todo), Signed(inputs)).predict(rows)
    except ModelError:
        return
    assert found.dtype == np.float32
    assert len(found) == 3


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data) -> None:
    try:
        check_graph(data, INPUTS, "prediction", 1)
    except ModelError:
        return
    raise AssertionError("no such bytes are a graph")
