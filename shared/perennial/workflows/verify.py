"""Ask the training job to train a version again, and see it through.

The command line has nothing that trains, and an environment of its own would prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from perennial.domain import names
from perennial.domain.rebuilding import Rebuild
from perennial.errors import NotFoundError
from perennial.ports import Clock, JobLauncher, ObjectStore
from perennial.workflows.executions import await_result
from perennial.workflows.registry import Registry


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
    execution = launcher.launch_task("rebuild", pipeline, chosen)
    progress(f"started {execution}")
    name = names.rebuild(pipeline, chosen, execution.rsplit("/", 1)[-1])
    found = await_result(data, launcher, clock, execution, name, patience=patience)
    return Rebuild.from_json(found)
