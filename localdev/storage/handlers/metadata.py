"""Objects without their bytes: get, list, patch, update, delete."""

from starlette.requests import Request
from starlette.responses import Response

from localdev.storage import buckets, commits, listing, objects
from localdev.storage.calls import Call, answer
from localdev.storage.engine import Transaction
from localdev.storage.errors import NotModified, PreconditionFailed
from localdev.storage.objects import StoredObject
from localdev.storage.preconditions import Preconditions


async def get(call: Call) -> Response:
    """The resource of an object."""
    preconditions = Preconditions.parse(call.query)
    target = call.target

    found = await call.engine.read(
        lambda connection: objects.get(connection, target.bucket, target.name, call.generation)
    )
    preconditions.check(found, reading=True)
    check_entity_tag(call.request, found)
    return answer(found.shown(call.origin))


async def list_objects(call: Call) -> Response:
    """A page of a bucket's objects."""
    query = listing.Query.parse(call.query)
    bucket, origin = call.target.bucket, call.origin
    return answer(
        await call.engine.read(
            lambda connection: listing.page(connection, bucket, query).shown(origin)
        )
    )


async def patch(call: Call) -> Response:
    """Change some of an object's metadata."""
    return await _amend(call, replace=False)


async def update(call: Call) -> Response:
    """Replace all of an object's metadata."""
    return await _amend(call, replace=True)


async def delete(call: Call) -> Response:
    """Delete an object, or one generation of it."""
    preconditions = Preconditions.parse(call.query)
    target, generation = call.target, call.generation
    await call.engine.write(
        lambda transaction: commits.delete(
            transaction, target.bucket, target.name, generation, preconditions
        )
    )
    return Response(status_code=204)


def check_entity_tag(request: Request, found: StoredObject) -> None:
    """Honour If-Match and If-None-Match.

    Raises:
        PreconditionFailed: None of the tags wanted is the object's.
        NotModified: One of the tags that the reader has is the object's.
    """
    tag = found.resource["etag"]
    wanted = request.headers.get("if-match")
    if wanted is not None and not _names(wanted, tag):
        raise PreconditionFailed(f"If-Match: expected {wanted}, found {tag}.")
    known = request.headers.get("if-none-match")
    if known is not None and _names(known, tag):
        raise NotModified(f"If-None-Match: {tag} is current.")


def _names(header: str, tag: str) -> bool:
    return any(entry.strip().strip('"') in {tag, "*"} for entry in header.split(","))


async def _amend(call: Call, *, replace: bool) -> Response:
    preconditions = Preconditions.parse(call.query)
    target, generation = call.target, call.generation
    changes = await call.document()

    def work(transaction: Transaction) -> StoredObject:
        buckets.get(transaction.connection, target.bucket)
        found = objects.get(transaction.connection, target.bucket, target.name, generation)
        preconditions.check(found)
        return commits.amend(transaction, found, changes, replace=replace)

    changed = await call.engine.write(work)
    return answer(changed.shown(call.origin))
