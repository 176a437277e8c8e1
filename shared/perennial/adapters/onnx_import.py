"""A graph that was made elsewhere, in the shape that versions have; or a refusal that says why not.

A file is read as data and never trusted: operators of the standard only, no loops, nothing outside
the file, a bounded size. What it reads must be columns of the definition. A tensor is a column's by
its name, where all tensors have the names of columns; else by its number, as in graphs of ours: x0
is the first column of role feature or event_time, x1 the second, and so on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, ValueInfoProto, checker, helper, numpy_helper

from perennial.adapters import onnx_export
from perennial.adapters.graph import Graph
from perennial.domain.definitions.definition import Definition
from perennial.domain.modelling.frames import inputs_of
from perennial.domain.modelling.inputs import NUMERIC
from perennial.domain.modelling.labels import Classes, classes_of
from perennial.domain.modelling.text import TEXT_V1
from perennial.domain.versioning.importing import LARGEST
from perennial.domain.versioning.manifest import Input
from perennial.errors import ModelError
from perennial.ports import Artefact

DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
_PREDICTIONS = ("prediction", "variable")
_PROBABILITIES = ("probabilities", "output_probability", "probability")
_OWN = "perennial_import_"
_STRING, _INT64, _FLOAT = TensorProto.STRING, TensorProto.INT64, TensorProto.FLOAT


def admit(data: bytes, definition: Definition) -> Artefact:
    """The graph with one output of the name and shape that versions have.

    A file that has that already keeps its bytes.

    Args:
        data: the file.
        definition: whose columns it reads, and whose label it predicts.

    Raises:
        ModelError: when it does not fit; the message says what was expected and found.
    """
    proto, classes = _parse(data), _classes(definition)
    try:
        _check_safe(proto)
        inputs = _inputs(proto.graph, definition)
        changed = _finish(proto, definition, classes)
    except ModelError:
        raise
    except Exception as error:
        # Damaged files have bytes for names, and numbers that are no type.
        raise ModelError(f"expected a well-formed graph: {error}") from error
    artefact = Artefact(
        graph=proto.SerializeToString(deterministic=True) if changed else data,
        inputs=inputs,
        classes=classes,
        text=TEXT_V1 if any(one.type == "text" for one in inputs) else "",
    )
    Graph(artefact.graph, artefact)
    return artefact


def _parse(data: bytes) -> ModelProto:
    if len(data) > LARGEST:
        raise ModelError(f"expected a graph of at most {LARGEST:,} bytes, found {len(data):,}")
    try:
        proto: ModelProto = ModelProto.FromString(data)
    except Exception as error:
        # The class of protobuf's own depends on its implementation.
        raise ModelError(f"expected an ONNX graph, found what is none: {error}") from error
    if not proto.graph.node or not proto.opset_import:
        raise ModelError("expected an ONNX graph, found none in this file")
    return proto


def _check_safe(proto: ModelProto) -> None:
    """Refuse what could do more than compute, or for longer than its size tells."""
    used = {one.domain for one in proto.opset_import} | {one.domain for one in proto.graph.node}
    if strange := sorted(used - set(DOMAINS)):
        raise ModelError(
            f"expected operators of ai.onnx and ai.onnx.ml only, found {', '.join(strange)}"
        )
    if proto.functions or proto.training_info:
        raise ModelError("expected a graph only, found functions or training beside it")
    for node in proto.graph.node:
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise ModelError(f"expected no loops and branches, found {node.op_type}")
    if any(one.data_location == TensorProto.EXTERNAL for one in _tensors(proto.graph)):
        raise ModelError("expected all weights in the file, found some that lie outside of it")
    try:
        checker.check_model(proto)
    except Exception as error:
        # onnx raises classes of its C++ core, too.
        raise ModelError(f"expected a well-formed graph: {str(error).strip()[:500]}") from error


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    sparse = list(graph.sparse_initializer)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            sparse += [attribute.sparse_tensor, *attribute.sparse_tensors]
    for one in sparse:
        yield from (one.values, one.indices)


def _inputs(graph: Any, definition: Definition) -> tuple[Input, ...]:
    """The columns that it reads, in the definition's order."""
    constants = {one.name for one in graph.initializer}
    tensors = {one.name: one for one in graph.input if one.name not in constants}
    columns = inputs_of(definition)
    named = tuple(replace(one, tensor=one.name) for one in columns)
    for candidates in (named, columns):
        if tensors and set(tensors) <= {one.tensor for one in candidates}:
            read = tuple(one for one in candidates if one.tensor in tensors)
            break
    else:
        raise ModelError(
            f"expected inputs of the names {_listed(one.name for one in columns)} (or x0 to "
            f"x{len(columns) - 1}, in that order), each a tensor of shape [rows, 1], found "
            f"{_listed(tensors)}"
        )
    wrong = [
        f"{one.tensor} as {_wanted(one)}, found {_shown(tensors[one.tensor])}"
        for one in read
        if not _fits(tensors[one.tensor], one)
    ]
    if wrong:
        raise ModelError(f"expected {'; '.join(wrong)}")
    return read


def _element(one: Input) -> int:
    if one.type in NUMERIC:
        return int(_FLOAT)
    return int(_INT64 if one.type == "timestamp" else _STRING)


