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
    LaunchError,
    NotTrainable,
    RefusedError,
    StoreError,
)
from perennial.ports import Buckets, Clock, JobLauncher, ModelCodec
from perennial.workflows.challenge import Candidate, Champion, challenge, require_rows
from perennial.workflows.claims import claim
from perennial.workflows.ledger import Entry, record, scored_by
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
    """How a run ends, filled in as it becomes known: a run that fails had its new files too.

    Attributes:
        accepted: the files that it listed last.
        recalls: those that the head told of before that listing: what is recalled later may be in
            it.
    """

    outcome: Outcome = "failed"
    reason: str = ""
    version: str | None = None
    files: int = 0
    rows: int = 0
    accepted: Sequence[VerdictSummary] = ()
    recalls: int | None = None


def train(trainer: Trainer, pipeline: str, *, force: bool = False) -> list[RunRecord]:
    """Work on a pipeline until no accepted file waits for its trigger.

    Args:
        trainer: the parts to work with.
        pipeline: which one.
        force: run once even if the trigger is not due.

    Returns:
        A record for each run; none when another run holds the claim or nothing is due.

    Raises:
        ClaimLost: when another run took over; this one has left no trace.
        Exception: what broke a run; it is on record, and its claim is released.
    """
    records: list[RunRecord] = []
    while force or work_is_due(trainer.buckets.data, trainer.registry, pipeline):
        force = False
        started = trainer.clock.now()
        run = f"{started:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
        try:
            head = claim(
                trainer.registry, trainer.launcher, trainer.clock, pipeline, run,
                seconds=trainer.claim_seconds, execution=trainer.execution,
            )  # fmt: skip
        except RefusedError:
            break  # the run that holds the claim lists again before it stops
        records.append(_run(trainer, head, run, started))
    return records


def _run(trainer: Trainer, head: Head, run: str, started: datetime) -> RunRecord:
    """Work under the claim in `head`, record what came of it, and release the claim."""
    watch = Stopwatch(trainer.clock)
    failure: Exception | None = None
    result = _Result()
    try:
        _work(trainer, head, run, watch, result)
    except ClaimLost:
        raise  # another run works now: leave no trace
    except NotTrainable as error:
        result.outcome, result.reason = "waiting", str(error)
    except Exception as error:  # noqa: BLE001 (it goes on record, and up from here)
        failure = error
        result.outcome, result.reason = "failed", f"{type(error).__name__}: {error}"
    state.require_claim(trainer.registry.require(head.pipeline), head.epoch)
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
        considered=tuple(file.file.stem for file in result.accepted),
    )
    write_run(trainer.buckets.data, report)
    # What the platform refused once it may grant later; all else fails again on the same rows.
    retry = isinstance(failure, StoreError | LaunchError)
    _release(trainer, head, report, result.recalls, retry=retry)
    if failure is not None and not isinstance(failure, GateFailed):
        raise failure
    return report


def _release(
    trainer: Trainer, head: Head, report: RunRecord, recalls: int | None, *, retry: bool
) -> None:
    """Give the claim back; unless the run is to be tried again, what it considered is done with."""
    change = partial(state.release_claim, epoch=head.epoch, recalls=recalls)
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
    watch: Stopwatch,
    result: _Result,
) -> None:
    """Judge a new version against the champion, again whenever champion or recipe change.

    And whenever a file is recalled: the files are listed anew each time, after the look at the
    head, so that a listing that a recall made stale is always noticed at the commit.
    """
    while True:
        result.recalls = head.recalls
        result.accepted = accepted_files(trainer.buckets.data, head.pipeline)
        try:
            _attempt(trainer, head, run, watch, result)
        except CommitConflict:
            latest = trainer.registry.require(head.pipeline)
            state.require_claim(latest, head.epoch)
            head = latest
        else:
            return


def _attempt(
    trainer: Trainer,
    head: Head,
    run: str,
    watch: Stopwatch,
    result: _Result,
) -> None:
    """Make a version and bring it in; `result` says how that went, as far as it came."""
    definition = trainer.registry.definition(head)
    champion = _champion(trainer, head)
    batch = Batch.of(result.accepted, champion.lineage if champion else Lineage())
    result.files, result.rows = len(batch.fresh), sum(file.rows for file in batch.fresh)
    if not batch.fresh:
        result.outcome, result.reason = "nothing_new", _nothing_new(head, champion)
        return
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
    result.outcome, result.reason = _OUTCOMES[after.statuses[version]], candidate.reason
    result.version = version


def _nothing_new(head: Head, champion: Champion | None) -> str:
    if champion is None:
        return "no file was accepted yet"
    if champion.manifest.definition != head.definition:
        return (
            f"{head.champion} has learned every accepted file; the new definition takes effect "
            "with the next one, on whose rows both can be judged"
        )
    return f"{head.champion} has learned every accepted file"


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
    version = champion.manifest.version
    scored = scored_by(trainer.buckets.data, definition.name, version, batch.proof)
    for file in batch.proof:
        if file.file.stem in scored:
            continue
        with watch("read"):
            frame = rows.of(file)
        with watch("score"):
            entry = Entry(
                stem=file.file.stem,
                version=version,
                scored=trainer.clock.now(),
                score=champion.score(definition, frame),
            )
            record(trainer.buckets.data, definition.name, entry)


def _commit(trainer: Trainer, head: Head, candidate: Candidate, version: str, run: str) -> Head:
    return trainer.registry.commit(
        head.pipeline,
        partial(
            state.judge_version,
            version=version,
            status=candidate.status,
            epoch=head.epoch,
            against=head.champion,
            definition=head.definition,
            recalls=head.recalls,
        ),
        action=lambda after: "promote" if after.champion == version else "judge",
        by=f"run {run}",
        why=candidate.reason,
        version=version,
    )


_OUTCOMES: Mapping[state.Status, Outcome] = {
    "approved": "promoted",
    "waiting": "waiting_approval",
    "rejected": "rejected",
}
