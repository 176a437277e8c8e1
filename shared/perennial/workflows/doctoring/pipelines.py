"""What is in the buckets: every pipeline can be read, and every file gets its verdict."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from perennial.domain import names
from perennial.domain.addresses import home
from perennial.domain.doctoring.findings import Finding, ok, problem, unknown
from perennial.domain.names import UNKNOWN_PIPELINE, FileId
from perennial.domain.versioning.registry import Head
from perennial.errors import (
    NotFoundError,
    ObjectNotFound,
    PerennialError,
    PermissionDenied,
    StoreError,
    StoreUnavailable,
)
from perennial.ports import Buckets, Clock, ObjectStore
from perennial.workflows.registry import Registry
from perennial.workflows.verdicts import list_in_force

MOST_FILES = 5000
"""Generations in landing that are looked at: five pages of a listing."""

_UNSEEN = (PermissionDenied, StoreUnavailable)
# What a stored document may fail with that is cut short, or is not what its name says.
_UNREADABLE = (PerennialError, ValueError, KeyError, TypeError, AttributeError)
_READER = "roles/storage.objectViewer"


def examine_pipelines(registry: Registry) -> Iterator[Finding]:
    """Every pipeline's head, definition and champion are there and whole."""
    count = 0
    try:
        for pipeline in _folders(registry.models):
            findings = _pipeline(registry, pipeline)
            count += bool(findings)
            yield from findings
    except StoreError as error:
        yield _unseen("pipelines", "a listing", error)
        return
    if not count:
        yield ok("pipelines", "none yet")


def examine_landing(buckets: Buckets, clock: Clock, sweep_seconds: float) -> Iterator[Finding]:
    """No file waits for its verdict longer than two sweeps take to come round.

    Listings only, and of landing not more than `MOST_FILES` generations.

    Args:
        buckets: the four buckets.
        clock: the time.
        sweep_seconds: the interval of sweeps.
    """
    check = "landing: verdicts"
    before = clock.now() - timedelta(seconds=2 * sweep_seconds)
    try:
        listed = list(islice(buckets.landing.list(versions=True), MOST_FILES))
        due = [
            (info.created, FileId(info.generation, info.name))
            for info in listed
            if info.created < before
        ]
        waiting = _without_verdict(buckets.data, due)
    except StoreError as error:
        yield _unseen(check, "a listing", error)
        return
    limited = f" of the first {MOST_FILES:,}" if len(listed) == MOST_FILES else ""
    if not waiting:
        yield ok(check, f"every file{limited} has its verdict")
        return
    created, oldest = min(waiting)
    files = "file" if len(waiting) == 1 else "files"
    yield problem(
        check,
        f"a verdict for every file within {2 * sweep_seconds / 60:g} minutes",
        f"{len(waiting):,} {files}{limited} without one, the oldest {oldest.name} "
        f"of {created:%Y-%m-%d %H:%M}",
        "run `perennial sweep`, then look at the logs of ingest and monitor",
    )


def _pipeline(registry: Registry, pipeline: str) -> list[Finding]:
    """What is wrong with one; nothing for a folder that is no pipeline."""
    check = f"pipeline {pipeline}"
    doing, fix = "the head", f"put an earlier generation of {names.head(pipeline)} back"
    try:
        head = registry.head(pipeline)
        if head is None:
            return []
        doing, fix = "the definition", "run `perennial apply` with it again"
        registry.definition(head)
        if head.champion is None:
            return [ok(check, "no champion yet")]
        doing = f"version {head.champion}"
        fix = f"run `perennial rollback {pipeline} --why 'files are missing'`"
        return _champion(registry, check, head, head.champion) or [
            ok(check, f"champion {head.champion}")
        ]
    except _UNSEEN as error:
        return [_unseen(check, doing, error)]
    except _UNREADABLE as error:
        return [problem(check, f"{doing}, readable", f"{type(error).__name__}: {error}", fix)]


def _champion(registry: Registry, check: str, head: Head, version: str) -> list[Finding]:
    """Every file that the manifest states is there, and as long as it says."""
    pipeline = head.pipeline
    manifest = registry.manifest(pipeline, version, head=head)
    for name, stated in manifest.files.items():
        path = names.version(pipeline, version, name)
        try:
            size = registry.models.stat(path).size
        except ObjectNotFound:
            raise NotFoundError(f"{path} is missing") from None
        if size != stated.size:
            fix = f"run `perennial rollback {pipeline} --why 'files are damaged'`"
            return [problem(check, f"{path} with {stated.size:,} bytes", f"{size:,} bytes", fix)]
    return []


def _folders(models: ObjectStore) -> Iterator[str]:
    """The folders of the models bucket, one short listing for each."""
    start: str | None = None
    while (info := next(models.list("", start=start, limit=1), None)) is not None:
        folder, slash, _ = info.name.partition("/")
        if slash:
            yield folder
        start = folder + "0"  # the character after "/": skips all that lies in this folder


def _without_verdict(
    data: ObjectStore, files: list[tuple[datetime, FileId]]
) -> list[tuple[datetime, FileId]]:
    """Those that nobody has judged, under their own pipeline or under `_unknown`."""
    decided = {pipeline: _decided(data, pipeline) for pipeline in {home(f.name) for _, f in files}}
    left = [(at, file) for at, file in files if file.stem not in decided[home(file.name)]]
    unknown_too = _decided(data, UNKNOWN_PIPELINE) if left else set()
    return [(at, file) for at, file in left if file.stem not in unknown_too]


def _decided(data: ObjectStore, pipeline: str) -> set[str]:
    return {found.file.stem for found in list_in_force(data, pipeline)}


def _unseen(check: str, expected: str, error: Exception) -> Finding:
    fix = f"ask for the role {_READER}" if isinstance(error, PermissionDenied) else "try again"
    return unknown(check, expected, str(error), fix)
