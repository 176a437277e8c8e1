"""One bucket, before anybody trusts it: its settings, and every promise tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from perennial.domain.doctoring.buckets import check_any_bucket, check_versioning
from perennial.domain.doctoring.findings import Finding, Look, dig, unseen
from perennial.errors import RefusedError
from perennial.ports import Clock, ObjectStore, Platform
from perennial.workflows.doctoring.probe import probe

READER = "roles/storage.legacyBucketReader"


def examine_bucket(
    platform: Platform,
    store: ObjectStore,
    clock: Clock,
    run: str,
    *,
    role: str = "",
    versioned: bool | None = None,
    corrupt: Callable[[str, bytes], None] | None = None,
) -> Iterator[Finding]:
    """Look at a bucket's settings, then try in it what the design relies on.

    Args:
        platform: tells the settings.
        store: the bucket.
        clock: the time on this machine.
        run: names the folder in which it is tried.
        role: the bucket's in its deployment, where it has one.
        versioned: of a bucket of the local cloud, which has no other settings: what it must be.
        corrupt: sends an object with a wrong checksum.

    Raises:
        RefusedError: where a function would be called for what is written, or nobody can say.
    """
    path = f"storage/v1/b/{store.bucket}"
    look = platform.look("storage", path)
    if look.kind in ("absent", "silent"):
        yield from unseen(f"bucket {store.bucket}", look, role=READER, absent="name another")
        return
    _refuse_events(store.bucket, role, platform.look("storage", f"{path}/notificationConfigs"))
    if versioned is None:
        yield from check_any_bucket(role, look)
    else:
        yield from check_versioning(role, look, versioned=versioned)
    keeps = bool(dig(look.document, "versioning", "enabled"))
    yield from probe(store, clock, run, versioned=keeps, corrupt=corrupt)


def _refuse_events(bucket: str, role: str, notifications: Look) -> None:
    """Keep away from a bucket whose objects make events: ingest would judge what is tried."""
    if role == "landing" or notifications.document.get("items"):
        raise RefusedError(
            f"gs://{bucket} tells of every new object, as a landing bucket does: what a probe "
            "writes would be taken for files; probe another bucket of the same region and settings"
        )
    if notifications.kind != "found":
        raise RefusedError(
            f"nobody can say whether gs://{bucket} tells of new objects ({notifications.said}): "
            f"ask for {READER} on it"
        )
