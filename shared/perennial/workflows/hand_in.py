"""Hand in a model that was trained elsewhere, and see through what the training job makes of it.

The command line has no right to bring in a version, and nothing that could run one.
"""

from __future__ import annotations

from collections.abc import Callable

from perennial.domain import names
from perennial.domain.versioning.importing import LARGEST, Imported, Request
from perennial.errors import InvariantBroken, RefusedError
from perennial.ports import Clock, JobLauncher, ObjectStore
from perennial.workflows.executions import await_result
from perennial.workflows.registry import Registry
from perennial.workflows.writing import create_once


def hand_in(
    data: ObjectStore,
    registry: Registry,
    launcher: JobLauncher,
    clock: Clock,
    request: Request,
    graph: bytes,
    *,
    patience: float,
    progress: Callable[[str], None] = lambda _: None,
) -> Imported:
    """Put a graph where the job finds it, start the job, and wait for its result.

    Args:
        data: the data bucket, where results lie.
        registry: its bucket takes the graph; nothing else is written there.
        launcher: starts the execution.
        clock: paces the waiting.
        request: what is said of the graph.
        graph: the file's bytes.
        patience: seconds after which to stop waiting: more than the job's own timeout.
        progress: told what goes on.

    Raises:
        NotFoundError: for a pipeline that was never applied.
        RefusedError: when the file is too large, or trained in the future.
        LaunchError: when the platform does not start it.
        Unfinished: when its process ended without a result.
    """
    registry.require(request.pipeline)
    if len(graph) > LARGEST:
        raise RefusedError(f"expected a file of at most {LARGEST:,} bytes, found a larger one")
    if request.trained_through and request.trained_through > clock.now():
        raise RefusedError(f"expected a date that has passed, found {request.trained_through}")
    for name, content in (
        (names.import_graph(request.pipeline, request.sha256), graph),
        (names.import_request(request.pipeline, request.digest), request.to_json()),
    ):
        if not create_once(registry.models, name, content).mine:
            raise InvariantBroken(f"{name} does not hold what its name states")
    execution = launcher.launch_task("import", request.pipeline, request.digest)
    progress(f"started {execution}")
    short = execution.rsplit("/", 1)[-1]
    name = names.import_result(request.pipeline, request.digest, short)
    found = await_result(data, launcher, clock, execution, name, patience=patience)
    return Imported.from_json(found)
