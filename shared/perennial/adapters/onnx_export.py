"""A trained model as an ONNX graph: typed tensors in, one tensor of answers out."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType

from perennial.adapters import onnx_converters
from perennial.adapters.onnx_trees import route_missing
from perennial.domain.modelling.training import Model
from perennial.domain.modelling.trees import trees_of
from perennial.domain.versioning.manifest import Input
from perennial.errors import ModelError
from perennial.ports import Artefact

OPSET = {"": 20, onnx_converters.ML: 3}
IR_VERSION = 9
"""The oldest that has this opset, so that graphs load in any onnxruntime since 1.17."""

_TENSORS = {"category": StringTensorType, "text": StringTensorType, "timestamp": Int64TensorType}


def export(model: Model) -> Artefact:
    """The model as a graph; the same model gives the same bytes.

    Raises:
        ModelError: for what a graph cannot express.
    """
    onnx_converters.register()
    try:
        with warnings.catch_warnings():  # skl2onnx hands protobuf booleans for integers
            warnings.simplefilter("ignore", DeprecationWarning)
            graph = convert_sklearn(
                model.pipeline,
                name="perennial",
                initial_types=[(one.tensor, _tensor(one)) for one in model.inputs],
                target_opset=OPSET,
            )
    except Exception as error:
        # skl2onnx raises whatever its converters meet, and adds advice for its developers.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"scikit-learn's model has no graph: {reason}") from error
    _finish(graph, model)
    return Artefact(
        graph=graph.SerializeToString(deterministic=True),
        inputs=model.inputs,
        classes=model.classes,
        text=model.text,
    )


def _tensor(one: Input) -> Any:
    return _TENSORS.get(one.type, FloatTensorType)([None, 1])


def _finish(proto: ModelProto, model: Model) -> None:
    """Leave one output, of the manifest's name and shape, and nothing that does not lead to it."""
    graph = proto.graph
    proto.ir_version = IR_VERSION
    proto.doc_string = ""
    # Which library wrote it is in the manifest; here it would make equal graphs differ.
    proto.producer_version = ""
    # skl2onnx goes through a set, whose order is another in each process.
    opsets = sorted((one.domain, one.version) for one in proto.opset_import)
    del proto.opset_import[:]
    proto.opset_import.extend(helper.make_opsetid(*one) for one in opsets)
    route_missing(graph, trees_of(model.pipeline[-1]))
    answer = renamed(graph, _answer(graph))
    if model.task == "regression":
        answer = _bounded(graph, _inverse_link(graph, answer, model), model)
        name, width = "prediction", 1
    else:
        answer = _spread(graph, answer, model)
        name, width = "probabilities", len(model.classes)
    graph.node.append(helper.make_node("Identity", [answer], [name]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width]))
    prune(graph)


def _answer(graph: Any) -> str:
    """The tensor of raw answers: what goes into the ZipMap, where a classifier ends in one.

    The option that would leave ZipMap out makes skl2onnx walk through every word of a text model.
    """
    last = next(node for node in graph.node if graph.output[-1].name in node.output)
    return str(last.input[0] if last.op_type == "ZipMap" else last.output[0])


def renamed(graph: Any, old: str, new: str = "raw") -> str:
    """Free a name that skl2onnx may have given where a manifest promises another tensor."""
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]
    return new


def _inverse_link(graph: Any, answer: str, model: Model) -> str:
    """Gradient boosting with a Poisson or gamma loss predicts logarithms."""
    if getattr(model.pipeline[-1], "loss", None) not in ("poisson", "gamma"):
        return answer
    graph.node.append(helper.make_node("Exp", [answer], ["exponential"]))
    return "exponential"


def _bounded(graph: Any, answer: str, model: Model) -> str:
    bounds = [np.float32(bound) for bound in model.bounds]
    if not np.isfinite(bounds).any():
        return answer
    for name, bound in zip(("lowest", "highest"), bounds, strict=True):
        graph.initializer.append(numpy_helper.from_array(np.array(bound), name))
    graph.node.append(helper.make_node("Clip", [answer, "lowest", "highest"], ["bounded"]))
    return "bounded"


def _spread(graph: Any, answer: str, model: Model) -> str:
    """Put each probability in its class's place, and 0 where training never saw the class."""
    if model.seen == tuple(range(len(model.classes))):
        return answer
    places = np.zeros((len(model.seen), len(model.classes)), dtype=np.float32)
    places[np.arange(len(model.seen)), model.seen] = 1
    graph.initializer.append(numpy_helper.from_array(places, "places"))
    graph.node.append(helper.make_node("MatMul", [answer, "places"], ["spread"]))
    return "spread"


def prune(graph: Any) -> None:
    """Drop nodes and constants that nothing uses, such as those of the label."""
    needed = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    constants = [one for one in graph.initializer if one.name in needed]
    del graph.initializer[:]
    graph.initializer.extend(constants)
