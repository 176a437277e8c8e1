"""Buckets: insert, get, list, patch, delete, their IAM policies, and whose they are."""

import sqlite3

from starlette.responses import Response

from localdev.storage import buckets, policies
from localdev.storage.buckets import Bucket
from localdev.storage.calls import Call, answer
from localdev.storage.documents import Resource
from localdev.storage.engine import Transaction
from localdev.storage.preconditions import Preconditions, integer

_TOPIC = "//pubsub.googleapis.com/projects/local-cloud/topics/events"


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


async def list_notifications(call: Call) -> Response:
    """Whether a bucket records events, as Google's would say that it tells Pub/Sub of them."""
    name = call.target.bucket
    found = await call.engine.read(lambda connection: buckets.get(connection, name))
    told: Resource = {
        "kind": "storage#notification",
        "id": "1",
        "topic": _TOPIC,
        "event_types": ["OBJECT_FINALIZE"],
        "payload_format": "JSON_API_V1",
    }
    items = {"items": [told]} if found.notify else {}  # Google leaves an empty list out
    return answer({"kind": "storage#notifications", **items})


async def get_policy(call: Call) -> Response:
    """The IAM policy of a bucket."""
    name, version = call.target.bucket, integer(call.query, "optionsRequestedPolicyVersion") or 1

    def work(connection: sqlite3.Connection) -> Resource:
        buckets.get(connection, name)
        return policies.get(connection, name, version)

    return answer(await call.engine.read(work))


async def set_policy(call: Call) -> Response:
    """Replace the IAM policy of a bucket."""
    name, policy = call.target.bucket, await call.document()

    def work(transaction: Transaction) -> Resource:
        buckets.get(transaction.connection, name)
        return policies.put(transaction, name, policy)

    return answer(await call.engine.write(work))


async def service_account(_: Call) -> Response:
    """The account by which Cloud Storage itself acts in a project; there is one project here."""
    email = f"service-{buckets.PROJECT_NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
    return answer({"kind": "storage#serviceAccount", "email_address": email})
