"""Judging a generation of a landing object: exactly one verdict, whoever calls, however often.

A folder that is a near miss of a pipeline's name may become a pipeline of its own while its files
are judged. So a create-only object, written before the first decision about a file, says under
which of the two all decisions about it lie.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from polars.exceptions import PanicException

from perennial.domain import names
from perennial.domain.addresses import home, misaddressed, near_miss, reserved
from perennial.domain.formats.reading import too_large
from perennial.domain.judging.lateness import covered_before
from perennial.domain.names import UNKNOWN_PIPELINE, FileId
from perennial.domain.verdict import Verdict
from perennial.domain.versioning.registry import Head
from perennial.errors import InvariantBroken, ObjectNotFound, StoreError
from perennial.ports import Buckets, Clock, ObjectInfo, ObjectStore
from perennial.workflows.attempts import Attempts
from perennial.workflows.deciding import Desk, quarantine, vanished
from perennial.workflows.registry import Registry
from perennial.workflows.verdicts import verdict_in_force, write_verdict
from perennial.workflows.writing import create_once

log = logging.getLogger(__name__)

SWEEP = "sweep"
"""Who decides, in the verdicts that a sweep makes."""


def judge(
    buckets: Buckets, registry: Registry, clock: Clock, file: FileId, *, by: str = "ingest"
) -> Verdict:
    """Judge a file, or read the verdict that it has.

    A `pending` verdict is judged on once its pipeline has a definition.

    Args:
        buckets: the four buckets.
        registry: where definitions are.
        clock: stamps the verdict.
        file: which generation of which landing object.
        by: who judges.

    Returns:
        The verdict in force.

    Raises:
        StoreError: when an outcome is unknown; doing it again completes it.
        Exception: when judging the file failed in a way that nobody foresaw. As often as its
            definition allows; then the file is quarantined, so that no event comes back for ever.
    """
    pipeline = _settle_home(buckets.data, registry, file)
    while True:
        found = verdict_in_force(buckets.data, pipeline, file)
        if found is not None and found.decision != "pending":
            return found
        head = None if pipeline == UNKNOWN_PIPELINE else registry.head(pipeline)
        if found is not None and head is None:
            return found
        number = 1 if found is None else found.number + 1
        blank = Verdict(pipeline, file, "pending", clock.now(), number, decided_by=by)
        if found is None and head is not None:  # nothing is late that came before its definition
            blank = replace(blank, covered=covered_before(head.watermark, file))
        verdict = _judge(buckets, registry, blank, head)
        if verdict.decision != "pending":
            return verdict
        # A definition may have come after the look at the head, and not have seen this verdict.


def _settle_home(data: ObjectStore, registry: Registry, file: FileId) -> str:
    """The pipeline under which a file is judged, or `_unknown`: whoever comes first says which."""
    stated = home(file.name)
    if stated == UNKNOWN_PIPELINE:
        return stated
    misspelt = registry.head(stated) is None and near_miss(stated, registry.pipelines())
    wish = UNKNOWN_PIPELINE if misspelt else stated
    return create_once(data, names.home(stated, file), wish.encode()).data.decode()


def _judge(buckets: Buckets, registry: Registry, blank: Verdict, head: Head | None) -> Verdict:
    """Decide about a file that has no verdict yet, or a pending one."""
    file = blank.file
    try:
        info = buckets.landing.stat(file.name, generation=file.generation)
    except ObjectNotFound:
        return vanished(buckets, blank)
    if info.deleted is not None:
        return vanished(buckets, blank)
    blank = replace(blank, size=info.size)
    if head is None:
        return _without_definition(buckets, registry, blank)
    desk = Desk.of(buckets, registry, head)
    return _with_definition(desk, replace(blank, definition=head.definition), info)


def _without_definition(buckets: Buckets, registry: Registry, blank: Verdict) -> Verdict:
    if blank.pipeline == UNKNOWN_PIPELINE:
        finding = misaddressed(blank.file.name, registry.pipelines())
        return quarantine(buckets, blank, [finding])
    reason = f"waits for the definition of {blank.pipeline}: write one and `perennial apply` it"
    return write_verdict(buckets.data, replace(blank, decision="pending", reason=reason))


def _with_definition(desk: Desk, blank: Verdict, info: ObjectInfo) -> Verdict:
    limit = desk.definition.files.max_bytes
    finding = too_large(info.size, limit) if info.size > limit else reserved(info.name)
    attempts, allowed = Attempts(desk.buckets.data, blank), desk.definition.files.max_attempts
    if finding is None:
        # Whoever judges many files notes each: one that ends the process would end it every time.
        always = blank.decided_by == SWEEP
        finding = attempts.begin(info, allowed, blank.decided, always=always)
    if finding is not None:
        return quarantine(desk.buckets, blank, [finding])
    try:
        stored = desk.buckets.landing.read(info.name, generation=info.generation)
    except ObjectNotFound:
        return vanished(desk.buckets, blank)
    try:
        return desk.decide(blank, stored.data)
    except StoreError:
        raise
    except (Exception, PanicException) as error:
        failed = attempts.failed(error, allowed)
        if failed is None:
            if isinstance(error, Exception):
                raise
            # Nothing else handles it, so it would end the process of whoever judges many files.
            raise InvariantBroken(f"{info.name}: {type(error).__name__}: {error}") from error
        log.exception("%s is quarantined after %d attempts", info.name, allowed)
        finding, trace = failed
        signed = desk.signed(blank, stored.data)
        return quarantine(desk.buckets, signed, [finding], stored.data, traceback=trace)
