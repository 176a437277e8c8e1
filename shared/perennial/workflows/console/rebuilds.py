"""What came of training a version again: the last result that lies there."""

from __future__ import annotations

from perennial.domain import names
from perennial.domain.versioning.rebuilding import Rebuild
from perennial.errors import ObjectNotFound
from perennial.ports import ObjectStore

_MOST = 1000
"""One page of a listing; who has rebuilt a version more often sees the last one of these."""


def last_rebuild(data: ObjectStore, pipeline: str, version: str) -> Rebuild | None:
    """One listing and one read; None where the version was never trained again.

    Args:
        data: the data bucket.
        pipeline: whose.
        version: which one.
    """
    checks = names.upgrade(pipeline, version, "").removesuffix(".json")  # lie there, too
    found = [
        info
        for info in data.list(names.rebuilds(pipeline, version), limit=_MOST)
        if not info.name.startswith(checks)
    ]
    if not found:
        return None
    newest = max(found, key=lambda info: info.generation)  # executions are named by chance
    try:
        return Rebuild.from_json(data.read(newest.name).data)
    except ObjectNotFound:
        return None  # deleted just now
