"""What an operator says of versions: approve, reject, roll back, unpin. Each is one commit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from perennial.domain.versioning import decisions
from perennial.domain.versioning.registry import Head
from perennial.errors import RefusedError
from perennial.ports import Clock
from perennial.workflows.registry import Registry


def approve(registry: Registry, pipeline: str, version: str | None, *, by: str, why: str) -> Head:
    """Promote the version that waits, or the one named. Raises `RefusedError`."""
    return _decide(registry, pipeline, version, decisions.approve, action="approve", by=by, why=why)


def reject(registry: Registry, pipeline: str, version: str | None, *, by: str, why: str) -> Head:
    """Turn down the version that waits, or the one named. Raises `RefusedError`."""
    return _decide(registry, pipeline, version, decisions.reject, action="reject", by=by, why=why)


def rollback(
    registry: Registry, clock: Clock, pipeline: str, to: str | None, *, by: str, why: str
) -> Head:
    """Return to an earlier champion and pin it, so that later versions wait.

    Raises:
        NotFoundError: when the pipeline or the version does not exist.
        RefusedError: when the version was never approved, or serves already.
    """
    head = registry.require(pipeline)
    chosen = to or next(iter(head.predecessors), None)
    change = partial(decisions.rollback, to=chosen, by=by, why=why, at=clock.now())
    return registry.commit(pipeline, change, action="rollback", by=by, why=why, version=chosen)


def pin(registry: Registry, clock: Clock, pipeline: str, *, by: str, why: str) -> Head:
    """Keep the champion: later versions wait. Raises `RefusedError` when nothing serves."""
    registry.require(pipeline)
    change = partial(decisions.pin, by=by, why=why, at=clock.now())
    return registry.commit(pipeline, change, action="pin", by=by, why=why)


def unpin(registry: Registry, pipeline: str, *, by: str, why: str = "") -> Head:
    """Let later versions be promoted again. Raises `RefusedError` when nothing is pinned."""
    registry.require(pipeline)
    return registry.commit(pipeline, decisions.unpin, action="unpin", by=by, why=why)


def _decide(
    registry: Registry,
    pipeline: str,
    version: str | None,
    transition: Callable[[Head, str], Head],
    *,
    action: str,
    by: str,
    why: str,
) -> Head:
    chosen = version or _the_one_that_waits(registry.require(pipeline))
    return registry.commit(
        pipeline, lambda head: transition(head, chosen), action=action, by=by, why=why,
        version=chosen,
    )  # fmt: skip


def _the_one_that_waits(head: Head) -> str:
    if not head.waiting:
        raise RefusedError(f"no version of {head.pipeline} waits for approval")
    return head.waiting[-1]
