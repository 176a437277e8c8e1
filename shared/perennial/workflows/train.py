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

import numpy as np
from numpy.typing import NDArray

from perennial.domain import registry as state
from perennial.domain.definition import Definition
from perennial.domain.lineage import Batch, Lineage
from perennial.domain.rebuilding import environment_of
from perennial.domain.registry import Head
from perennial.domain.surprise import Surprise, usual_band
from perennial.domain.training import Model, fit
from perennial.domain.upgrades import environment_digest
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
from perennial.workflows import probation
from perennial.workflows.challenge import (
    NOTHING_LEARNED,
    Candidate,
    Champion,
    challenge,
    require_rows,
)
from perennial.workflows.claims import claim
from perennial.workflows.ledger import Entry, serving
from perennial.workflows.packaging import Origin, package
from perennial.workflows.progress import contenders, load, score_first
from perennial.workflows.queue import accepted_files, work_is_due
from perennial.workflows.registry import Registry
from perennial.workflows.rows import Rows
from perennial.workflows.runs import Alert, Outcome, RunRecord, write_run
from perennial.workflows.stopwatch import Stopwatch
from perennial.workflows.suspects import set_aside


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
    """How a run ends, filled in as it becomes known: a run that fails had its new files too."""

    outcome: Outcome = "failed"
    reason: str = ""
    version: str | None = None
    files: int = 0
    rows: int = 0
    considered: tuple[str, ...] = ()
    alerts: list[Alert] = field(default_factory=list)


class _Again(Exception):
    """What was listed is not what there is any more: list again, and start over."""


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
        champion=head.champion,
        environment=environment_digest(trainer.environment),
        considered=result.considered,
        alerts=tuple(result.alerts),
    )
    write_run(trainer.buckets.data, report)
    # What the platform refused once it may grant later; all else fails again on the same rows.
    _release(trainer, head, report, retry=isinstance(failure, StoreError | LaunchError))
    if failure is not None and not isinstance(failure, GateFailed):
        raise failure
    return report


def _release(trainer: Trainer, head: Head, report: RunRecord, *, retry: bool) -> None:
    """Give the claim back; unless the run is to be tried again, what it considered is done with."""
    change = partial(state.release_claim, epoch=head.epoch)
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


def _work(trainer: Trainer, head: Head, run: str, watch: Stopwatch, result: _Result) -> None:
    """Judge a new version against the champion, again whenever anything it rests on changes."""
    while True:
        try:
            _attempt(trainer, head, run, watch, result)
        except (CommitConflict, _Again):
            latest = trainer.registry.require(head.pipeline)
            state.require_claim(latest, head.epoch)
            head = latest
        else:
            return


def _attempt(trainer: Trainer, head: Head, run: str, watch: Stopwatch, result: _Result) -> None:
    """Make a version and bring it in; `result` says how that went, as far as it came."""
    definition = trainer.registry.definition(head)
    accepted = accepted_files(trainer.buckets.data, head.pipeline)
    result.considered = tuple(file.file.stem for file in accepted)
    champion = _champion(trainer, head)
    batch = Batch.of(accepted, champion.lineage if champion else Lineage())
    if not batch.fresh:
        if result.outcome != "set_aside":  # else that is what there is to say
            result.outcome, result.reason = "nothing_new", _nothing_new(head, champion)
        return
    result.files += len(batch.fresh)
    result.rows += sum(file.rows for file in batch.fresh)
    rows = Rows(trainer.buckets.data, definition)
    surprises: list[Surprise] = []
    learned = NOTHING_LEARNED
    if champion is None:
        require_rows(definition, batch.fresh)
    else:
        learned, ledger = _score_first(trainer, head, definition, batch, rows, champion, watch)
        _on_probation(trainer, head, definition, ledger, batch, champion, run, result)
        surprises = _surprises(definition, ledger, batch)
    candidate = challenge(
        definition, batch, rows, champion, watch, fit, learned=learned, surprises=surprises
    )
    version = trainer.registry.reserve_version(head.pipeline, run)
    environment = environment_of(definition.training.package, trainer.environment)
    origin = Origin(head.pipeline, version, run, head.definition, trainer.clock.now(), environment)
    manifest, files = package(candidate, definition, origin, trainer.codec, watch)
    with watch("write"):
        trainer.registry.write_version(manifest, files)
        after = _commit(trainer, head, candidate, version, run)
    result.outcome, result.reason = _OUTCOMES[after.statuses[version]], candidate.reason
    result.version = version
    if candidate.suspect:
        result.outcome = "set_aside"
        suspect = [file for file in batch.fresh if file.file.stem in candidate.suspect]
        _set_aside(trainer, head.pipeline, run, suspect, candidate.reason, result)
        raise _Again


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
    return load(trainer.registry, trainer.codec, head.pipeline, head.champion)


