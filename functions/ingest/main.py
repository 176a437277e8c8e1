"""`ingest`: translates between CloudEvents of Cloud Storage and `perennial.workflows.ingest`."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import functions_framework
from cloudevents.http.event import CloudEvent

from perennial.domain.names import FileId
from perennial.wiring import ingest as wiring

FINALIZED = "google.cloud.storage.object.v1.finalized"
_MAX_NAME_BYTES = 1024

log = logging.getLogger("perennial.ingest")


@functions_framework.cloud_event
def ingest(event: CloudEvent) -> None:
    """Judge the object that an event is about.

    What can never succeed is logged and acknowledged; what a retry can cure raises, so that the
    event comes again.
    """
    run = _ingest()
    try:
        file = read_event(event["type"], event.get_data(), bucket=run.buckets.landing.bucket)
    except ValueError as error:
        log.error("event %s refused: %s", event["id"], error, extra={"event": event["id"]})  # noqa: TRY400 (the message says all)
        return
    try:
        verdict = run(file)
    except Exception as error:
        # Delivery tries again; the platform would log only that the function failed.
        log.exception("%s was not judged: %s", file.name, error, extra={"file": file.name})  # noqa: TRY401
        raise
    log.info(
        "%s: %s%s", file.name, verdict.decision, f" ({verdict.reason})" if verdict.reason else "",
        extra={
            "pipeline": verdict.pipeline, "file": file.name, "generation": file.generation,
            "decision": verdict.decision, "rows": verdict.rows, "event": event["id"],
        },
    )  # fmt: skip


def read_event(kind: str, data: Any, *, bucket: str) -> FileId:
    """The file that an event is about.

    Args:
        kind: the event's type.
        data: its StorageObjectData: int64 values are strings or numbers. Malformed JSON arrives
            as bytes, an empty body as None.
        bucket: the landing bucket.

    Raises:
        ValueError: when no retry can make sense of it.
    """
    if kind != FINALIZED:
        raise ValueError(f"expected type {FINALIZED}, found {kind}")
    if not isinstance(data, Mapping):
        found = type(data).__name__
        raise ValueError(f"expected StorageObjectData as JSON, found {found}")  # noqa: TRY004 (one kind of refusal)
    if data.get("bucket") != bucket:
        raise ValueError(f"expected bucket {bucket}, found {data.get('bucket')!r}")
    name, generation = data.get("name"), str(data.get("generation"))
    if not isinstance(name, str) or not 1 <= _size(name) <= _MAX_NAME_BYTES:
        raise ValueError(f"expected an object's name, found {name!r}")
    if not re.fullmatch("[1-9][0-9]{0,18}", generation):
        raise ValueError(f"expected a generation, found {data.get('generation')!r}")
    return FileId(int(generation), name)


def _size(name: str) -> int:
    """Bytes of the name; a lone surrogate cannot be encoded, which is a ValueError."""
    return len(name.encode())


@cache
def _ingest() -> wiring.Ingest:
    """Made by the first event, in the process that handles it."""
    return wiring.connect(os.environ)
