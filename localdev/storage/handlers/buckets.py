"""Buckets: insert, get, list, patch, delete."""

from starlette.responses import Response

from localdev.storage import buckets
from localdev.storage.buckets import Bucket
from localdev.storage.calls import Call, answer
from localdev.storage.engine import Transaction
from localdev.storage.preconditions import Preconditions


async def insert(call: Call) -> Response:
    """Create a bucket."""
    metadata = await call.document()
    created = await call.engine.write(lambda transaction: buckets.create(transaction, metadata))
    return answer(created.shown(call.origin))


async def get(call: Call) -> Response:
    """The resource of a bucket."""
    name = call.target.bucket
    found = await call.engine.read(lambda connection: buckets.get(connection, name))
    Preconditions.parse(call.query).check(found, reading=True)
    return answer(found.shown(call.origin))


async def list_buckets(call: Call) -> Response:
    """Every bucket; there are never so many that pages would be needed."""
    prefix = call.query.get("prefix", "")
    found = await call.engine.read(lambda connection: buckets.all_buckets(connection, prefix))
    items = [bucket.shown(call.origin) for bucket in found]
    return answer({"kind": "storage#buckets", "items": items})


async def patch(call: Call) -> Response:
    """Change a bucket's metadata."""
    changes = await call.document()
    name, preconditions = call.target.bucket, Preconditions.parse(call.query)

    def work(transaction: Transaction) -> Bucket:
        found = buckets.get(transaction.connection, name)
        preconditions.check(found)
        return buckets.amend(transaction, found, changes)

    changed = await call.engine.write(work)
    return answer(changed.shown(call.origin))


async def delete(call: Call) -> Response:
    """Delete an empty bucket."""
    name, preconditions = call.target.bucket, Preconditions.parse(call.query)

    def work(transaction: Transaction) -> None:
        preconditions.check(buckets.get(transaction.connection, name))
        buckets.delete(transaction, name)

    await call.engine.write(work)
    return Response(status_code=204)
