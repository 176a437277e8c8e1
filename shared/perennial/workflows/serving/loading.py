"""A version from the bucket, made ready to answer: verified, loaded, tried."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from perennial.domain import names
from perennial.domain.inputs import Columns
from perennial.domain.instances import ignored_fields, read_instances
from perennial.domain.manifest import FileDigest, Manifest
from perennial.domain.predictions import predictions
from perennial.domain.problems import invalid_instances
from perennial.errors import DigestMismatch, GateFailed, ModelError, ObjectNotFound
from perennial.ports import ObjectStore, Scorer

GRAPH = "model.onnx"

Loader = Callable[[bytes, Manifest], Scorer]
"""Makes a scorer of verified bytes; raises `ModelError`."""

_NEUTRAL: Mapping[str, object] = {
    "integer": 0,
    "number": 0.0,
    "boolean": False,
    "category": "",
    "text": "",
    "timestamp": datetime(2000, 1, 1, tzinfo=UTC),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says to a request.

    Attributes:
        predictions: one for each instance (see `domain.predictions`).
        ignored: fields of the instances that mean nothing to the model.
    """

    predictions: list[object]
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """A version that answers. Safe to call from several threads."""

    manifest: Manifest
    scorer: Scorer
    _known: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Gather once what every request is compared with.

        The label may be among an instance's fields, as it is in a row that was dropped.
        """
        known = [self.manifest.label, *(one.name for one in self.manifest.inputs)]
        object.__setattr__(self, "_known", frozenset(known))

    @property
    def version(self) -> str:
        """`v000012`."""
        return self.manifest.version

    @property
    def digest(self) -> str:
        """SHA-256 of the graph, in hex."""
        return self.manifest.files[GRAPH].sha256

    def answer(self, instances: Sequence[object]) -> Answer:
        """The predictions for a request's instances.

        Raises:
            Problem: naming each instance and field that cannot be read.
            ModelError: when the model fails on them.
        """
        ignored = ignored_fields(self._known, instances)
        reading = read_instances(self.manifest.inputs, instances)
        if reading.errors:
            raise invalid_instances(reading, ignored)
        return Answer(predictions(self.manifest, self.scorer.predict(reading.columns)), ignored)


def load(models: ObjectStore, loader: Loader, pipeline: str, version: str) -> Model:
    """Fetch a version, check every file against its manifest, load its graph and try it.

    Raises:
        ModelError: when it is incomplete, not what its manifest says, or does not answer.
        StoreError: when the store does not give it.
    """
    manifest = _manifest(models, pipeline, version)
    if GRAPH not in manifest.files:
        raise ModelError(f"{pipeline} {version}: the manifest names no {GRAPH}")
    graph = b""
    for file, digest in manifest.files.items():
        data = _read(models, names.version(pipeline, version, file))
        _verify(data, digest, f"{pipeline} {version}: {file}")
        if file == GRAPH:
            graph = data
    model = Model(manifest, loader(graph, manifest))
    _try(model)
    return model


def _manifest(models: ObjectStore, pipeline: str, version: str) -> Manifest:
    data = _read(models, names.version(pipeline, version, "manifest.json"))
    try:
        manifest = Manifest.from_json(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{pipeline} {version}: cannot read the manifest ({error!r})") from error
    if (manifest.pipeline, manifest.version) != (pipeline, version):
        raise ModelError(
            f"{pipeline} {version}: the manifest is of {manifest.pipeline} {manifest.version}"
        )
    return manifest


def _read(models: ObjectStore, name: str) -> bytes:
    try:
        return models.read(name).data
    except ObjectNotFound as error:
        raise ModelError(f"{name} is missing") from error


def _verify(data: bytes, digest: FileDigest, what: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != digest.sha256:
        raise DigestMismatch(
            f"{what} has digest {found[:12]}… and {len(data)} bytes; "
            f"its manifest states {digest.sha256[:12]}… and {digest.size}"
        )


def _try(model: Model) -> None:
    """The smoke test: one neutral row gives one finite answer of the right shape."""
    manifest = model.manifest
    row: Columns = {one.name: [_NEUTRAL[one.type]] for one in manifest.inputs}
    output = model.scorer.predict(row)
    expected = (1,) if manifest.task == "regression" else (1, len(manifest.classes))
    if output.shape != expected:
        raise GateFailed(f"{model.version} answers shape {output.shape}, expected {expected}")
    predictions(manifest, output)
