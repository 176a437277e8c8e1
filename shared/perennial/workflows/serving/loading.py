"""A version from the bucket, made ready to answer: verified, loaded, tried."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perennial.domain import names
from perennial.domain.graphs.graph_rules import BYTES
from perennial.domain.modelling.inputs import Columns
from perennial.domain.modelling.predictions import predictions
from perennial.domain.serving.instances import InstanceReader, ignored_fields
from perennial.domain.serving.problems import invalid_instances
from perennial.domain.versioning.manifest import FileDigest, Manifest
from perennial.domain.versioning.registry import Head, read_manifest, verify_manifest
from perennial.errors import DigestMismatch, GateFailed, ModelError, ObjectNotFound
from perennial.ports import ObjectReader, Scorer

if TYPE_CHECKING:
    from typing_extensions import Buffer

GRAPH = "model.onnx"
MANIFEST_BYTES = 4 * 1024 * 1024
"""Of a manifest: thousands of columns."""

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
        predictions: one for each instance (see `domain.modelling.predictions`).
        ignored: fields of the instances that mean nothing to the model.
    """

    predictions: list[object]
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """A version that answers. Safe to call from several threads.

    Attributes:
        manifest: what it is.
        scorer: its graph.
        fields: the columns that it reads.
        known: those, and the label, which may be among an instance's fields, as it is in a row
            that was dropped.
    """

    manifest: Manifest
    scorer: Scorer
    fields: tuple[str, ...] = field(init=False, repr=False)
    known: frozenset[str] = field(init=False, repr=False)
    _reader: InstanceReader = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make once what every request is compared with and read by."""
        fields = tuple(one.name for one in self.manifest.inputs)
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "known", frozenset((self.manifest.label, *fields)))
        object.__setattr__(self, "_reader", InstanceReader(self.manifest.inputs))

    @property
    def version(self) -> str:
        """`v000012`."""
        return self.manifest.version

    @property
    def digest(self) -> str:
        """SHA-256 of the graph, in hex."""
        return self.manifest.files[GRAPH].sha256

    def answer(self, instances: Sequence[object], keys: Iterable[str] = ()) -> Answer:
        """The predictions for a request's instances.

        Args:
            instances: as the caller sent them.
            keys: columns that it may well have sent for the prediction log.

        Raises:
            Problem: naming each instance and field that cannot be read.
            ModelError: when the model fails on them.
        """
        reading = self._reader.read(instances)
        ignored = () if reading.bare else ignored_fields(self.known.union(keys), instances)
        if reading.errors:
            raise invalid_instances(reading, ignored)
        return Answer(predictions(self.manifest, self.scorer.predict(reading.columns)), ignored)


def load(models: ObjectReader, loader: Loader, head: Head, version: str) -> Model:
    """Fetch a version, check every file against its manifest, load its graph and try it.

    The head vouches for the manifest, and the manifest for every other file. No file is fetched
    further than to the size that it should have.

    Args:
        models: the models bucket.
        loader: makes a scorer of the graph's bytes.
        head: the registry that names the version.
        version: which.

    Raises:
        ModelError: when it is incomplete, not what its manifest says, or does not answer.
        StoreError: when the store does not give it.
    """
    pipeline = head.pipeline
    manifest = _manifest(models, head, version)
    if GRAPH not in manifest.files:
        raise ModelError(f"{pipeline} {version}: the manifest names no {GRAPH}")
    if manifest.files[GRAPH].size > BYTES:
        raise ModelError(
            f"{pipeline} {version}: expected a {GRAPH} of at most {BYTES:,} bytes, the manifest "
            f"states {manifest.files[GRAPH].size:,}"
        )
    graph = b""
    for file, digest in manifest.files.items():
        data = _read(models, names.version(pipeline, version, file), digest.size)
        _verify(data, digest, f"{pipeline} {version}: {file}")
        if file == GRAPH:
            graph = data
    model = Model(manifest, loader(graph, manifest))
    _try(model)
    return model


def _manifest(models: ObjectReader, head: Head, version: str) -> Manifest:
    pipeline = head.pipeline
    data = _read(models, names.version(pipeline, version, "manifest.json"), MANIFEST_BYTES)
    verify_manifest(head, version, data)
    return read_manifest(pipeline, version, data)


class _Bounded(io.BytesIO):
    """A file in memory that takes no more than it should."""

    def __init__(self, what: str, most: int) -> None:
        super().__init__()
        self._what = what
        self._most = most

    def write(self, data: Buffer, /) -> int:
        written = super().write(data)
        if self.tell() > self._most:
            raise ModelError(f"expected at most {self._most:,} bytes in {self._what}, found more")
        return written


def _read(models: ObjectReader, name: str, most: int) -> bytes:
    file = _Bounded(name, most)
    try:
        models.download(name, file)
        return file.getvalue()
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
