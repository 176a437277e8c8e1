"""Take in a model that was trained elsewhere: try it, judge it, and bring it in as a version.

It goes the way of a run's version: under the pipeline's claim, against the champion of that moment,
by one commit. What a crash leaves behind is a reserved number, and the claim of a dead process.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import pandas as pd

from perennial.domain import names
from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.floors import check_floors
from perennial.domain.evaluation.gate import rule
from perennial.domain.judging.redelivery import superseded
from perennial.domain.versioning import registry as state
from perennial.domain.versioning.importing import (
    IMPORTED,
    IMPORTED_FILE,
    OUTCOMES,
    Evidence,
    Imported,
    Request,
    card,
    decide,
)
from perennial.domain.versioning.lineage import Batch, Lineage, lineage
from perennial.domain.versioning.manifest import FileDigest, Manifest
from perennial.domain.versioning.registry import Head, Status
from perennial.errors import (
    ClaimLost,
    CommitConflict,
    DefinitionError,
    DigestMismatch,
    ModelError,
    ObjectNotFound,
    RefusedError,
)
from perennial.ports import Artefact
from perennial.workflows.attempt import load_champion
from perennial.workflows.challenge import describe
from perennial.workflows.claims import claim, release
from perennial.workflows.loaded import LoadedVersion
from perennial.workflows.packaging import SMOKE_ROWS
from perennial.workflows.queue import accepted_files
from perennial.workflows.rows import Rows
from perennial.workflows.trainer import Trainer
from perennial.workflows.trial import Trial, checked_answers, try_out
from perennial.workflows.writing import create_once

POLL_SECONDS = 2.0
POLLS = 300
"""How often to ask for the claim of a pipeline on which a run is at work."""


def take_in(trainer: Trainer, pipeline: str, digest: str) -> Imported:
    """Make a version of a graph that was handed in, or find the one that was made of it before.

    Whatever does not fit is a result too.

    Args:
        trainer: the parts to work with.
        pipeline: for which the graph is.
        digest: of the request.

    Raises:
        NotFoundError: for a pipeline that was never applied.
        ClaimLost: when another run took over; this one has left no trace.
        StoreError: when the store does not answer.
    """
    models = trainer.registry.models
    request = Request.from_json(
        _verified(models.read(names.import_request(pipeline, digest)).data, digest)
    )
    blank = Imported(
        pipeline=pipeline,
        outcome="refused",
        reason="",
        sha256=request.sha256,
        file=request.file,
        trained_through=request.trained_through,
        ended=trainer.clock.now(),
        execution=trainer.execution,
    )
    try:
        graph = _verified(
            models.read(names.import_graph(pipeline, request.sha256)).data, request.sha256
        )
        with _claimed(trainer, pipeline) as head:
            found = _attempts(trainer, head, request, graph, blank)
    except ObjectNotFound as error:
        found = replace(blank, reason=f"gs://{error.bucket}/{error.name} is gone")
    except (DefinitionError, ModelError, RefusedError) as error:
        found = replace(blank, reason=str(error))
    return replace(found, ended=trainer.clock.now())


def record(trainer: Trainer, digest: str, found: Imported) -> str:
    """Keep a result where whoever handed in the graph looks; returns the object's name."""
    execution = trainer.execution or secrets.token_hex(8)
    name = names.import_result(found.pipeline, digest, execution)
    create_once(trainer.buckets.data, name, found.to_json())
    return name


def _verified(data: bytes, digest: str) -> bytes:
    if hashlib.sha256(data).hexdigest() != digest:
        raise DigestMismatch("what was handed in is not what its name states")
    return data


@contextmanager
def _claimed(trainer: Trainer, pipeline: str) -> Iterator[Head]:
    """The pipeline's claim, once no run has it."""
    holder = f"import-{secrets.token_hex(8)}"
    head = _claim_when_free(trainer, pipeline, holder)
    try:
        yield head
    finally:
        with suppress(ClaimLost):  # which is raised by whatever the block was about to commit
            release(trainer.registry, head, holder)


