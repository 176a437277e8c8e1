"""What workflows need from the outside world, and nothing about who provides it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol, Self

if TYPE_CHECKING:  # predict imports this module, and none of these
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from perennial.domain.checking.served import Answered, Served
    from perennial.domain.definitions.definition import Definition
    from perennial.domain.doctoring.findings import Look
    from perennial.domain.modelling.inputs import Columns
    from perennial.domain.modelling.training import Model
    from perennial.domain.versioning.manifest import Input, Manifest


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a store knows of one generation of one object.

    Attributes:
        generation: the object's version, microseconds since 1970 at its creation; increases.
        size: bytes.
        created: when this generation was written (UTC).
        deleted: when a versioned bucket made it noncurrent (UTC); None while it is live.
        metadata: the small facts its writer attached, so that a listing can serve as an index.
    """

    bucket: str
    name: str
    generation: int
    size: int
    created: datetime
    deleted: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_bytes(cls, bucket: str, name: str, generation: int, size: int) -> Self:
        """The facts that come with an object's bytes: a generation says when it was written."""
        created = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=generation)
        return cls(bucket, name, generation, size, created)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's facts and its bytes, of the same generation."""

    info: ObjectInfo
    data: bytes


class ObjectReader(Protocol):
    """One bucket, to be read. Reads are strongly consistent.

    Every method raises `StoreUnavailable` when the store gives no answer after bounded retries
    and `PermissionDenied` when it refuses the identity.
    """

    @property
    def bucket(self) -> str:
        """The bucket's name."""

    def stat(self, name: str, *, generation: int | None = None) -> ObjectInfo:
        """Facts of the live object, or of one generation. Raises `ObjectNotFound`."""

    def read(self, name: str, *, generation: int | None = None) -> StoredObject:
        """Bytes and facts of one and the same generation, in one request.

        The facts lack `metadata`, which an answer with bytes does not carry: `stat` has it.
        Raises `ObjectNotFound`.
        """

    def download(self, name: str, file: BinaryIO, *, generation: int | None = None) -> ObjectInfo:
        """Stream the bytes into a seekable `file` from where it stands, in bounded memory.

        The facts lack `metadata`. Raises `ObjectNotFound`.
        """

    def list(
        self,
        prefix: str = "",
        *,
        start: str | None = None,
        end: str | None = None,
        versions: bool = False,
        limit: int | None = None,
    ) -> Iterator[ObjectInfo]:
        """Objects in UTF-8 byte order of their names, `start` included, `end` excluded.

        With `versions`, every generation, oldest first within a name. Pages are fetched lazily.
        """


class ObjectStore(ObjectReader, Protocol):
    """One bucket. Each write is atomic.

    Every method raises what those of `ObjectReader` do; the outcome of a write without an answer
    is unknown. A retried write that had landed answers `PreconditionFailed`: callers look before
    they judge.
    """

    def create(
        self,
        name: str,
        data: bytes | BinaryIO,
        *,
        metadata: Mapping[str, str] | None = None,
        content_type: str = "application/octet-stream",
    ) -> ObjectInfo:
        """Write once; of a file, all of it. Raises `PreconditionFailed` where the object exists."""

    def overwrite(
        self, name: str, data: bytes | BinaryIO, *, metadata: Mapping[str, str] | None = None
    ) -> ObjectInfo:
        """Write without a condition: users' uploads, nothing with authority."""

    def replace(
        self, name: str, data: bytes, *, generation: int, metadata: Mapping[str, str] | None = None
    ) -> ObjectInfo:
        """Compare-and-swap. Raises `PreconditionFailed` unless `generation` is the live one."""

    def copy_from(self, source: ObjectStore, name: str, to: str, *, generation: int) -> ObjectInfo:
        """Copy one generation of `name` in `source` to the new object `to` here, server-side.

        Raises `ObjectNotFound` when that generation is gone and `PreconditionFailed` when `to`
        exists.
        """

    def delete(self, name: str, *, generation: int | None = None) -> None:
        """Remove the live object, or make it noncurrent; or remove one generation for good.

        Raises `ObjectNotFound`.
        """


@dataclass(frozen=True, slots=True)
class Buckets:
    """The four buckets. Nothing of ours writes into landing."""

    landing: ObjectStore
    quarantine: ObjectStore
    data: ObjectStore
    models: ObjectStore


Task = Literal["rebuild", "import", "score"]
"""What the training job does beside runs."""


