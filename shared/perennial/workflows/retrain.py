"""Ask for a run now, and see it through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from perennial.errors import Unfinished
from perennial.ports import Buckets, Clock, JobLauncher
from perennial.workflows.registry import Registry
from perennial.workflows.runs import list_runs

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 300.0
"""How long an execution may take to claim the pipeline, where nobody can tell that it has ended."""


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
    head = registry.require(pipeline)
    since = head.last_run
    execution = launcher.launch(pipeline, force=True)
    progress(f"started {execution}")
    short = execution.rsplit("/", 1)[-1]
    seen = clock.now()
    while (clock.now() - seen).total_seconds() < PATIENCE_SECONDS:
        # Ask first, then look: a record written just before the end is not missed.
        ended = launcher.has_ended(execution)
        for run in list_runs(buckets.data, pipeline, since=since):
            if run["execution"].rsplit("/", 1)[-1] == short:
                return run
        if ended:
            current = registry.require(pipeline).claim
            raise Unfinished(
                f"execution {short} ended without a run of its own"
                + (f": run {current.run} is at work on {pipeline}" if current else "; see its log")
            )
        holder = registry.require(pipeline).claim
        if holder is not None and holder.execution.rsplit("/", 1)[-1] == short:
            seen = clock.now()  # it is at work, and its job's timeout bounds that
        clock.sleep(POLL_SECONDS)
    raise Unfinished(f"execution {short} has not begun to work on {pipeline}; see its log")