def _claim_when_free(trainer: Trainer, pipeline: str, holder: str) -> Head:
    polls = 0
    while True:
        try:
            return claim(
                trainer.registry, trainer.launcher, trainer.clock, pipeline, holder,
                seconds=trainer.claim_seconds, execution=trainer.execution,
            )  # fmt: skip
        except RefusedError as error:
            polls += 1
            if polls == POLLS:
                raise RefusedError(f"{error}: import it again then") from None
            trainer.clock.sleep(POLL_SECONDS)


def _attempts(
    trainer: Trainer, head: Head, request: Request, graph: bytes, blank: Imported
) -> Imported:
    """Judge it against the champion, again whenever champion or recipe change."""
    epoch = head.epoch
    while True:
        if before := _made_before(trainer, head, request, blank):
            return before
        try:
            return _attempt(trainer, head, request, graph, blank)
        except CommitConflict:
            head = trainer.registry.require(head.pipeline)
            state.require_claim(head, epoch)


def _made_before(
    trainer: Trainer, head: Head, request: Request, blank: Imported
) -> Imported | None:
    """The version that an earlier import made of the same file, for the same definition.

    The claims of version numbers say whose they are, so that one listing finds it.
    """
    prefix = f"import-{request.key(head.definition)}-"
    folder = names.versions(head.pipeline)
    for info in trainer.registry.models.list(folder):
        version = info.name.removeprefix(folder).split("/", 1)[0]
        if version in head.statuses and info.metadata.get("run", "").startswith(prefix):
            manifest = trainer.registry.manifest(head.pipeline, version, head=head)
            evaluation = json.loads(trainer.registry.read_version_file(manifest, "evaluation.json"))
            return replace(
                _result(blank, head, version, evaluation["reason"]),
                against=manifest.champion,
                rows=evaluation["duel"]["rows"],
                before=True,
            )
    return None


def _result(blank: Imported, head: Head, version: str, reason: str) -> Imported:
    status = head.statuses[version]
    outcome = OUTCOMES.get(status, "rejected")
    return replace(blank, outcome=outcome, reason=reason, version=version, status=status)


def _attempt(
    trainer: Trainer, head: Head, request: Request, graph: bytes, blank: Imported
) -> Imported:
    definition = trainer.registry.definition(head)
    artefact = trainer.codec.admit(graph, definition)
    accepted = accepted_files(trainer.buckets.data, head.pipeline)
    batch = Batch.of(accepted, Lineage(), superseded(definition, accepted))
    if not batch.history:
        raise RefusedError(
            f"there is no accepted row to try it on: `perennial drop {head.pipeline} FILE` first"
        )
    champion = load_champion(trainer, head)
    manifest = _manifest(trainer, head, definition, request, artefact)
    if champion and _is_ours(champion.manifest, manifest.files["model.onnx"]):
        raise RefusedError(f"{head.champion}, which serves, is this very graph")
    rows = Rows(trainer.buckets.data, definition)
    imported = LoadedVersion(manifest, Lineage(), trainer.codec.load(artefact.graph, manifest))
    _smoke(trainer, imported, artefact, rows.of(batch.history[-1]))
    trial = try_out(definition, batch, rows, champion, imported, request.trained_through)
    measured = imported.measure(definition, trial.rows)
    floors = check_floors(definition.promotion, measured)
    ruling = rule(trial.duel, floors)
    evidence = Evidence(
        rows=trial.duel.rows,
        passes=ruling.promotes,
        rule=ruling.reason,
        champion=head.champion,
        fair=trial.fair,
        known=request.trained_through is not None,
    )
    status, reason = decide(evidence, automatic=definition.promotion.mode == "automatic")
    run = f"import-{request.key(head.definition)}-{secrets.token_hex(4)}"
    version = trainer.registry.reserve_version(head.pipeline, run)
    manifest = replace(manifest, version=version, run=run)
    evaluation = _evaluation(definition, manifest, request, trial, status, reason)
    evaluation["score"] = measured.score.metrics()
    evaluation["floors"] = [asdict(floor) | {"sentence": floor.sentence} for floor in floors]
    files = {
        "model.onnx": artefact.graph,
        "evaluation.json": json.dumps(evaluation, indent=1).encode(),
        "lineage.json": _known(batch, request).to_json(),
        "card.md": card(request, version, manifest.created, evaluation).encode(),
    }
    digests = {n: FileDigest(hashlib.sha256(d).hexdigest(), len(d)) for n, d in files.items()}
    stated = trainer.registry.write_version(replace(manifest, files=digests), files)
    after = trainer.registry.commit(
        head.pipeline,
        partial(
            state.judge_version,
            version=version,
            status=status,
            epoch=head.epoch,
            against=head.champion,
            definition=head.definition,
            recalls=head.recalls,
            proved=ruling.promotes and trial.duel.rows > 0 and evidence.known,
            manifest=stated,
        ),
        action="import",
        by=request.by,
        why="; ".join(filter(None, (request.why, reason))),
        version=version,
    )
    made = _result(blank, after, version, reason)
    return replace(made, against=head.champion, rows=trial.duel.rows)


