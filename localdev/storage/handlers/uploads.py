"""Uploads in one request: bytes alone, or metadata and bytes together."""

from starlette.responses import Response

from localdev.storage import commits
from localdev.storage.blobs import moved_from
from localdev.storage.calls import Call, answer
from localdev.storage.checksums import declared_checksums
from localdev.storage.commits import Draft
from localdev.storage.documents import Resource
from localdev.storage.engine import Transaction
from localdev.storage.errors import BadRequest
from localdev.storage.handlers.resumable import initiate
from localdev.storage.multipart import RelatedParts
from localdev.storage.objects import Content, StoredObject, named
from localdev.storage.preconditions import Preconditions
from localdev.storage.spool import Spool


async def insert(call: Call) -> Response:
    """Create an object, or begin to."""
    match call.query.get("uploadType"):
        case "multipart":
            content_type = call.request.headers.get("content-type", "")
            return await _in_one_request(call, RelatedParts(content_type))
        case "media":
            return await _in_one_request(call, None)
        case "resumable":
            return await initiate(call)
        case other:
            raise BadRequest(f"uploadType: expected media, multipart or resumable, found {other!r}")


async def _in_one_request(call: Call, parts: RelatedParts | None) -> Response:
    preconditions = Preconditions.parse(call.query)
    spool = Spool(call.engine.blobs.new_incoming())
    try:
        async for data in call.request.stream():
            await spool.take(call.engine, parts.feed(data) if parts else data)
        metadata = _metadata(call, parts)
        declared = declared_checksums(metadata, call.request.headers.getlist("x-goog-hash"))

        def work(transaction: Transaction) -> StoredObject:
            checksums = spool.digest.checksums()
            checksums.require(declared)
            draft = Draft(
                bucket=call.target.bucket,
                name=metadata["name"],
                metadata=metadata,
                content=Content(spool.digest.size, checksums),
                placement=moved_from(spool.path),
                origin=call.origin,
                preconditions=preconditions,
                caller=call.caller,
            )
            return commits.publish(transaction, draft)

        stored = await call.engine.write(work, prepare=spool.finish)
    except BaseException:
        spool.discard()
        raise
    return answer(stored.shown(call.origin))


def _metadata(call: Call, parts: RelatedParts | None) -> Resource:
    if parts is None:
        return named({"contentType": call.request.headers.get("content-type")}, call.query)
    if parts.metadata is None or not parts.complete:
        raise BadRequest("Multipart upload: the body ends before its closing boundary.")
    return named({"contentType": parts.content_type} | parts.metadata, call.query)
