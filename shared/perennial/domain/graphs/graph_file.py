"""A look into an ONNX file before anything loads it.

onnxruntime trusts a graph: it follows weights into other files, runs loops for as long as they ask,
and reads what is damaged as it comes. So a file is first read here, by the wire format alone
(`perennial.domain.graphs.wire`) and by the fields of onnx.proto that graphs of ours have; the
package `onnx` would be larger than all else that `predict` loads.

Standard library only, because `predict` ships with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import NamedTuple

from perennial.domain.graphs import graph_rules as rules
from perennial.domain.graphs.wire import (
    FIXED32,
    FIXED64,
    VARINT,
    Span,
    WireError,
    count,
    fields,
    tag,
    terminals,
    varint,
)
from perennial.domain.versioning.manifest import Input
from perennial.errors import ModelError

_FLOAT, _INT32, _INT64, _STRING, _BOOL, _DOUBLE = 1, 6, 7, 8, 9, 11  # TensorProto.DataType
_RAW_BYTES: Mapping[int, int] = {_FLOAT: 4, _INT32: 4, _INT64: 8, _BOOL: 1, _DOUBLE: 8}
_ELEMENTS: Mapping[str, int] = {"category": _STRING, "text": _STRING, "timestamp": _INT64}
"""Elements of an input's tensor by its type; all others are float32."""

_DIMENSIONS = 8
_TREES = b"nodes_treeids"


class Value(NamedTuple):
    """An input or an output: its tensor's name, type of elements, and shape.

    Attributes:
        shape: None for a dimension that differs from call to call.
    """

    name: str
    element: int
    shape: tuple[int | None, ...]


def check_graph(data: bytes, inputs: Sequence[Input], output: str, width: int) -> None:
    """Refuse a file that is anything else than a graph of the kind that versions have.

    Args:
        data: the file.
        inputs: the columns that it must read, each as a tensor [rows, 1].
        output: the name of its one output.
        width: its shape is [rows, width].

    Raises:
        ModelError: saying what was expected and found.
    """
    if len(data) > rules.BYTES:
        raise ModelError(f"expected a graph of at most {rules.BYTES:,} bytes, found {len(data):,}")
    try:
        found = read_contents(data)
    except WireError as error:
        raise ModelError(f"not a graph that versions may have: {error}") from error
    _check_inputs(found, inputs)
    names = [one.name for one in found.outputs]
    if names != [output]:
        raise ModelError(f"the graph must answer {output!r} only, found {names}")
    answer = found.outputs[0]
    if answer.element != _FLOAT or answer.shape[1:] != (width,) or not _per_row(answer):
        raise ModelError(
            f"expected {output} as float [rows, {width}], found elements of type {answer.element} "
            f"[{', '.join('rows' if one is None else str(one) for one in answer.shape)}]"
        )


def read_contents(data: bytes) -> Contents:
    """What is in a file. Raises `WireError` at what no graph may hold."""
    return _Reader(data).read()


def _check_inputs(found: Contents, inputs: Sequence[Input]) -> None:
    given = {one.name: one for one in found.inputs if one.name not in found.constants}
    expected = {one.tensor: _ELEMENTS.get(one.type, _FLOAT) for one in inputs}
    if len(found.inputs) > len({one.name for one in found.inputs}):
        raise ModelError("expected inputs of different names, found one twice")
    if expected.keys() != given.keys():
        raise ModelError(
            f"the manifest names the inputs {sorted(expected)}, the graph {sorted(given)}"
        )
    for name, element in expected.items():
        one = given[name]
        if one.element != element or one.shape[1:] != (1,) or not _per_row(one):
            raise ModelError(
                f"expected the input {name} as elements of type {element} [rows, 1], found "
                f"{one.element} {list(one.shape)}"
            )


def _per_row(one: Value) -> bool:
    return len(one.shape) == 2 and one.shape[0] is None


class Contents:
    """What was found in a file so far; `nodes`, `tensors` and `tree_nodes` are how many."""

    __slots__ = ("constants", "inputs", "nodes", "outputs", "tensors", "tree_nodes")

    def __init__(self) -> None:
        # No dataclass: this module is part of a cold start, where making one takes a millisecond.
        self.inputs: list[Value] = []
        self.outputs: list[Value] = []
        self.constants: set[str] = set()
        self.nodes = self.tensors = self.tree_nodes = 0