def _fits(tensor: ValueInfoProto, one: Input) -> bool:
    kind = tensor.type.tensor_type
    dims = kind.shape.dim
    return (
        kind.elem_type == _element(one)
        and len(dims) == 2
        and not dims[0].HasField("dim_value")
        and dims[1].dim_value == 1
    )


def _wanted(one: Input) -> str:
    return f"{_type_name(_element(one))} [rows, 1] for a column of type {one.type}"


def _shown(tensor: ValueInfoProto) -> str:
    """A tensor's type and shape, in words."""
    if not tensor.type.HasField("tensor_type"):
        return f"a {tensor.type.WhichOneof('value') or 'value without type'}"
    kind = tensor.type.tensor_type
    if not kind.HasField("shape"):
        return f"{_type_name(kind.elem_type)} of unknown shape"
    dims = (str(d.dim_value) if d.HasField("dim_value") else "rows" for d in kind.shape.dim)
    return f"{_type_name(kind.elem_type)} [{', '.join(dims)}]"


def _type_name(element: int) -> str:
    return str(TensorProto.DataType.Name(element)).lower() if element else "nothing typed"


def _listed(names: Any) -> str:
    return ", ".join(names) or "none"


def _classes(definition: Definition) -> Classes:
    if definition.task == "regression":
        return ()
    if definition.columns[definition.label].classes is None:
        raise ModelError(
            f"expected columns.{definition.label}.classes in the definition, because they say what "
            "the columns of `probabilities` mean, found none"
        )
    return classes_of(definition, ())


def _finish(proto: ModelProto, definition: Definition, classes: Classes) -> bool:
    """Leave one output, of the manifest's name and shape; whether that changed anything."""
    graph = proto.graph
    regression = definition.task == "regression"
    name, width = ("prediction", 1) if regression else ("probabilities", len(classes))
    _check_labels(graph, classes)
    chosen = _chosen(graph, regression=regression)
    _check_answer(chosen, width, flat=regression)
    if [one.name for one in graph.output] == [name] and _is_final(chosen, width):
        return False
    answer = onnx_export.renamed(graph, _before_zipmap(graph, chosen.name), _OWN + "raw")
    onnx_export.renamed(graph, name, _OWN + "other")  # whatever else has the name that is promised
    cast, shape = _OWN + "cast", _OWN + "shape"
    graph.node.append(helper.make_node("Cast", [answer], [cast], to=_FLOAT))
    dims = np.array([-1, width], dtype=np.int64)
    graph.initializer.append(numpy_helper.from_array(dims, shape))
    graph.node.append(helper.make_node("Reshape", [cast, shape], [name]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(name, _FLOAT, [None, width]))
    onnx_export.prune(graph)
    return True


def _is_final(answer: ValueInfoProto, width: int) -> bool:
    kind = answer.type.tensor_type
    dims = kind.shape.dim
    return kind.elem_type == _FLOAT and len(dims) == 2 and dims[1].dim_value == width


def _chosen(graph: Any, *, regression: bool) -> ValueInfoProto:
    """The output that holds the answer: by its name, or because there is no other."""
    outputs: dict[str, ValueInfoProto] = {one.name: one for one in graph.output}
    wanted = _PREDICTIONS if regression else _PROBABILITIES
    for name in wanted:
        if name in outputs:
            return outputs[name]
    if regression and len(outputs) == 1:
        return next(iter(outputs.values()))
    raise ModelError(
        f"expected an output {wanted[0]} ({'[rows, 1]' if regression else '[rows, classes]'}), "
        f"found {_listed(outputs)}"
    )


def _check_answer(chosen: ValueInfoProto, width: int, *, flat: bool) -> None:
    if not chosen.type.HasField("tensor_type"):
        return  # a ZipMap's, whose input is taken
    kind = chosen.type.tensor_type
    dims = [dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim]
    shaped = not dims or (flat and len(dims) == 1) or (len(dims) == 2 and dims[1] in (None, width))
    if kind.elem_type not in (_FLOAT, TensorProto.DOUBLE) or not shaped:
        raise ModelError(f"expected {chosen.name} as float [rows, {width}], found {_shown(chosen)}")


def _before_zipmap(graph: Any, output: str) -> str:
    """The tensor of an output, or of what goes into a ZipMap where it comes out of one."""
    for node in graph.node:
        if output in node.output:
            return str(node.input[0] if node.op_type == "ZipMap" else output)
    raise ModelError(f"expected {output} to be computed, found no node that does")


def _check_labels(graph: Any, classes: Classes) -> None:
    """Where the graph itself says what its probabilities mean, the definition must say the same."""
    own = [int(one) if isinstance(one, bool | int) else one for one in classes]
    for labels in _labels(graph):
        coded = labels == list(range(len(own))) and set(own) != set(labels)
        if classes and labels != own and not coded:
            raise ModelError(
                f"expected the classes {_listed(map(str, own))}, in the definition's order, "
                f"found {_listed(map(str, labels))}"
            )


def _labels(graph: Any) -> Iterator[Sequence[Any]]:
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name.startswith("classlabels"):
                found = helper.get_attribute_value(attribute)
                yield [
                    one.decode("utf-8", "replace") if isinstance(one, bytes) else one
                    for one in found
                ]