class JobLauncher(Protocol):
    """Starts training jobs."""

    def launch(self, pipeline: str, *, force: bool = False) -> str:
        """Start one run for `pipeline` and return the platform's name of the execution.

        With `force` it works even if the pipeline's trigger is not due. Returns as soon as the
        platform accepted it. Raises `LaunchError`.
        """

    def launch_task(self, task: Task, pipeline: str, subject: str) -> str:
        """Start an execution that does something else than a run; its name, as of `launch`.

        Args:
            task: `rebuild` trains the version `subject` again and compares; `import` takes in the
                graph that the request of digest `subject` is about; `score` predicts the files
                that wait to be scored, or those of the request of digest `subject`.
            pipeline: for which pipeline.
            subject: what the task is about.

        `perennial.domain.versioning.rebuilding.ALL` stands for every version, and
        `perennial.domain.serving.batch.WAITING` for every file that waits. Raises `LaunchError`.
        """

    def has_ended(self, execution: str) -> bool:
        """Whether the platform knows that this execution is over. False when it cannot tell."""


class Scorer(Protocol):
    """A model version that answers rows."""

    def predict(self, columns: Columns) -> NDArray[np.float32]:
        """Shape [N] for regression; probabilities [N, classes] otherwise. Raises `ModelError`."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model as data: its graph, and what a manifest must say of it.

    Attributes:
        graph: ONNX bytes.
        inputs: the columns that it reads.
        classes: in the order of its probabilities; empty for regression.
        text: name of the text normalisation outside the graph; empty without text inputs.
    """

    graph: bytes
    inputs: tuple[Input, ...]
    classes: tuple[bool | int | str, ...]
    text: str


class ModelCodec(Protocol):
    """Turns trained models into data and data into scorers, and proves that they agree."""

    def export(self, model: Model) -> Artefact:
        """The model as a graph. Raises `ModelError` for what the graph format cannot express."""

    def admit(self, graph: bytes, definition: Definition) -> Artefact:
        """A graph that was made elsewhere, as one of ours; `ModelError` when it does not fit."""

    def load(self, graph: bytes, manifest: Manifest) -> Scorer:
        """A scorer for verified bytes. Raises `ModelError`."""

    def check_parity(
        self, model: Model, artefact: Artefact, rows: pd.DataFrame
    ) -> Mapping[str, float]:
        """The parity gate: graph and model agree on these rows and around every split.

        Returns:
            What was compared and the largest differences, for the evaluation.

        Raises:
            GateFailed: with the numbers.
        """

    def check_smoke(
        self,
        graph: bytes,
        manifest: Manifest,
        instances: pd.DataFrame,
        expected: NDArray[np.float64],
    ) -> None:
        """The smoke gate: a fresh process loads the graph as `predict` does and answers rows.

        Raises:
            GateFailed: with what that process said.
        """


class Graphs(Protocol):
    """Runs graphs where they are checked."""

    def load(self, graph: bytes, manifest: Manifest) -> Scorer:
        """A scorer for verified bytes. Raises `ModelError`."""

    def smoke(
        self,
        graph: bytes,
        manifest: Manifest,
        instances: Sequence[Mapping[str, object]],
        expected: NDArray[np.float64],
    ) -> None:
        """Let a fresh process load the graph and answer. Raises `GateFailed`."""


class Serving(Protocol):
    """A pipeline's models over HTTP.

    Its methods raise `ConfigError` where it is not known whom to ask, or as whom, and another
    `PerennialError` where what serves does not answer as it should.
    """

    def served(self) -> Served:
        """What it serves now."""

    def answered(self, instances: Sequence[Mapping[str, object]]) -> Answered:
        """Its answer to a request."""


class Platform(Protocol):
    """Looks at what is deployed, and changes nothing."""

    def look(self, service: str, path: str, **parameters: str) -> Look:
        """Ask one service for one resource; what goes wrong is part of the look.

        Args:
            service: whom to ask: an API such as `run`, or a part of the local cloud.
            path: the resource, below the service's address.
            parameters: of the query.
        """


class Webhook(Protocol):
    """Somebody outside who wants to be told."""

    def post(self, document: Mapping[str, object]) -> None:
        """Hand over one document, in bounded time. Raises `NotDelivered`."""


class Clock(Protocol):
    """The time, so that tests can set it."""

    def now(self) -> datetime:
        """The current time (UTC, aware)."""

    def sleep(self, seconds: float) -> None:
        """Wait that long."""
