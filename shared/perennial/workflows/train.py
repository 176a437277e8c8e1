"""A training run: claim, work, release; and again, while accepted files wait.

Nothing that a run writes counts before its commit, so a crash at any point leaves work for the
next run and nothing to clean up.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from perennial.domain import registry as state
from perennial.domain.definition import Definition
from perennial.domain.lineage import Batch, Lineage
from perennial.domain.registry import Head
from perennial.domain.verdict import VerdictSummary
from perennial.errors import (
    ClaimLost,
    CommitConflict,
    GateFailed,
    NotTrainable,
    PerennialError,
    RefusedError,
)
from perennial.ports import Buckets, Clock, JobLauncher, ModelCodec
from perennial.workflows.challenge import Candidate, Champion, challenge, require_rows
from perennial.workflows.ledger import Entry, record
from perennial.workflows.packaging import Origin, package
from perennial.workflows.queue import accepted_files, work_is_due
from perennial.workflows.registry import Registry
from perennial.workflows.rows import Rows
from perennial.workflows.runs import Outcome, RunRecord, write_run
from perennial.workflows.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class Trainer:
    """What a run works with.

    Attributes:
        execution: the platform's name of this process, so that others can tell when it is over.
        claim_seconds: how long a claim lives; beyond the job's own timeout.
        environment: versions of Python and of the libraries that decide the result.
    """

    buckets: Buckets
    registry: Registry
    codec: ModelCodec
    launcher: JobLauncher
    clock: Clock
    execution: str = ""
    claim_seconds: float = 7200.0
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Result:
    """How a run ends, as far as it is known."""

    outcome: Outcome
    reason: str
    version: str | None = None
    files: int = 0
    rows: int = 0


def train(trainer: Trainer, pipeline: str, *, force: bool = False) -> list[RunRecord]:
    """Work on a pipeline until no accepted file waits for its trigger.

    Args:
        trainer: the parts to work with.
        pipeline: which one.
        force: run once even if the trigger is not due.

    Returns:
        A record for each run; none when another run holds the claim or nothing is due.

    Raises:
        PerennialError: what broke a run; it is on record, and its claim is released.
    """
    records: list[RunRecord] = []
    while force or work_is_due(trainer.buckets.data, trainer.registry, pipeline):
        force = False
        started = trainer.clock.now()
        run = f"{started:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
        try:
            head = _claim(trainer, pipeline, run)
        except RefusedError:
            break  # the run that holds the claim lists again before it stops
        records.append(_run(trainer, head, run, started))
    return records


def _claim(trainer: Trainer, pipeline: str, run: str) -> Head:
    holder = trainer.registry.require(pipeline).claim
    dead = ""
    if holder and holder.execution and trainer.launcher.has_ended(holder.execution):
        dead = holder.run
    return trainer.registry.commit(
        pipeline,
        lambda head: state.take_claim(
            head,
            run=run,
            now=trainer.clock.now(),
            seconds=trainer.claim_seconds,
            execution=trainer.execution,
            dead=dead,
        ),
        action="claim",
        by=f"run {run}",
    )


def _run(trainer: Trainer, head: Head, run: str, started: datetime) -> RunRecord:
    """Work under the claim in `head`, record what came of it, and release the claim."""
    watch = Stopwatch(trainer.clock)
    accepted = accepted_files(trainer.buckets.data, head.pipeline)
    failure: PerennialError | None = None
    try:
        result = _work(trainer, head, run, accepted, watch)
    except ClaimLost:
        raise  # another run works now: leave no trace
    except NotTrainable as error:
        result = _Result("waiting", str(error))
    except PerennialError as error:
        failure, result = error, _Result("failed", f"{type(error).__name__}: {error}")
    report = RunRecord(
        pipeline=head.pipeline,
        run=run,
        execution=trainer.execution,
        outcome=result.outcome,
        reason=result.reason,
        started=started,
        ended=trainer.clock.now(),
        version=result.version,
        seconds=watch.seconds,
        files=result.files,
        rows=result.rows,
        considered=tuple(file.file.stem for file in accepted),
    )
    write_run(trainer.buckets.data, report)
    # A gate that fails would fail again on the same rows; anything else is worth another try.
    retry = failure is not None and not isinstance(failure, GateFailed)
    _release(trainer, head, report, retry=retry)
    if failure is not None and retry:
        raise failure
    return report


def _release(trainer: Trainer, head: Head, report: RunRecord, *, retry: bool) -> None:
    """Give the claim back; unless the run is to be tried again, what it considered is done with."""
    assert head.claim is not None  # noqa: S101 (the claim was taken in this very head)
    change = partial(state.release_claim, epoch=head.claim.epoch)
    if not retry:
        change = partial(change, run=report.run)
        if report.outcome != "waiting":
            through = max((int(stem.split("-")[0]) for stem in report.considered), default=0)
            change = partial(change, learned_through=through)
    trainer.registry.commit(
        head.pipeline,
        change,
        action="release",
        by=f"run {report.run}",
        why=report.reason,
        version=report.version,
    )


def _work(
    trainer: Trainer,
    head: Head,
    run: str,
    accepted: Sequence[VerdictSummary],
    watch: Stopwatch,
) -> _Result:
    """Judge a new version against the champion, again whenever the champion changes meanwhile."""
    while True:
        try:
            return _attempt(trainer, head, run, accepted, watch)
        except CommitConflict:
            head = trainer.registry.require(head.pipeline)


def _attempt(
    trainer: Trainer,
    head: Head,
    run: str,
    accepted: Sequence[VerdictSummary],
    watch: Stopwatch,
) -> _Result:
    definition = trainer.registry.definition(head)
    champion = _champion(trainer, head)
    batch = Batch.of(accepted, champion.lineage if champion else Lineage())
    if not batch.fresh:
        return _Result("nothing_new", f"{head.champion} has learned every accepted file")
    if champion is None:
        require_rows(definition, batch.fresh)
    rows = Rows(trainer.buckets.data, definition)
    if champion is not None:
        _score_first(trainer, definition, batch, rows, champion, watch)
    candidate = challenge(definition, batch, rows, champion, watch)
    version = trainer.registry.reserve_version(head.pipeline, run)
    origin = Origin(
        head.pipeline, version, run, head.definition, trainer.clock.now(), trainer.environment
    )
    manifest, files = package(candidate, definition, origin, trainer.codec, watch)
    with watch("write"):
        trainer.registry.write_version(manifest, files)
        after = _commit(trainer, head, candidate, version, run)
    outcome = _OUTCOMES[after.statuses[version]]
    rows_new = sum(file.rows for file in batch.fresh)
    return _Result(outcome, candidate.reason, version, len(batch.fresh), rows_new)


def _champion(trainer: Trainer, head: Head) -> Champion | None:
    if head.champion is None:
        return None
    manifest = trainer.registry.manifest(head.pipeline, head.champion)
    graph = trainer.registry.read_version_file(manifest, "model.onnx")
    known = trainer.registry.read_version_file(manifest, "lineage.json")
    return Champion(manifest, Lineage.from_json(known), trainer.codec.load(graph, manifest))


def _score_first(
    trainer: Trainer,
    definition: Definition,
    batch: Batch,
    rows: Rows,
    champion: Champion,
    watch: Stopwatch,
) -> None:
    """Progressive validation: the champion predicts what is new before anything learns from it.

    A late file is left out: the champion knows its future.
    """
    for file in batch.proof:
        with watch("read"):
            frame = rows.of(file)
        with watch("score"):
            entry = Entry(
                stem=file.file.stem,
                version=champion.manifest.version,
                scored=trainer.clock.now(),
                score=champion.score(definition, frame),
            )
            record(trainer.buckets.data, definition.name, entry)


def _commit(trainer: Trainer, head: Head, candidate: Candidate, version: str, run: str) -> Head:
    assert head.claim is not None  # noqa: S101 (the claim was taken in this very head)
    return trainer.registry.commit(
        head.pipeline,
        partial(
            state.judge_version,
            version=version,
            status=candidate.status,
            epoch=head.claim.epoch,
            against=head.champion,
        ),
        action="promote" if candidate.status == "approved" else "judge",
        by=f"run {run}",
        why=candidate.reason,
        version=version,
    )


_OUTCOMES: Mapping[state.Status, Outcome] = {
    "approved": "promoted",
    "waiting": "waiting_approval",
    "rejected": "rejected",
}
