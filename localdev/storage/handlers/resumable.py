"""Resumable uploads: begin, send chunks, ask how far it got, cancel."""

import re
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from localdev.storage import buckets, commits, objects, sessions
from localdev.storage.access import CREATE, DELETE
from localdev.storage.blobs import linked_from
from localdev.storage.calls import Call, answer
from localdev.storage.checksums import declared_checksums
from localdev.storage.commits import Draft
from localdev.storage.engine import Transaction
from localdev.storage.errors import BadRequest
from localdev.storage.objects import Content
from localdev.storage.preconditions import Preconditions, integer
from localdev.storage.sessions import Session
from localdev.storage.spool import Spool

_CONTENT_RANGE = re.compile(r"bytes (?:(?P<first>\d+)-(?P<last>\d+)|\*)/(?:(?P<total>\d+)|\*)")
_CANCELLED = 499


@dataclass(frozen=True, slots=True)
class ContentRange:
    """The header of a chunk: where its first byte belongs, and the whole size if it is known."""

    first: int | None
    total: int | None

    @classmethod
    def parse(cls, header: str | None) -> "ContentRange":
        """Read the header; without one, the request carries everything.

        Raises:
            BadRequest: The header is none of ``bytes F-L/T``, ``bytes F-L/*`` and ``bytes */…``.
        """
        if header is None:
            return cls(first=0, total=None)
        match = _CONTENT_RANGE.fullmatch(header)
        if match is None:
            raise BadRequest(f"Content-Range: found {header!r}.")
        return cls(*(None if match[key] is None else int(match[key]) for key in ("first", "total")))


async def initiate(call: Call) -> Response:
    """Begin a session, unless its conditions are hopeless already."""
    headers = call.request.headers
    document = await call.document()
    described = {"contentType": headers.get("x-upload-content-type")} | document
    metadata = objects.named(described, call.query)
    conditions = {key: value for key, value in call.query.items() if key.startswith("if")}
    preconditions = Preconditions.parse(conditions)
    size = integer(headers, "x-upload-content-length")
    bucket = call.target.bucket
    call.caller.require(CREATE, bucket, metadata["name"])

    def work(transaction: Transaction) -> Session:
        buckets.get(transaction.connection, bucket)
        current = objects.find(transaction.connection, bucket, metadata["name"])
        if current is not None:
            call.caller.require(DELETE, bucket, metadata["name"])
        preconditions.check(current)
        return sessions.begin(transaction, bucket, metadata, conditions, size)

    session = await call.engine.write(work)
    location = f"{call.origin}{call.request.url.path}?uploadType=resumable&upload_id={session.id}"
    return Response(headers={"location": location, "x-guploader-uploadid": session.id})


async def resume(call: Call) -> Response:
    """Take a chunk, or tell how much has been kept; the last byte makes the object."""
    upload_id = _upload_id(call)
    header = call.request.headers.get("content-range")
    chunk = ContentRange.parse(header)
    async with call.progress.lock(upload_id):
        session = await call.engine.read(lambda connection: sessions.get(connection, upload_id))
        if session.result is not None:
            return answer(session.result)
        path = call.engine.blobs.upload(upload_id)
        digest = await call.engine.file_work(lambda: call.progress.digest(upload_id, path))
        spool = Spool(path, digest)
        if chunk.first is not None:
            await _receive(call, spool, chunk.first)
        total = spool.size if header is None else chunk.total
        if total is None:
            total = session.size
        if total is None or spool.size < total:
            await call.engine.file_work(spool.give_up_rest)
            return _incomplete(spool.size)
        if spool.size > total:
            raise BadRequest(f"The upload was announced as {total} bytes; found {spool.size}.")
        return await _finalize(call, session, spool)


async def cancel(call: Call) -> Response:
    """Forget a session and what it has kept."""
    upload_id = _upload_id(call)
    async with call.progress.lock(upload_id):
        await call.engine.read(lambda connection: sessions.get(connection, upload_id))
        await call.engine.write(lambda transaction: sessions.cancel(transaction, upload_id))
        call.engine.blobs.upload(upload_id).unlink(missing_ok=True)
    call.progress.forget(upload_id)
    return Response(status_code=_CANCELLED)


def _upload_id(call: Call) -> str:
    upload_id = call.query.get("upload_id")
    if not upload_id:
        raise BadRequest("upload_id: expected the id of a session, found none.")
    return upload_id


async def _receive(call: Call, spool: Spool, first: int) -> None:
    """Append a chunk; what has been kept already is not taken twice."""
    skip = spool.size - first
    if skip < 0:
        raise BadRequest(f"Content-Range: expected byte {spool.size} next, found {first}.")
    try:
        async for data in call.request.stream():
            await spool.take(call.engine, data[skip:])
            skip = max(0, skip - len(data))
    except ClientDisconnect:
        await call.engine.file_work(spool.give_up_rest)
        raise


def _incomplete(size: int) -> Response:
    return Response(status_code=308, headers={"range": f"bytes=0-{size - 1}"} if size else None)


async def _finalize(call: Call, session: Session, spool: Spool) -> Response:
    declared = declared_checksums(session.metadata, call.request.headers.getlist("x-goog-hash"))

    def work(transaction: Transaction) -> str:
        checksums = spool.digest.checksums()
        checksums.require(declared)
        draft = Draft(
            bucket=session.bucket,
            name=session.metadata["name"],
            metadata=session.metadata,
            content=Content(spool.digest.size, checksums),
            placement=linked_from(spool.path),
            origin=call.origin,
            preconditions=Preconditions.parse(session.conditions),
            caller=call.caller,
        )
        shown = commits.publish(transaction, draft).shown(call.origin)
        sessions.complete(transaction, session, shown)
        return shown

    shown = await call.engine.write(work, prepare=spool.finish)
    await call.engine.file_work(spool.discard)
    call.progress.forget(session.id)
    return answer(shown)
