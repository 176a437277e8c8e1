"""What a pipeline's report tells: gathered here, drawn in `domain/reporting/`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from perennial.ports import Buckets, Clock, JobLauncher
from perennial.workflows.monitoring.watches import latest_watch
from perennial.workflows.registry import Registry
from perennial.workflows.replays import latest_replay
from perennial.workflows.status import status
from perennial.workflows.versions import list_versions

VERSIONS = 30
"""The newest versions that a report tells of."""


def report(
    buckets: Buckets,
    registry: Registry,
    launcher: JobLauncher,
    clock: Clock,
    pipeline: str,
    replay: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything a report says, ready for JSON; the keys are contract.

    Args:
        buckets: where all is.
        registry: the versions.
        launcher: knows whether a run still works.
        clock: the time.
        pipeline: whose.
        replay: what `perennial replay --json` printed, to be told with it; the one that was kept
            last where None.

    Raises:
        NotFoundError: for a pipeline that was never applied.
    """
    head = registry.require(pipeline)
    watch = latest_watch(buckets.data, pipeline)
    if replay is None and (kept := latest_replay(buckets.data, pipeline)):
        replay = kept.document
    return {
        "format": 1,
        "pipeline": pipeline,
        "made": clock.now().isoformat(),
        "status": status(buckets, registry, launcher, clock, pipeline),
        "versions": list_versions(registry, pipeline, buckets.data, newest=VERSIONS),
        "versions_total": len(head.statuses),
        "watch": watch and watch.document(),
        "replay": replay,
    }
