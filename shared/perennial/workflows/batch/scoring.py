"""Score files: what the training job does with the decisions `to_score`.

Look-ups and predictions first, then their manifest, all create-only; what lies there counts,
whoever wrote it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.parquet as pq

from perennial.domain import names
from perennial.domain.definitions.definition import Definition
from perennial.domain.names import FileId
from perennial.domain.serving.batch import Request, Scored
from perennial.domain.verdict import Verdict
from perennial.domain.versioning.lineage import Lineage
from perennial.domain.versioning.registry import Head
from perennial.errors import (
    DigestMismatch,
    ModelError,
    NotFoundError,
    ObjectNotFound,
    RefusedError,
)
from perennial.workflows.batch.answers import answers, to_bytes
from perennial.workflows.batch.lookup import write_lookup
from perennial.workflows.batch.queue import mark_launches, read_scored, waiting_files
from perennial.workflows.loaded import LoadedVersion
from perennial.workflows.rows import in_shape
from perennial.workflows.trainer import Trainer
from perennial.workflows.verdicts import list_in_force, read_verdict, verdict_in_force
from perennial.workflows.writing import create_once


def score_waiting(trainer: Trainer, pipeline: str) -> Iterator[Scored]:
    """Let the champion predict every file that waits; look again until none does.

    Raises:
        NotFoundError: for a pipeline that was never applied.
        ModelError: when the champion cannot be loaded.
        StoreError: when the store does not answer; what was scored stays.
    """
    data, registry = trainer.buckets.data, trainer.registry
    tried: set[tuple[str, str]] = set()
    while True:
        mark_launches(data, trainer.clock, pipeline)
        files = [f for f in list_in_force(data, pipeline) if f.decision == "to_score"]
        head = registry.require(pipeline)
        version = head.champion
        if version is None or not files:
            return
        waiting = waiting_files(data, registry.definition(head), version, files)
        if all((file.file.stem, version) in tried for file in waiting):
            return
        desk = _Desk.of(trainer, head, version)
        for file in waiting:
            if (file.file.stem, version) not in tried:
                tried.add((file.file.stem, version))
                yield desk.score(read_verdict(data, pipeline, file))


def score_requested(trainer: Trainer, pipeline: str, digest: str) -> Iterator[Scored]:
    """Score the files of a request by the version that it names, as far as they have not been.

    Raises:
        NotFoundError: when the pipeline, or a file that is to be scored, does not exist.
        RefusedError: when the version is not approved.
        ModelError: when it cannot be loaded.
        StoreError: when the store does not answer; what was scored stays.
    """
    data = trainer.buckets.data
    stored = data.read(names.score_request(pipeline, digest)).data
    if hashlib.sha256(stored).hexdigest() != digest:
        raise DigestMismatch("the request is not what its name states")
    request = Request.from_json(stored)
    head = trainer.registry.require(pipeline)
    if request.version not in head.approved:
        raise RefusedError(f"{pipeline} has no approved version {request.version!r}")
    desk = _Desk.of(trainer, head, request.version)
    for file in request.files:
        done = read_scored(data, pipeline, file, request.version)
        yield done or desk.score(_to_score(trainer, pipeline, file))


def _to_score(trainer: Trainer, pipeline: str, file: FileId) -> Verdict:
    verdict = verdict_in_force(trainer.buckets.data, pipeline, file)
    if verdict is None or verdict.decision != "to_score":
        found = verdict.decision if verdict else "without a verdict"
        raise NotFoundError(f"expected {file.name} to be there to be scored, found it {found}")
    return verdict


@dataclass(frozen=True, slots=True)
class _Desk:
    """One version, ready to score files.

    Attributes:
        definition: by which it was made; rows are brought into its shape.
        lookup: whether predictions can be looked up by the keys of their rows.
    """

    trainer: Trainer
    head: Head
    version: LoadedVersion
    definition: Definition
    lookup: bool
    _definitions: dict[str, Definition] = field(default_factory=dict)

    @classmethod
    def of(cls, trainer: Trainer, head: Head, name: str) -> _Desk:
        registry = trainer.registry
        manifest = registry.manifest(head.pipeline, name, head=head)
        graph = registry.read_version_file(manifest, "model.onnx")
        version = LoadedVersion(manifest, Lineage(), trainer.codec.load(graph, manifest))
        definition = registry.definition(replace(head, definition=manifest.definition))
        lookup = registry.definition(head).serving.lookup
        return cls(trainer, head, version, definition, lookup)

    def score(self, verdict: Verdict) -> Scored:
        """Predict a file's rows and keep the predictions, or say why there are none."""
        manifest, data = self.version.manifest, self.trainer.buckets.data
        blank = Scored(
            pipeline=manifest.pipeline,
            version=manifest.version,
            graph=manifest.files["model.onnx"].sha256,
            file=verdict.file,
            sha256=verdict.sha256,
            rows_object=verdict.rows_object,
            definition=verdict.definition,
            created=self.trainer.clock.now(),
            execution=self.trainer.execution,
        )
        try:
            table = self._predict(verdict)
        except ObjectNotFound as error:
            return self._record(_failed(blank, f"gs://{error.bucket}/{error.name} is gone"))
        except ModelError as error:
            return self._record(_failed(blank, str(error)))
        name = names.prediction(manifest.pipeline, verdict.file.stem, manifest.version)
        written = create_once(data, name, to_bytes(table)).data
        return self._record(
            replace(
                blank,
                rows=table.num_rows,
                predictions=name,
                predictions_sha256=hashlib.sha256(written).hexdigest(),
                predictions_size=len(written),
                columns=tuple(table.column_names),
            )
        )

    def _predict(self, verdict: Verdict) -> pa.Table:
        """The predictions as a table, findable by then where that is declared."""
        stored = self.trainer.buckets.data.read(verdict.rows_object).data
        table = pq.ParquetFile(pa.BufferReader(stored)).read(use_threads=False)
        manifest = self.version.manifest
        lacking = [
            one.name
            for one in manifest.inputs
            if one.name not in table.column_names and not one.nullable
        ]
        if lacking:
            raise ModelError(
                f"{verdict.file.name} was judged when {', '.join(lacking)} was no column of its "
                f"pipeline, and {manifest.version} needs it: drop the file again, with it"
            )
        frame = in_shape(table, self.definition, verdict.file.name).to_pandas()
        keys = self._judged_by(verdict.definition).names("key")
        output = self.version.predict(frame)
        predicted = answers(manifest, table.select(keys), output)
        if self.lookup and keys:
            models = self.trainer.buckets.models
            write_lookup(models, manifest, verdict.file, table.select(keys), output)
        return predicted

    def _judged_by(self, digest: str) -> Definition:
        if digest not in self._definitions:
            judged = replace(self.head, definition=digest)
            self._definitions[digest] = self.trainer.registry.definition(judged)
        return self._definitions[digest]

    def _record(self, scored: Scored) -> Scored:
        """Commit what came of it; what lies there, perhaps another's, is what came of it."""
        name = names.prediction_manifest(scored.pipeline, scored.file.stem, scored.version)
        written = create_once(
            self.trainer.buckets.data,
            name,
            scored.to_json(),
            metadata=scored.summary,
            content_type="application/json",
        )
        return scored if written.mine else Scored.from_json(written.data)


def _failed(blank: Scored, reason: str) -> Scored:
    return replace(blank, outcome="failed", reason=reason)
