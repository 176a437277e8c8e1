"""Graphs that are made by hand, sound ones and such as nobody should load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from perennial.domain.versioning.manifest import Input

INPUTS = (Input("heat", "x0", "number"), Input("room", "x1", "category", nullable=True))


def sound() -> ModelProto:
    """`prediction` is the heat and one more; the room is read, and counts for nothing."""
    return model([
        helper.make_node(
            "LabelEncoder", ["x1"], ["coded"], domain="ai.onnx.ml", keys_strings=["hall", "attic"],
            values_floats=[0.0, 0.0], default_float=0.0,
        ),
        helper.make_node("Add", ["x0", "coded"], ["sum"]),
        helper.make_node("Add", ["sum", "one"], ["prediction"]),
    ])  # fmt: skip


def model(nodes: Sequence[Any], constants: Sequence[Any] | None = None) -> ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "hand made",
        [
            helper.make_tensor_value_info("x0", TensorProto.FLOAT, [None, 1]),
            helper.make_tensor_value_info("x1", TensorProto.STRING, ["rows", 1]),
        ],
        [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, [None, 1])],
        constants or [numpy_helper.from_array(np.float32([[1]]), "one")],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def _doubling(times: int) -> list[Any]:
    """Nodes each of which makes a tensor of twice the size; no number in the file is large."""
    nodes = [
        helper.make_node("Concat", [f"c{n}", f"c{n}"], [f"c{n + 1}"], axis=1) for n in range(times)
    ]
    nodes[0].input[:] = ["x0", "x0"]
    return [*nodes, helper.make_node("ReduceSum", [f"c{times}"], ["prediction"])]


def bomb() -> ModelProto:
    """A graph within all rules that would take a terabyte."""
    return model(_doubling(38))


def words() -> ModelProto:
    """`prediction` is how many of a row's tokens are `sea`; reads one text, as our models do."""
    proto = model([
        helper.make_node("StringSplit", ["x0"], ["tokens", "lengths"], delimiter=" "),
        helper.make_node("Flatten", ["tokens"], ["flat"], axis=1),
        helper.make_node(
            "TfIdfVectorizer", ["flat"], ["prediction"], mode="TF", min_gram_length=1,
            max_gram_length=1, max_skip_count=0, ngram_counts=[0], ngram_indexes=[0],
            pool_strings=["sea"],
        ),
    ])  # fmt: skip
    del proto.graph.input[:]
    proto.graph.input.append(helper.make_tensor_value_info("x0", TensorProto.STRING, [None, 1]))
    return proto


def body(*nodes: Any) -> Any:
    value = helper.make_tensor_value_info("i", TensorProto.FLOAT, [1])
    out = helper.make_tensor_value_info("o", TensorProto.FLOAT, [1])
    return helper.make_graph(list(nodes), "body", [value], [out])


def scan(inside: Any, **more: Any) -> Any:
    return helper.make_node("Scan", ["x0"], ["scanned"], body=inside, num_scan_inputs=1, **more)


Change = Callable[[ModelProto], None]


def _add(*nodes: Any) -> Change:
    return lambda proto: proto.graph.node.extend(nodes)


def _weights(**changes: Any) -> Change:
    def change(proto: ModelProto) -> None:
        weights = proto.graph.initializer[0]
        for name, value in changes.items():
            if isinstance(value, list):
                del getattr(weights, name)[:]
                getattr(weights, name).extend(value)
            else:
                setattr(weights, name, value)

    return change


def _outside(proto: ModelProto) -> None:
    weights = proto.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", "../../../../etc/passwd"


def _outside_unsaid(proto: ModelProto) -> None:
    _outside(proto)
    proto.graph.initializer[0].ClearField("data_location")


def _function(proto: ModelProto) -> None:
    node = helper.make_node("Identity", ["a"], ["b"])
    opset = [helper.make_opsetid("", 20)]
    proto.functions.append(helper.make_function("", "Add", ["a"], ["b"], [node], opset))


def _deep(proto: ModelProto) -> None:
    inside = body(helper.make_node("Identity", ["i"], ["o"]))
    for _ in range(20):
        inside = body(scan(inside), helper.make_node("Identity", ["scanned"], ["o"]))
    proto.graph.node.append(scan(inside))


def _tree(nodes: int) -> Any:
    return helper.make_node(
        "TreeEnsembleRegressor", ["x0"], ["t"], domain="ai.onnx.ml", nodes_treeids=[0] * nodes
    )


_IDENTITY = helper.make_node("Identity", ["i"], ["o"])
_VALUE = helper.make_tensor("v", TensorProto.FLOAT, [1], [1.0])