def _is_ours(champion: Manifest, graph: FileDigest) -> bool:
    """Whether a graph is the champion's own, whose lineage an import would forget."""
    return champion.files["model.onnx"] == graph and IMPORTED not in champion.environment


def _manifest(
    trainer: Trainer, head: Head, definition: Definition, request: Request, artefact: Artefact
) -> Manifest:
    """As far as it is known before there is a version."""
    digest = FileDigest(hashlib.sha256(artefact.graph).hexdigest(), len(artefact.graph))
    now = trainer.clock.now()
    return Manifest(
        pipeline=head.pipeline,
        version="",
        task=definition.task,
        label=definition.label,
        classes=artefact.classes,
        inputs=artefact.inputs,
        text=artefact.text,
        files={"model.onnx": digest},
        run="",
        champion=head.champion,
        definition=head.definition,
        trained_rows=0,
        trained_through=request.trained_through or now,
        created=now,
        seed=definition.training.seed,
        environment={
            **trainer.environment,
            IMPORTED: request.sha256,
            IMPORTED_FILE: request.file,
        },
    )


def _known(batch: Batch, request: Request) -> Lineage:
    """It learned no row of ours, and none that it may know proves anything about it."""
    through = request.trained_through
    known = [file for file in batch.history if through is None or file.order[0] <= through]
    return lineage(known, (), ())


def _smoke(
    trainer: Trainer, imported: LoadedVersion, artefact: Artefact, frame: pd.DataFrame
) -> None:
    """A fresh process that knows nothing but the version answers as this one does."""
    instances = frame.head(SMOKE_ROWS)
    expected = checked_answers(imported, instances)
    trainer.codec.check_smoke(artefact.graph, imported.manifest, instances, expected)


def _evaluation(
    definition: Definition,
    manifest: Manifest,
    request: Request,
    trial: Trial,
    status: Status,
    reason: str,
) -> dict[str, Any]:
    """Every number behind the decision, by the keys of a run's own evaluations."""
    through = request.trained_through
    return {
        "format": 1,
        "version": manifest.version,
        "status": status,
        "reason": reason,
        "champion": manifest.champion,
        "task": definition.task,
        "label": definition.label,
        "metric": definition.metric,
        "duel": asdict(trial.duel),
        "held_out": describe(definition, trial.rows),
        "trained": {"rows": 0},
        "refit": False,
        "mode": definition.promotion.mode,
        "imported": {
            "file": request.file,
            "sha256": request.sha256,
            "by": request.by,
            "why": request.why,
            "trained_through": through and through.isoformat(),
            "champion_had_learned_the_rows": not trial.fair,
        },
        "parity": {},
        "seconds": {},
    }