def _score_first(
    trainer: Trainer,
    head: Head,
    definition: Definition,
    batch: Batch,
    rows: Rows,
    champion: Champion,
    watch: Stopwatch,
) -> tuple[NDArray[np.uint64], list[Entry]]:
    """Progressive validation: hashes of the rows that are learned, and the ledger of late."""
    with watch("read"):
        models = contenders(trainer.registry, trainer.codec, head, champion, definition, rows)
    data = trainer.buckets.data
    ledger = score_first(data, trainer.clock, definition, batch, rows, models, watch)
    return models[0].learned, ledger


def _on_probation(
    trainer: Trainer,
    head: Head,
    definition: Definition,
    ledger: Sequence[Entry],
    batch: Batch,
    champion: Champion,
    run: str,
    result: _Result,
) -> None:
    """Compare the champion with its predecessors; alert, or return to one that is better.

    The files go before the champion: after a crash in between, the champion has learned what
    counts no more, which the next run finds by the same evidence.

    Raises:
        _Again: after a return.
    """
    finding = probation.judge(
        definition, head, ledger, batch.history, trainer.registry, champion.lineage
    )
    if finding is None:
        return
    names = tuple(file.file.name for file in finding.files)
    version = finding.evidence.predecessor
    since = [file for file in finding.files if not file.cleared]
    if definition.promotion.probation == "alert" or head.pin is not None or not since:
        advice = f"`perennial rollback {head.pipeline} --to {version} --why …` returns to it"
        alert = Alert("probation", f"{finding.sentence}; {advice}", version, names)
    else:
        _set_aside(trainer, head.pipeline, run, since, finding.sentence, result)
        probation.go_back(trainer.registry, head, finding, run)
        alert = Alert("returned", f"returned to {version}: {finding.sentence}", version, names)
    if alert not in result.alerts:
        result.alerts.append(alert)
    if alert.kind == "returned":
        raise _Again


def _set_aside(
    trainer: Trainer,
    pipeline: str,
    run: str,
    files: Sequence[VerdictSummary],
    reason: str,
    result: _Result,
) -> None:
    set_aside(
        trainer.buckets.data, pipeline, files, by=f"run {run}", reason=reason,
        decided=trainer.clock.now(),
    )  # fmt: skip
    names = tuple(file.file.name for file in files)
    advice = f"`perennial quarantine release {pipeline} FILE --why …` has one learned after all"
    message = f"{', '.join(names)} set aside as suspect: {reason}; {advice}"
    result.alerts.append(Alert("suspect", message, None, names))


def _surprises(definition: Definition, ledger: Sequence[Entry], batch: Batch) -> list[Surprise]:
    """The new files on which the champion of the time did not do as it usually does.

    A file that a person vouches for never surprises.
    """
    width = definition.promotion.surprise
    if width is None:
        return []
    metric = definition.metric
    served = serving(ledger)
    means = {
        stem: e.score.sums[metric] / e.score.rows for stem, e in served.items() if e.score.rows
    }
    proof = {file.file.stem for file in batch.proof}
    before = [
        means[file.file.stem]
        for file in batch.history
        if file.file.stem in means and file.file.stem not in proof
    ]
    band = usual_band(before, width)
    if band is None:
        return []
    return [
        Surprise(file.file.name, file.file.stem, means[file.file.stem], band)
        for file in batch.proof
        if not file.cleared and band.surprises(means.get(file.file.stem, 0.0))
    ]


def _commit(
    trainer: Trainer, head: Head, candidate: Candidate[Model], version: str, run: str
) -> Head:
    return trainer.registry.commit(
        head.pipeline,
        partial(
            state.judge_version,
            version=version,
            status=candidate.status,
            epoch=head.epoch,
            against=head.champion,
            definition=head.definition,
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
