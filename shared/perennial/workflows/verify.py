"""Ask the training job to train a version again, and see it through.

The command line has nothing that trains, and an environment of its own would prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from perennial.domain import names
from perennial.domain.rebuilding import Rebuild
from perennial.errors import NotFoundError, ObjectNotFound, Unfinished
from perennial.ports import Clock, JobLauncher, ObjectStore
from perennial.workflows.registry import Registry

POLL_SECONDS = 0.2


def verify(
    data: ObjectStore,
    registry: Registry,
    launcher: JobLauncher,
    clock: Clock,
    pipeline: str,
    version: str | None = None,
    *,
    patience: float,
    progress: Callable[[str], None] = lambda _: None,
) -> Rebuild:
    """Start an execution that trains a version again, and wait for its result.

    Args:
        data: the data bucket, where results lie.
        registry: tells the champion; nothing is written to it.
        launcher: starts the execution.
        clock: paces the waiting.
        pipeline: whose version.
        version: which one; None for the champion.
        patience: seconds after which to stop waiting: more than the job's own timeout.
        progress: told what goes on.

    Raises:
        NotFoundError: for a pipeline or version that does not exist, or without a champion.
        LaunchError: when the platform does not start it.
        Unfinished: when its process ended without a result.
    """
    chosen = version or registry.require(pipeline).champion
    if chosen is None:
        raise NotFoundError(f"{pipeline} has no champion yet; name a version")
    registry.manifest(pipeline, chosen)
    execution = launcher.launch_rebuild(pipeline, chosen)
    progress(f"started {execution}")
    short = execution.rsplit("/", 1)[-1]
    name = names.rebuild(pipeline, chosen, short)
    since = clock.now()
    while (clock.now() - since).total_seconds() < patience:
        # Ask first, then look: a result written just before the end is not missed.
        ended = launcher.has_ended(execution)
        try:
            return Rebuild.from_json(data.read(name).data)
        except ObjectNotFound:
            pass
        if ended:
            raise Unfinished(f"execution {short} ended without a result; see its log")
        clock.sleep(POLL_SECONDS)
    raise Unfinished(f"execution {short} gave no result within {patience:.0f} s; see its log")