_Tags = tuple[frozenset[int], frozenset[int]]
"""Fields of a message of onnx.proto: those that come once, and those that may be repeated.

Left out, and so refused: functions, training, sparse and external weights, references.
"""
_MODEL: _Tags = (
    frozenset([tag(1, VARINT), tag(2), tag(3), tag(4), tag(5, VARINT), tag(6), tag(7)]),
    frozenset([tag(8), tag(14)]),
)
_OPSET: _Tags = frozenset([tag(1), tag(2, VARINT)]), frozenset()
_GRAPH: _Tags = (
    frozenset([tag(2), tag(10)]),
    frozenset([tag(1), tag(5), tag(11), tag(12), tag(13), tag(16)]),
)
_NODE: _Tags = (
    frozenset([tag(3), tag(4), tag(6), tag(7)]),
    frozenset([tag(1), tag(2), tag(5), tag(9)]),
)
_ATTRIBUTE: _Tags = (
    frozenset([
        tag(1), tag(2, FIXED32), tag(3, VARINT), tag(4), tag(5), tag(6), tag(13), tag(20, VARINT),
    ]),
    frozenset([tag(7, FIXED32), tag(7), tag(8, VARINT), tag(8), tag(9)]),
)  # fmt: skip
_TENSOR: _Tags = (
    frozenset([tag(2, VARINT), tag(8), tag(9), tag(12), tag(14, VARINT)]),
    frozenset([
        tag(1, VARINT), tag(1), tag(4, FIXED32), tag(4), tag(5, VARINT), tag(5), tag(6),
        tag(7, VARINT), tag(7), tag(10, FIXED64), tag(10), tag(16),
    ]),
)  # fmt: skip
_VALUE: _Tags = frozenset([tag(1), tag(2), tag(3)]), frozenset([tag(4)])
_TYPE: _Tags = frozenset([tag(1), tag(6)]), frozenset()
_TENSOR_TYPE: _Tags = frozenset([tag(1, VARINT), tag(2)]), frozenset()
_SHAPE: _Tags = frozenset(), frozenset([tag(1)])
_DIMENSION: _Tags = frozenset([tag(1, VARINT), tag(2), tag(3)]), frozenset()


_B1, _B2, _B4, _B5, _B6, _B7, _B8, _B9, _B10, _B11, _B12, _B13 = (
    tag(number) for number in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)
)
_V1, _V2, _V8 = tag(1, VARINT), tag(2, VARINT), tag(8, VARINT)
_F4, _D10 = tag(4, FIXED32), tag(10, FIXED64)