HOSTILE: dict[str, tuple[Change, str]] = {
    "weights in another file": (_outside, "expected all weights in the file|field 13"),
    "weights in another file, unsaid": (_outside_unsaid, "field 13"),
    "a loop": (_add(helper.make_node("Loop", ["", ""], [], body=body(_IDENTITY))), "ai.onnx.Loop"),
    "a branch": (
        _add(helper.make_node("If", ["b"], ["r"], then_branch=body(), else_branch=body())),
        "ai.onnx.If",
    ),
    "a graph where none belongs": (
        _add(helper.make_node("Identity", ["x0"], ["r"], body=body(_IDENTITY))),
        "expected no loops and branches",
    ),
    "a loop within a scan": (
        _add(scan(body(helper.make_node("Loop", ["", ""], ["o"], body=body(_IDENTITY))))),
        "ai.onnx.Loop",
    ),
    "a scan within a scan": (_add(scan(body(scan(body(_IDENTITY))))), "no Scan within a Scan"),
    "scans twenty deep": (_deep, "no Scan within a Scan"),
    "graphs in a list": (
        _add(helper.make_node("Identity", ["x0"], ["r"], bodies=[body(_IDENTITY)])),
        "field 11",
    ),
    "an operator of somebody's own": (
        _add(helper.make_node("Add", ["x0", "x0"], ["r"], domain="com.microsoft")),
        "found com.microsoft.Add",
    ),
    "somebody's own domain": (
        lambda proto: proto.opset_import.append(helper.make_opsetid("com.microsoft", 1)),
        "found 'com.microsoft' 1",
    ),
    "operators of the future": (
        lambda proto: setattr(proto.opset_import[0], "version", 99),
        "of versions up to",
    ),
    "an unknown operator": (_add(helper.make_node("Exec", ["x0"], ["r"])), "found ai.onnx.Exec"),
    "strings that grow": (
        _add(helper.make_node("StringConcat", ["x1", "x1"], ["r"])),
        "found ai.onnx.StringConcat",
    ),
    "a tensor as large as a number says": (
        _add(helper.make_node("ConstantOfShape", ["x0"], ["r"])),
        "found ai.onnx.ConstantOfShape",
    ),
    "a function": (_function, "field 25"),
    "training": (lambda proto: proto.training_info.add(), "field 20"),
    "dimensions beyond reason": (_weights(dims=[2**40, 2**20]), "dimensions of a possible size"),
    "a negative dimension": (_weights(dims=[-1, 1]), "dimensions of a possible size"),
    "more dimensions than any": (_weights(dims=[1] * 40), "dimensions of a possible size"),
    "values that are not there": (_weights(dims=[1000]), "expected 1,000 values in the tensor"),
    "values twice": (_weights(float_data=[1.0]), "expected 1 values in the tensor"),
    "weights of no type": (_weights(data_type=99), "weights of known types"),
    "sparse weights": (
        lambda proto: proto.graph.sparse_initializer.add(),
        "field 15",
    ),
    "a sparse constant": (
        _add(
            helper.make_node(
                "Constant", [], ["r"],
                sparse_value=helper.make_sparse_tensor(
                    _VALUE, helper.make_tensor("i", TensorProto.INT64, [1], [0]), [10**12]
                ),
            )
        ),
        "field 22",
    ),
    "nodes without end": (
        lambda proto: proto.graph.node.extend([proto.graph.node[0]] * 10_000),
        "at most 10,000 nodes",
    ),
    "constants without end": (
        lambda proto: proto.graph.initializer.extend([proto.graph.initializer[0]] * 10_000),
        "at most 10,000 constants",
    ),
    "trees without end": (_add(_tree(1_100_000), _tree(1_100_000)), "at most 2,000,000 nodes of"),
    "another input": (
        lambda proto: proto.graph.input.append(
            helper.make_tensor_value_info("x2", TensorProto.FLOAT, [None, 1])
        ),
        "the manifest names the inputs",
    ),
    "an input less": (lambda proto: proto.graph.input.pop(), "the manifest names the inputs"),
    "an input twice": (
        lambda proto: proto.graph.input.append(proto.graph.input[0]),
        "inputs of different names",
    ),
    "a wide input": (
        lambda proto: proto.graph.input[0].CopyFrom(
            helper.make_tensor_value_info("x0", TensorProto.FLOAT, [None, 10**9])
        ),
        "expected the input x0",
    ),
    "an input of another type": (
        lambda proto: setattr(proto.graph.input[1].type.tensor_type, "elem_type", 1),
        "expected the input x1",
    ),
    "a second output": (
        lambda proto: proto.graph.output.append(
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, [None, 1])
        ),
        "must answer 'prediction' only",
    ),
    "an output of other width": (
        lambda proto: setattr(
            proto.graph.output[0].type.tensor_type.shape.dim[1], "dim_value", 10**9
        ),
        "expected prediction as float",
    ),
    "an output that is a sequence": (
        lambda proto: proto.graph.output[0].type.sequence_type.elem_type.tensor_type.SetInParent(),
        "field 4",
    ),
}  # fmt: skip
"""What is done to the sound graph, and a part of what its refusal says."""
