"""What looks at a pipeline found: immutable, numbered, the newest first in a listing.

Each builds on the one before it. Of two looks at once one writes its number, and the other, which
finds that number taken, builds on that one instead; a look that dies leaves the last one in force.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from perennial.domain import names
from perennial.domain.monitoring.report import Watch
from perennial.errors import ObjectNotFound, PreconditionFailed
from perennial.ports import ObjectStore
from perennial.workflows.writing import create_once

ATTEMPTS = 5


def latest_watch(data: ObjectStore, pipeline: str) -> Watch | None:
    """What the last look that found something new says; None before the first.

    One listing of one name, and one read.
    """
    for info in data.list(names.watches(pipeline), limit=1):
        return Watch.from_json(data.read(info.name).data)
    return None


def read_watch(data: ObjectStore, pipeline: str, number: int) -> Watch | None:
    """What one look found; None where a lifecycle rule has removed it."""
    try:
        return Watch.from_json(data.read(names.watch(pipeline, number)).data)
    except ObjectNotFound:
        return None


def add_watch(
    data: ObjectStore,
    pipeline: str,
    last: Watch | None,
    build: Callable[[Watch | None], Watch | None],
) -> Watch | None:
    """Write the next look.

    Args:
        data: the data bucket.
        pipeline: whose.
        last: the newest one there is, as far as the caller knows.
        build: makes it of the one before it, or nothing where it would bring nothing new; it is
            called again when another look was written meanwhile.

    Returns:
        The one that was written; None where nothing was new.

    Raises:
        PreconditionFailed: when others were written first again and again.
        StoreUnavailable: when the outcome stays unknown.
    """
    for _ in range(ATTEMPTS):
        watch = build(last)
        if watch is None:
            return None
        watch = replace(watch, number=last.number + 1 if last else 1)
        name = names.watch(pipeline, watch.number)
        written = create_once(data, name, watch.to_json(), content_type="application/json")
        if written.mine:
            return watch
        last = latest_watch(data, pipeline)
    raise PreconditionFailed(
        f"{pipeline}: expected to write what this look found, found that others were first "
        f"{ATTEMPTS} times; the next look tries again",
        bucket=data.bucket,
        name=names.watches(pipeline),
    )