class _Reader:
    """Reads one file into its contents; raises `WireError` at what must not be there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._found = Contents()

    def read(self) -> Contents:
        """What is in the file."""
        graph, opsets = None, 0
        for of, value in fields(self._data, Span(0, len(self._data)), *_MODEL):
            if isinstance(value, Span) and of == _B7:
                graph = value
            elif isinstance(value, Span) and of == _B8:
                self._opset(value)
                opsets += 1
        if graph is None or not opsets:
            raise WireError("it holds no graph")
        self._graph(graph, body=False)
        return self._found

    def _opset(self, span: Span) -> None:
        domain, version = "", 0
        for _, value in fields(self._data, span, *_OPSET):
            if isinstance(value, Span):
                domain = self._text(value)
            else:
                version = value
        name = rules.DOMAINS.get(domain)
        if name is None or not 0 < version <= rules.OPSETS[name]:
            raise WireError(
                "expected operators of ai.onnx and ai.onnx.ml, of versions up to "
                f"{rules.OPSETS['']} and {rules.OPSETS[rules.ML]}, found {domain!r} {version}"
            )

    def _graph(self, span: Span, *, body: bool) -> None:
        found = self._found
        for of, value in fields(self._data, span, *_GRAPH):
            if not isinstance(value, Span):
                continue
            if of == _B1:
                found.nodes += 1
                _bounded("nodes", found.nodes, rules.NODES)
                self._node(value, body=body)
            elif of == _B5:
                found.constants.add(self._tensor(value))
            elif of in (_B11, _B12, _B13):
                one = self._value(value)
                if not body and of != _B13:
                    (found.inputs if of == _B11 else found.outputs).append(one)

    def _node(self, span: Span, *, body: bool) -> None:
        operator, domain, attributes = "", "", []
        for of, value in fields(self._data, span, *_NODE):
            if not isinstance(value, Span):
                continue
            if of == _B4:
                operator = self._text(value)
            elif of == _B7:
                domain = self._text(value)
            elif of == _B5:
                attributes.append(value)
        if not rules.allowed(domain, operator):
            raise WireError(
                "expected an operator that models of ours or the known exporters use, found "
                f"{domain or 'ai.onnx'}.{operator}"
            )
        looping = operator == "Scan" and not body
        if operator == "Scan" and body:
            raise WireError("expected no Scan within a Scan, found one")
        for one in attributes:
            self._attribute(one, looping=looping)

    def _attribute(self, span: Span, *, looping: bool) -> None:
        name, integers = b"", 0
        for of, value in fields(self._data, span, *_ATTRIBUTE):
            if not isinstance(value, Span):
                continue
            if of == _B1:
                name = self._data[value.start : value.stop]
            elif of == _B5:
                self._tensor(value)
            elif of == _B6:
                if not looping:
                    raise WireError("expected no loops and branches, found a graph in a node")
                self._graph(value, body=True)
            elif of == _V8:
                integers += count(self._data, value, VARINT)
            elif of == _B8:
                integers += terminals(self._data, value)
        if name == _TREES:
            self._found.tree_nodes += integers
            _bounded("nodes of trees", self._found.tree_nodes, rules.TREE_NODES)

    def _tensor(self, span: Span) -> str:
        """A tensor's name, once its shape is that of the values that the file holds."""
        self._found.tensors += 1
        _bounded("constants", self._found.tensors, rules.CONSTANTS)
        name, element, raw, shape = "", 0, None, list[int]()
        held = dict.fromkeys((4, 5, 6, 7, 10, 11), 0)
        for of, value in fields(self._data, span, *_TENSOR):
            number = of >> 3
            if number == 14 and value:
                raise WireError("expected all weights in the file, found some outside of it")
            if of == _V2 and isinstance(value, int):
                element = value
            elif of == _B8 and isinstance(value, Span):
                name = self._text(value)
            elif of == _B9 and isinstance(value, Span):
                raw = value.stop - value.start
            elif number == 1:
                shape += [value] if isinstance(value, int) else self._numbers(value)
            elif number in held:
                held[number] += self._held(of, value)
        if len(shape) > _DIMENSIONS or max(shape, default=0) > rules.BYTES:  # as are negative ones
            raise WireError(f"expected dimensions of a possible size, found those of {name!r}")
        _check_size(name, element, raw, prod(shape), held)
        return name

    def _held(self, of: int, value: int | Span) -> int:
        """How many values of a tensor a field holds."""
        if isinstance(value, int) or of in (_B6, _F4, _D10):
            return 1
        if of in (_B4, _B10):
            width = 4 if of == _B4 else 8
            return (value.stop - value.start) // width
        return terminals(self._data, value)

    def _numbers(self, span: Span) -> list[int]:
        at, found = span.start, []
        while at < span.stop:
            value, at = varint(self._data, at, span.stop)
            found.append(value)
        return found

    def _value(self, span: Span) -> Value:
        name, element, shape = "", 0, tuple[int | None, ...]()
        for of, value in fields(self._data, span, *_VALUE):
            if of == _B1 and isinstance(value, Span):
                name = self._text(value)
            elif of == _B2 and isinstance(value, Span):
                element, shape = self._type(value)
        return Value(name, element, shape)

    def _type(self, span: Span) -> tuple[int, tuple[int | None, ...]]:
        element, shape = 0, list[int | None]()
        for of, tensor in fields(self._data, span, *_TYPE):
            if of != _B1 or not isinstance(tensor, Span):
                continue
            for inner, value in fields(self._data, tensor, *_TENSOR_TYPE):
                if isinstance(value, int):
                    element = value
                elif inner == _B2:
                    dims = fields(self._data, value, *_SHAPE)
                    shape += [self._dimension(one) for _, one in dims if isinstance(one, Span)]
        return element, tuple(shape)

    def _dimension(self, span: Span) -> int | None:
        found = dict(fields(self._data, span, *_DIMENSION))
        if _V1 in found and _B2 in found:
            raise WireError("expected a dimension's size or its name, found both")
        size = found.get(_V1)
        return size if isinstance(size, int) else None

    def _text(self, span: Span) -> str:
        try:
            return self._data[span.start : span.stop].decode()
        except UnicodeDecodeError as error:
            raise WireError(f"expected a name in UTF-8 at byte {span.start}") from error


def _bounded(what: str, found: int, most: int) -> None:
    if found > most:
        raise WireError(f"expected at most {most:,} {what}, found more")


def _check_size(
    name: str, element: int, raw: int | None, size: int, held: Mapping[int, int]
) -> None:
    """Refuse a tensor whose values are not in the file, all of them and no more."""
    fitting = _FIELDS.get(element)
    if fitting is None:
        raise WireError(f"expected weights of known types, found type {element} of {name!r}")
    others = sum(held.values()) - held[fitting]
    width = _RAW_BYTES.get(element)
    values = held[fitting] if raw is None else (raw / width if width else -1)
    if others or (raw is not None and held[fitting]) or values != size:
        raise WireError(f"expected {size:,} values in the tensor {name!r}, found others")


_FIELDS: Mapping[int, int] = {_FLOAT: 4, _INT32: 5, _BOOL: 5, _STRING: 6, _INT64: 7, _DOUBLE: 10}
"""The field of a tensor that holds its values, by their type."""
