"""A training run: claim, work, release; and again, while accepted files wait.

Nothing that a run writes counts before its commit, so a crash at any point leaves work for the
next run and nothing to clean up.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from perennial.domain.versioning import registry as state
from perennial.domain.versioning.registry import Head
from perennial.domain.versioning.upgrades import environment_digest
from perennial.errors import (
    ClaimLost,
    CommitConflict,
    GateFailed,
    LaunchError,
    NotTrainable,
    RefusedError,
    StoreError,
)
from perennial.workflows.attempt import Again, Result, attempt
from perennial.workflows.claims import claim
from perennial.workflows.queue import work_is_due
from perennial.workflows.references import write_reference
from perennial.workflows.runs import RunRecord, new_run_id, write_run
from perennial.workflows.stopwatch import Stopwatch
from perennial.workflows.trainer import Trainer

log = logging.getLogger(__name__)


def train(trainer: Trainer, pipeline: str, *, force: bool = False) -> list[RunRecord]:
    """Work on a pipeline until no accepted file waits for its trigger.

    Args:
        trainer: the parts to work with.
        pipeline: which one.
        force: run once even if the trigger is not due, and train a static model anew.

    Returns:
        A record for each run; none when another run holds the claim or nothing is due.

    Raises:
        ClaimLost: when another run took over; this one has left no trace.
        Exception: what broke a run; it is on record, and its claim is released.
    """
    records: list[RunRecord] = []
    while force or work_is_due(trainer.buckets.data, trainer.registry, pipeline):
        asked, force = force, False
        started = trainer.clock.now()
        run = new_run_id(started)
        try:
            head = claim(
                trainer.registry, trainer.launcher, trainer.clock, pipeline, run,
                seconds=trainer.claim_seconds, execution=trainer.execution,
            )  # fmt: skip
        except RefusedError:
            break  # the run that holds the claim lists again before it stops
        records.append(_run(trainer, head, run, started, force=asked))
    return records


def _run(trainer: Trainer, head: Head, run: str, started: datetime, *, force: bool) -> RunRecord:
    """Work under the claim in `head`, record what came of it, and release the claim."""
    watch = Stopwatch(trainer.clock)
    failure: Exception | None = None
    result = Result()
    try:
        _work(trainer, head, run, watch, result, force=force)
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
        files=len(result.new),
        rows=sum(result.new.values()),
        champion=head.champion,
        environment=environment_digest(trainer.environment),
        considered=tuple(file.file.stem for file in result.considered),
        alerts=tuple(result.alerts),
        repeated_keys=result.repeated_keys,
        superseded=result.superseded,
    )
    try:
        write_reference(trainer.buckets.data, head, run, result.considered)
    except StoreError as error:  # the next run makes it anew; until then ingest knows no history
        log.warning("%s: run %s leaves no reference: %s", head.pipeline, run, error)
    write_run(trainer.buckets.data, report)
    # What the platform refused once it may grant later; all else fails again on the same rows.
    retry = isinstance(failure, StoreError | LaunchError)
    _release(trainer, head, report, result, retry=retry)
    if failure is not None and not isinstance(failure, GateFailed):
        raise failure
    return report


def _work(
    trainer: Trainer, head: Head, run: str, watch: Stopwatch, result: Result, *, force: bool
) -> None:
    """Judge a new version against the champion, again whenever anything it rests on changes.

    Champion, recipe, recalled files and files that were set aside: each attempt lists the files
    anew, after the look at the head, so that its commit notices a listing that has become stale.
    """
    while True:
        try:
            attempt(trainer, head, run, watch, result, force=force)
        except (CommitConflict, Again):
            latest = trainer.registry.require(head.pipeline)
            state.require_claim(latest, head.epoch)
            head = latest
        else:
            return


def _release(
    trainer: Trainer, head: Head, report: RunRecord, result: Result, *, retry: bool
) -> None:
    """Give the claim back; unless the run is to be tried again, what it considered is done with."""
    change = partial(state.release_claim, epoch=head.epoch, recalls=result.recalls)
    if not retry:
        change = partial(change, run=report.run, watermark=result.watermark)
        if report.outcome != "waiting":
            through = max((int(stem.split("-")[0]) for stem in report.considered), default=0)
            through = min([through, *(int(stem.split("-")[0]) - 1 for stem in result.later)])
            change = partial(change, learned_through=through)
    trainer.registry.commit(
        head.pipeline,
        change,
        action="release",
        by=f"run {report.run}",
        why=report.reason,
        version=report.version,
    )
