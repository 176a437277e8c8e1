"""Downloads: whole objects and ranges, as stored or decompressed on the way."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from email.utils import format_datetime
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from localdev.storage.calls import Call, header_text
from localdev.storage.engine import Engine
from localdev.storage.gunzip import gunzipped
from localdev.storage.handlers.metadata import check_entity_tag
from localdev.storage.objects import StoredObject
from localdev.storage.preconditions import Preconditions
from localdev.storage.ranges import requested_span
from localdev.storage.reading import open_object

_BLOCK = 1 << 20
_DESCRIPTIVE = {
    "cache-control": "cacheControl",
    "content-disposition": "contentDisposition",
    "content-language": "contentLanguage",
    "content-type": "contentType",
    "etag": "etag",
    "x-goog-generation": "generation",
    "x-goog-metageneration": "metageneration",
    "x-goog-storage-class": "storageClass",
    "x-goog-stored-content-length": "size",
}


async def download(call: Call) -> Response:
    """The bytes of an object."""
    return await call.engine.read(lambda connection: _respond(call, connection))


def _respond(call: Call, connection: sqlite3.Connection) -> Response:
    """Prepare the answer on a reading thread; small objects are read there and then."""
    target = call.target
    found, file = open_object(
        connection, call.engine.blobs, target.bucket, target.name, call.generation
    )
    Preconditions.parse(call.query).check(found, reading=True)
    check_entity_tag(call.request, found)
    headers = _headers(found)
    if _is_to_be_decompressed(call.request, found):
        return StreamingResponse(_pieces(call.engine, gunzipped(file, _BLOCK)), 200, headers)
    headers["accept-ranges"] = "bytes"
    headers["x-goog-hash"] = _hashes(found)
    if encoding := found.resource.get("contentEncoding"):
        headers["content-encoding"] = header_text(encoding)
    status, span = 200, requested_span(call.request.headers.get("range"), found.size)
    if span:
        status = 206
        headers["content-range"] = f"bytes {span.start}-{span.end - 1}/{found.size}"
        file.seek(span.start)
    count = span.size if span else found.size
    headers["content-length"] = str(count)
    if count <= _BLOCK:
        with file:
            return Response(file.read(count), status, headers)
    return StreamingResponse(_pieces(call.engine, _blocks(file, count)), status, headers)


def _headers(found: StoredObject) -> dict[str, str]:
    resource = found.resource
    headers = {
        header: header_text(resource[field])
        for header, field in _DESCRIPTIVE.items()
        if field in resource
    }
    updated = datetime.fromisoformat(resource["updated"])
    headers["last-modified"] = format_datetime(updated, usegmt=True)
    encoding = resource.get("contentEncoding", "identity")
    headers["x-goog-stored-content-encoding"] = header_text(encoding)
    return headers


def _hashes(found: StoredObject) -> str:
    fields = (("crc32c", "crc32c"), ("md5", "md5Hash"))
    known = [(label, found.resource.get(field)) for label, field in fields]
    return ",".join(f"{label}={value}" for label, value in known if value)


def _is_to_be_decompressed(request: Request, found: StoredObject) -> bool:
    """Whether the object is stored compressed and the reader does not want it so."""
    if found.resource.get("contentEncoding") != "gzip":
        return False
    if "no-transform" in found.resource.get("cacheControl", ""):
        return False
    return "gzip" not in request.headers.get("accept-encoding", "")


def _blocks(file: BinaryIO, count: int) -> Iterator[bytes]:
    while count and (block := file.read(min(count, _BLOCK))):
        count -= len(block)
        yield block


async def _pieces(engine: Engine, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while piece := await engine.file_work(lambda: next(pieces, b"")):
        yield piece
