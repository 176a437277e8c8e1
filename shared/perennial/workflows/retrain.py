"""Ask for a run now, and see it through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from perennial.errors import Unfinished
from perennial.ports import Buckets, Clock, JobLauncher, ObjectStore
from perennial.workflows.registry import Registry
from perennial.workflows.runs import list_runs

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 300.0
"""How long an execution may take to claim the pipeline, where nobody can tell that it has ended."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that was asked for.

    Attributes:
        pipeline: whose.
        execution: the platform's name of its process.
        since: the last run before it.
    """

    pipeline: str
    execution: str
    since: str

    @property
    def short(self) -> str:
        """The last part of the execution's name."""
        return self.execution.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Sight:
    """How far a run is.

    Attributes:
        record: its summary, once it has ended (see `runs.RunRecord.summary`).
        run: its id, while it holds the pipeline; empty before and after.
        ended: its process is over.
        holder: the run that holds the pipeline instead of it.
    """

    record: dict[str, Any] | None = None
    run: str = ""
    ended: bool = False
    holder: str = ""


def begin(
    registry: Registry, launcher: JobLauncher, pipeline: str, *, by: str = "", why: str = ""
) -> Begun:
    """Start a run whether or not its trigger is due.

    Args:
        registry: where it is noted, before: a start that fails was asked for, too.
        launcher: starts it.
        pipeline: whose.
        by: who asks for it; empty for somebody who is not noted.
        why: their reason, for the history.

    Raises:
        NotFoundError: for a pipeline that was never applied.
        LaunchError: when the platform does not start it.
        StoreUnavailable: when it is not known to be noted; nothing was started.
    """
    head = registry.require(pipeline)
    if by:
        registry.commit(pipeline, lambda head: head, action="retrain", by=by, why=why)
    return Begun(pipeline, launcher.launch(pipeline, force=True), head.last_run)


def look(data: ObjectStore, registry: Registry, launcher: JobLauncher, begun: Begun) -> Sight:
    """See how far a run is."""
    # Ask first, then look: a record written just before the end is not missed.
    ended = launcher.has_ended(begun.execution)
    for run in list_runs(data, begun.pipeline, since=begun.since):
        if run["execution"].rsplit("/", 1)[-1] == begun.short:
            return Sight(record=run, ended=True)
    claim = registry.require(begun.pipeline).claim
    if claim is None:
        return Sight(ended=ended)
    mine = claim.execution.rsplit("/", 1)[-1] == begun.short
    return Sight(run=claim.run if mine else "", ended=ended, holder="" if mine else claim.run)


def retrain(
    buckets: Buckets,
    registry: Registry,
    launcher: JobLauncher,
    clock: Clock,
    pipeline: str,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Start a run whether or not its trigger is due, and wait for its end.

    Returns:
        The run's summary: outcome, reason, version, rows, seconds by step.

    Raises:
        NotFoundError: for a pipeline that was never applied.
        LaunchError: when the platform does not start it.
        Unfinished: when its process ended without a trace.
    """
    begun = begin(registry, launcher, pipeline)
    progress(f"started {begun.execution}")
    seen = clock.now()
    while (clock.now() - seen).total_seconds() < PATIENCE_SECONDS:
        sight = look(buckets.data, registry, launcher, begun)
        if sight.record is not None:
            return sight.record
        if sight.ended:
            raise Unfinished(unfinished(begun, sight))
        if sight.run:
            seen = clock.now()  # it is at work, and its job's timeout bounds that
        clock.sleep(POLL_SECONDS)
    raise Unfinished(f"execution {begun.short} has not begun to work on {pipeline}; see its log")


def unfinished(begun: Begun, sight: Sight) -> str:
    """What there is to say of a process that is over and left no record."""
    said = f"execution {begun.short} ended without a run of its own"
    if sight.holder or sight.run:
        return f"{said}: run {sight.holder or sight.run} is at work on {begun.pipeline}"
    return f"{said}; see its log"
