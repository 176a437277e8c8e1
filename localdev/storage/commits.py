"""Every change to an object: conditions, generation, row, event and bytes as one transaction."""

from dataclasses import dataclass, field

from localdev.storage import buckets, events, objects
from localdev.storage.access import CREATE, DELETE, OWNER, Caller
from localdev.storage.blobs import Placement
from localdev.storage.documents import Resource
from localdev.storage.engine import Transaction
from localdev.storage.objects import Content, StoredObject
from localdev.storage.preconditions import Preconditions


@dataclass(frozen=True, slots=True)
class Draft:
    """An object that wants to become the live generation of its name.

    Attributes:
        content: Size and checksums of its bytes.
        placement: Puts its bytes where the generation's bytes belong.
        origin: Address of the server as the client knows it, for the links in an event.
        caller: Whoever wants it.
    """

    bucket: str
    name: str
    metadata: Resource
    content: Content
    placement: Placement
    origin: str
    preconditions: Preconditions = field(default_factory=Preconditions)
    caller: Caller = OWNER


def publish(transaction: Transaction, draft: Draft) -> StoredObject:
    """Make a draft the live generation of its name.

    Raises:
        NotFound: There is no such bucket.
        Forbidden: The caller may not create it, or not in the place of what is there.
        PreconditionFailed: The live object is not what the request expects.
    """
    connection = transaction.connection
    draft.caller.require(CREATE, draft.bucket, draft.name)
    bucket = buckets.get(connection, draft.bucket)
    current = objects.find(connection, draft.bucket, draft.name)
    if current is not None:
        draft.caller.require(DELETE, draft.bucket, draft.name)
    draft.preconditions.check(current)
    if current is not None:
        retire(transaction, bucket, current)
    generation = transaction.next_generation()
    published = objects.describe(
        draft.bucket,
        draft.name,
        generation,
        transaction.clock.micros(),
        draft.content,
        draft.metadata,
    )
    transaction.place(generation, draft.placement)
    connection.execute(
        "INSERT INTO objects (bucket, name, generation, live, resource) VALUES (?, ?, ?, 1, ?)",
        (draft.bucket, draft.name, generation, published.text),
    )
    if bucket.notify:
        events.record_finalized(connection, published, draft.origin)
    return published


def retire(transaction: Transaction, bucket: buckets.Bucket, live: StoredObject) -> None:
    """Take a live generation out of the way: kept if the bucket is versioned, else gone."""
    if not bucket.versioned:
        erase(transaction, live)
        return
    noncurrent = objects.superseded(live, transaction.clock.micros())
    transaction.connection.execute(
        "UPDATE objects SET live = 0, resource = ?"
        " WHERE bucket = ? AND name = ? AND generation = ?",
        (noncurrent.text, live.bucket, live.name, live.generation),
    )


def erase(transaction: Transaction, found: StoredObject) -> None:
    """Delete a generation for good."""
    transaction.connection.execute(
        "DELETE FROM objects WHERE bucket = ? AND name = ? AND generation = ?",
        (found.bucket, found.name, found.generation),
    )
    transaction.drop(found.generation)


def delete(
    transaction: Transaction,
    bucket_name: str,
    name: str,
    generation: int | None,
    preconditions: Preconditions,
) -> None:
    """Delete an object: a named generation for good, else whatever is live.

    Raises:
        NotFound: There is no such bucket, object or generation.
        PreconditionFailed: The object is not what the request expects.
    """
    bucket = buckets.get(transaction.connection, bucket_name)
    found = objects.get(transaction.connection, bucket_name, name, generation)
    preconditions.check(found)
    if generation is None:
        retire(transaction, bucket, found)
    else:
        erase(transaction, found)


def amend(
    transaction: Transaction,
    found: StoredObject,
    changes: Resource,
    *,
    replace: bool,
) -> StoredObject:
    """Write an object's metadata anew; its generation stays, its metageneration grows."""
    changed = objects.amended(found, changes, transaction.clock.micros(), replace=replace)
    transaction.connection.execute(
        "UPDATE objects SET resource = ? WHERE bucket = ? AND name = ? AND generation = ?",
        (changed.text, found.bucket, found.name, found.generation),
    )
    return changed
