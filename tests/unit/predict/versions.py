"""Small model versions, made with onnx itself, whose answers can be worked out by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from perennial.domain import names
from perennial.domain.definitions.serving_settings import ServingSettings
from perennial.domain.modelling.inputs import NUMERIC
from perennial.domain.versioning.manifest import FileDigest, Input, Manifest
from perennial.domain.versioning.registry import Head
from perennial.errors import ObjectNotFound
from perennial.ports import ObjectStore

CREATED = datetime(2025, 2, 17, tzinfo=UTC)
TRAINED_THROUGH = datetime(2025, 2, 14, 18, 30, tzinfo=UTC)

VISITS = (
    Input("visits", "i0", "number"),
    Input("age", "i1", "integer", nullable=True),
)
"""Inputs of the regression, which answers `visits + age + bias`; a missing age counts as 0."""

CLASSES = ("no", "yes")


def regression_graph(bias: float, inputs: Sequence[Input] = VISITS) -> bytes:
    """`prediction` is the sum of all numeric inputs and the bias."""
    nodes = []
    numeric = [one for one in inputs if one.type in NUMERIC]
    for one in numeric:
        nodes += [
            helper.make_node("IsNaN", [one.tensor], [f"{one.tensor}_nan"]),
            helper.make_node(
                "Where", [f"{one.tensor}_nan", "zero", one.tensor], [f"{one.tensor}_value"]
            ),
        ]
    values = [f"{one.tensor}_value" for one in numeric]
    nodes.append(helper.make_node("Sum", [*values, "bias"], ["prediction"]))
    constants = {"zero": np.float32([[0]]), "bias": np.float32([[bias]])}
    return _model(nodes, constants, inputs, "prediction", 1)


def classification_graph(log_odds: float, inputs: Sequence[Input] = VISITS) -> bytes:
    """`probabilities` are [1 - p, p] with p the sigmoid of the first input plus `log_odds`."""
    first = inputs[0].tensor
    nodes = [
        helper.make_node("Add", [first, "log_odds"], ["score"]),
        helper.make_node("Sigmoid", ["score"], ["p"]),
        helper.make_node("Sub", ["one", "p"], ["q"]),
        helper.make_node("Concat", ["q", "p"], ["probabilities"], axis=1),
    ]
    constants = {"log_odds": np.float32([[log_odds]]), "one": np.float32([[1]])}
    return _model(nodes, constants, inputs, "probabilities", 2)


def reciprocal_graph(inputs: Sequence[Input] = VISITS[:1]) -> bytes:
    """`prediction` is 1 / (x - 7): finite for a neutral row, infinite for 7."""
    nodes = [
        helper.make_node("Sub", [inputs[0].tensor, "seven"], ["difference"]),
        helper.make_node("Reciprocal", ["difference"], ["prediction"]),
    ]
    return _model(nodes, {"seven": np.float32([[7]])}, inputs, "prediction", 1)


def _model(
    nodes: list[object],
    constants: Mapping[str, np.ndarray],
    inputs: Sequence[Input],
    output: str,
    width: int,
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(i.tensor, _tensor_type(i), [None, 1]) for i in inputs],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [None, width])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()


def _tensor_type(one: Input) -> int:
    if one.type in NUMERIC:
        return TensorProto.FLOAT
    return TensorProto.INT64 if one.type == "timestamp" else TensorProto.STRING


def manifest_of(
    graph: bytes,
    version: str,
    *,
    pipeline: str = "shop",
    classes: tuple[bool | int | str, ...] = (),
    inputs: tuple[Input, ...] = VISITS,
    text: str = "",
) -> Manifest:
    """The manifest of a graph; a regression unless there are classes."""
    return Manifest(
        pipeline=pipeline,
        version=version,
        task="binary" if classes else "regression",
        label="bought",
        classes=classes,
        inputs=inputs,
        text=text,
        files={"model.onnx": digest_of(graph), "card.md": digest_of(b"# card")},
        run="run-1",
        champion=None,
        definition="d" * 64,
        trained_rows=100,
        trained_through=TRAINED_THROUGH,
        created=CREATED,
        seed=0,
    )


def digest_of(data: bytes) -> FileDigest:
    """What a manifest states of these bytes."""
    return FileDigest(hashlib.sha256(data).hexdigest(), len(data))


def write_version(store: ObjectStore, manifest: Manifest, graph: bytes) -> None:
    """Write a version as a run does: its files, and last the manifest."""
    files = {"model.onnx": graph, "card.md": b"# card", "manifest.json": manifest.to_json()}
    for file, data in files.items():
        store.create(names.version(manifest.pipeline, manifest.version, file), data)


def write_regression(
    store: ObjectStore, version: str, bias: float, *, pipeline: str = "shop"
) -> None:
    """A version that answers `visits + age + bias`."""
    graph = regression_graph(bias)
    write_version(store, manifest_of(graph, version, pipeline=pipeline), graph)


def declare(store: ObjectStore, settings: ServingSettings, digest: str = "d" * 64) -> None:
    """Put a definition in force that says this to `predict`, as `apply` does."""
    store.create(names.serving_settings("shop", digest), settings.to_json())
    _change_head(store, definition=digest)


def put_on_hold(store: ObjectStore, version: str) -> None:
    """Have a version wait for approval."""
    head = Head.from_json(store.read(names.head("shop")).data)
    _change_head(store, statuses={**head.statuses, version: "waiting"})


def _change_head(store: ObjectStore, **changes: Any) -> None:
    stored = store.read(names.head("shop"))
    head = replace(Head.from_json(stored.data), **changes)
    store.replace(names.head("shop"), head.to_json(), generation=stored.info.generation)


def crown(
    store: ObjectStore, champion: str | None, *, pipeline: str = "shop", stated: bytes = b""
) -> None:
    """Make a version the champion, as a run, an approval or a rollback would.

    With `stated`, its manifest, the head states that one's digest.
    """
    name = names.head(pipeline)
    try:
        stored = store.read(name)
    except ObjectNotFound:
        head = _crowned(Head(pipeline), champion, stated)
        store.create(name, head.to_json())
        return
    head = _crowned(Head.from_json(stored.data), champion, stated)
    store.replace(name, head.to_json(), generation=stored.info.generation)


def _crowned(head: Head, champion: str | None, stated: bytes) -> Head:
    if champion and stated:
        manifests = {**head.manifests, champion: digest_of(stated).sha256}
        head = replace(head, manifests=manifests)
    statuses = {**head.statuses, champion: "approved"} if champion else dict(head.statuses)
    past = [head.champion, *head.predecessors] if champion else head.predecessors
    return replace(
        head,
        number=head.number + 1,
        champion=champion,
        statuses=statuses,
        predecessors=tuple(v for v in past if v and v != champion),
    )
