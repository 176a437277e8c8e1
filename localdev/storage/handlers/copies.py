"""Objects from objects: copy, rewrite, move. The bytes are shared, never read."""

import base64
import json

from starlette.responses import Response

from localdev.storage import buckets, commits, objects
from localdev.storage.blobs import linked_from
from localdev.storage.calls import Call, answer
from localdev.storage.checksums import Checksums
from localdev.storage.commits import Draft
from localdev.storage.documents import Resource, dump
from localdev.storage.engine import Transaction
from localdev.storage.errors import BadRequest
from localdev.storage.objects import Content, StoredObject, require_name, writable
from localdev.storage.preconditions import Preconditions, integer

_MIB = 1 << 20


async def copy(call: Call) -> Response:
    """Copy an object in one call."""
    changes = await call.document()
    copied = await call.engine.write(lambda transaction: _copy(transaction, call, changes))
    return answer(copied.shown(call.origin))


async def move(call: Call) -> Response:
    """Rename an object: the new name appears and the old one goes in one transaction."""

    def work(transaction: Transaction) -> StoredObject:
        source = _source(transaction, call)
        moved = _publish(transaction, call, source, {})
        # Moved onto itself, the source was superseded by its own copy.
        if (call.target.to_bucket, call.target.to_name) != (source.bucket, source.name):
            bucket = buckets.get(transaction.connection, source.bucket)
            commits.retire(transaction, bucket, source)
        return moved

    moved = await call.engine.write(work)
    return answer(moved.shown(call.origin))


async def rewrite(call: Call) -> Response:
    """Copy an object, in as many calls as the client wants to make of it."""
    changes = await call.document()
    limit = integer(call.query, "maxBytesRewrittenPerCall")
    if limit is not None and (limit <= 0 or limit % _MIB):
        raise BadRequest(f"maxBytesRewrittenPerCall: expected whole MiB, found {limit}.")

    def work(transaction: Transaction) -> Resource:
        source = _source(transaction, call)
        done = _already_rewritten(call, source) + (limit or source.size)
        progress = {"kind": "storage#rewriteResponse", "objectSize": str(source.size)}
        if done < source.size:
            token = _token(call, source, done)
            return {
                **progress,
                "totalBytesRewritten": str(done),
                "done": False,
                "rewriteToken": token,
            }
        copied = _copy(transaction, call, changes)
        resource = json.loads(copied.shown(call.origin))
        return {
            **progress,
            "totalBytesRewritten": str(source.size),
            "done": True,
            "resource": resource,
        }

    return answer(await call.engine.write(work))


def _copy(transaction: Transaction, call: Call, changes: Resource) -> StoredObject:
    return _publish(transaction, call, _source(transaction, call), changes)


def _source(transaction: Transaction, call: Call) -> StoredObject:
    target = call.target
    buckets.get(transaction.connection, target.bucket)
    generation = integer(call.query, "sourceGeneration")
    source = objects.get(transaction.connection, target.bucket, target.name, generation)
    Preconditions.parse(call.query, "ifSource").check(source)
    return source


def _publish(
    transaction: Transaction, call: Call, source: StoredObject, changes: Resource
) -> StoredObject:
    """Commit the copy; metadata in the request replaces the source's as a whole."""
    resource = source.resource
    metadata = writable(changes) or writable(resource)
    metadata.setdefault("contentType", resource["contentType"])
    if "contentEncoding" in resource:  # it tells how to read the bytes, which are the same
        metadata.setdefault("contentEncoding", resource["contentEncoding"])
    content = Content(
        source.size,
        Checksums(resource.get("crc32c"), resource.get("md5Hash")),
        resource.get("componentCount"),
    )
    draft = Draft(
        bucket=call.target.to_bucket,
        name=require_name(call.target.to_name),
        metadata=metadata,
        content=content,
        placement=linked_from(transaction.blob(source.generation)),
        origin=call.origin,
        preconditions=Preconditions.parse(call.query),
        caller=call.caller,
    )
    return commits.publish(transaction, draft)


def _token(call: Call, source: StoredObject, done: int) -> str:
    """Progress of a rewrite; a token carries all of it, so no restart loses it."""
    state = [source.generation, call.target.to_bucket, call.target.to_name, done]
    return base64.urlsafe_b64encode(dump(state).encode()).decode()


def _already_rewritten(call: Call, source: StoredObject) -> int:
    token = call.query.get("rewriteToken")
    if token is None:
        return 0
    try:
        *identity, done = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise BadRequest("rewriteToken: found one that this service never gave.") from None
    if identity != [source.generation, call.target.to_bucket, call.target.to_name]:
        raise BadRequest("rewriteToken: found one of another rewrite.")
    return int(done)
