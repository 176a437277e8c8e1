"""Seeing an execution of the training job through, for whoever started it."""

from __future__ import annotations

from perennial.errors import ObjectNotFound, Unfinished
from perennial.ports import Clock, JobLauncher, ObjectStore

POLL_SECONDS = 0.2


def await_result(
    data: ObjectStore,
    launcher: JobLauncher,
    clock: Clock,
    execution: str,
    name: str,
    *,
    patience: float,
) -> bytes:
    """Wait for the object that an execution writes when it is done; its bytes.

    Args:
        data: the bucket where results lie.
        launcher: knows which executions are over.
        clock: paces the waiting.
        execution: the platform's name of it.
        name: of the object.
        patience: seconds after which to stop waiting: more than the job's own timeout.

    Raises:
        Unfinished: when its process ended without a result, or there is none in time.
    """
    short = execution.rsplit("/", 1)[-1]
    since = clock.now()
    while (clock.now() - since).total_seconds() < patience:
        # Ask first, then look: a result written just before the end is not missed.
        ended = launcher.has_ended(execution)
        try:
            return data.read(name).data
        except ObjectNotFound:
            pass
        if ended:
            raise Unfinished(f"execution {short} ended without a result; see its log")
        clock.sleep(POLL_SECONDS)
    raise Unfinished(f"execution {short} gave no result within {patience:.0f} s; see its log")
