"""Compose: up to 32 objects end to end as one."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from starlette.responses import Response

from localdev.storage import buckets, commits, objects
from localdev.storage.blobs import moved_from
from localdev.storage.calls import Call, answer
from localdev.storage.checksums import Checksums, Digest
from localdev.storage.commits import Draft
from localdev.storage.documents import Resource
from localdev.storage.engine import Transaction
from localdev.storage.errors import BadRequest
from localdev.storage.objects import Content, StoredObject, require_name, writable
from localdev.storage.preconditions import Preconditions, integer
from localdev.storage.reading import open_object

MAX_SOURCES = 32
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """One of the objects to be joined, as the request names it."""

    name: str
    generation: int | None
    preconditions: Preconditions

    @classmethod
    def parse(cls, entry: object) -> "Source":
        """Read an entry of ``sourceObjects``.

        Raises:
            BadRequest: It names no object.
        """
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            raise BadRequest(f"sourceObjects: expected an object with a name, found {entry!r}.")
        preconditions = Preconditions.parse(entry.get("objectPreconditions") or {})
        return cls(entry["name"], integer(entry, "generation"), preconditions)

    def check(self, connection: sqlite3.Connection, bucket: str) -> None:
        """See whether the object is still what the request expects."""
        self.preconditions.check(objects.get(connection, bucket, self.name, self.generation))


async def compose(call: Call) -> Response:
    """Join objects into one."""
    request = await call.document()
    entries = request.get("sourceObjects") or []
    if not 1 <= len(entries) <= MAX_SOURCES:
        raise BadRequest(f"sourceObjects: expected 1 to {MAX_SOURCES}, found {len(entries)}.")
    sources = [Source.parse(entry) for entry in entries]
    metadata = writable(request.get("destination") or {})
    erases = bool(request.get("deleteSourceObjects"))
    joined = call.engine.blobs.new_incoming()
    try:
        composed = await _compose(call, sources, metadata, joined, erases=erases)
    except BaseException:
        joined.unlink(missing_ok=True)
        raise
    return answer(composed.shown(call.origin))


async def _compose(
    call: Call, sources: list[Source], metadata: Resource, joined: Path, *, erases: bool
) -> StoredObject:
    bucket = call.target.bucket
    preconditions = Preconditions.parse(call.query)

    def join(connection: sqlite3.Connection) -> tuple[list[StoredObject], Digest]:
        buckets.get(connection, bucket)
        digest = Digest()
        parts = []
        with joined.open("wb") as target:
            for source in sources:
                part, file = open_object(
                    connection, call.engine.blobs, bucket, source.name, source.generation
                )
                with file:
                    source.preconditions.check(part)
                    _append(file, target, digest)
                parts.append(part)
        return parts, digest

    parts, digest = await call.engine.read(join)
    metadata.setdefault("contentType", parts[0].resource["contentType"])
    components = sum(part.resource.get("componentCount", 1) for part in parts)

    def work(transaction: Transaction) -> StoredObject:
        # Joining took its time: what the request expects of the sources must hold now.
        for source in sources:
            source.check(transaction.connection, bucket)
        draft = Draft(
            bucket=bucket,
            name=require_name(call.target.name),
            metadata=metadata,
            content=Content(digest.size, Checksums(digest.checksums().crc32c), components),
            placement=moved_from(joined),
            origin=call.origin,
            preconditions=preconditions,
            caller=call.caller,
        )
        composed = commits.publish(transaction, draft)
        if erases:
            _erase(transaction, parts)
        return composed

    return await call.engine.write(work)


def _append(file: BinaryIO, target: BinaryIO, digest: Digest) -> None:
    while block := file.read(_BLOCK):
        target.write(block)
        digest.update(block)


def _erase(transaction: Transaction, parts: list[StoredObject]) -> None:
    for part in parts:
        if objects.find(transaction.connection, part.bucket, part.name, part.generation):
            bucket = buckets.get(transaction.connection, part.bucket)
            commits.retire(transaction, bucket, part)
