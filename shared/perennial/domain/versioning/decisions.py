"""What a person may decide about versions: approve, reject, roll back, unpin.

Each is a plain function from one head to the next that raises when the rules forbid it, and then
says what is possible instead.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from perennial.domain.versioning.registry import Head, Pin, crown
from perennial.errors import NotFoundError, RefusedError


def approve(head: Head, version: str) -> Head:
    """Promote a version that waits.

    Raises:
        NotFoundError: when there is no such version.
        RefusedError: unless it waits for approval and nothing is pinned.
    """
    if head.pin is not None:
        raise RefusedError(
            f"{head.champion} is pinned by {head.pin.by} ({head.pin.why}); unpin {head.pipeline} "
            "before another version can be promoted"
        )
    _require_waiting(head, version)
    return crown(replace(head, statuses={**head.statuses, version: "approved"}), version)


def reject(head: Head, version: str) -> Head:
    """Turn down a version that waits.

    Raises:
        NotFoundError: when there is no such version.
        RefusedError: unless it waits for approval.
    """
    _require_waiting(head, version)
    return replace(head, statuses={**head.statuses, version: "rejected"})


def rollback(head: Head, to: str | None, *, by: str, why: str, at: datetime) -> Head:
    """Return to an earlier champion and pin it.

    The version that was left is no predecessor any more, so that going back once more goes
    further back.

    Args:
        head: the current state.
        to: the version to return to; None when there was no earlier champion to choose.
        by: who does it.
        why: the reason.
        at: when (UTC).

    Raises:
        NotFoundError: when there is no such version.
        RefusedError: when it is not approved, or there is nothing to return to.
    """
    if to is None:
        raise RefusedError(_nothing_to_return_to(head))
    if to not in head.statuses:
        raise NotFoundError(f"{head.pipeline} has no version {to}; {_choice(head)}")
    if to not in head.approved:
        standing = head.standing(to)
        taken_back = standing in ("recalled", "withdrawn")
        never = "cannot serve any more" if taken_back else "was never approved"
        raise RefusedError(f"{to} {never}: it is {standing}; {_choice(head)}")
    if to == head.champion:
        raise RefusedError(f"{to} is the champion already; {_choice(head)}")
    back = replace(crown(head, to), pin=Pin(by, why, at))
    if to in head.predecessors:
        older = head.predecessors[head.predecessors.index(to) + 1 :]
        back = replace(back, predecessors=older)
    return back


def pin(head: Head, *, by: str, why: str, at: datetime) -> Head:
    """Keep the champion; who pins it again takes the place of who did.

    Raises:
        RefusedError: when nothing serves.
    """
    if head.champion is None:
        raise RefusedError(f"no version of {head.pipeline} serves: there is nothing to pin")
    return replace(head, pin=Pin(by, why, at))


def unpin(head: Head) -> Head:
    """Let later versions be promoted again.

    Raises:
        RefusedError: when nothing is pinned.
    """
    if head.pin is None:
        serves = f"{head.champion} serves until" if head.champion else "the champion will be"
        raise RefusedError(f"{head.pipeline} is not pinned: {serves} the next version that passes")
    return replace(head, pin=None)


def _others(head: Head) -> list[str]:
    """The versions that a rollback may choose, oldest first."""
    return sorted(head.approved - {head.champion})


def _choice(head: Head) -> str:
    if others := _others(head):
        return f"approved are {', '.join(others)}"
    if head.champion is None:
        return "no version was approved yet"
    return f"no other version than {head.champion} was ever approved"


def _nothing_to_return_to(head: Head) -> str:
    """Why there is no earlier champion, and what to do."""
    pipeline = head.pipeline
    if head.champion is None:
        return (
            f"{pipeline} has no champion yet: `perennial status {pipeline}` says what it waits for"
        )
    if others := _others(head):
        return (
            f"{pipeline} had no champion before {head.champion}; approved are "
            f"{', '.join(others)}: name one with --to"
        )
    return (
        f"{pipeline} had no champion before {head.champion}, the only version ever approved: "
        "drop better files, or apply another definition"
    )


def _require_waiting(head: Head, version: str) -> None:
    status = head.statuses.get(version)
    if status is None:
        raise NotFoundError(f"{head.pipeline} has no version {version}")
    if status != "waiting":
        raise RefusedError(
            f"{version} does not wait for approval: it is {head.standing(version)}"
            + (f"; {', '.join(head.waiting)} waits" if head.waiting else "")
        )
