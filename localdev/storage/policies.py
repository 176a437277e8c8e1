"""IAM policies of buckets: kept and given back, for doctor; callers are held to `access`."""

import json
import sqlite3

from localdev.storage.documents import Resource, dump, entity_tag
from localdev.storage.engine import Transaction
from localdev.storage.errors import BadRequest, PreconditionFailed

CONDITIONS = 3
"""The version of policies that may hold conditions."""


def get(connection: sqlite3.Connection, bucket: str, version: int) -> Resource:
    """The policy of a bucket; one that nobody has set is empty.

    Args:
        connection: To read with.
        bucket: It must exist.
        version: The highest version that the reader understands.

    Raises:
        BadRequest: The policy has conditions, and the reader does not understand them.
    """
    number, policy = _find(connection, bucket)
    if _conditional(policy) and version < CONDITIONS:
        raise BadRequest(f"The policy has conditions: ask for version {CONDITIONS}.")
    return {
        "kind": "storage#policy",
        "resourceId": f"projects/_/buckets/{bucket}",
        **policy,
        "etag": entity_tag(0, number),
    }


def put(transaction: Transaction, bucket: str, policy: Resource) -> Resource:
    """Replace the policy of a bucket, which must exist.

    Raises:
        BadRequest: It has conditions, and not the version for them.
        PreconditionFailed: The policy names an entity tag, and was changed since.
    """
    number, _ = _find(transaction.connection, bucket)
    if policy.get("etag", entity_tag(0, number)) != entity_tag(0, number):
        raise PreconditionFailed("The policy was changed since it was read.")
    kept: Resource = {"version": policy.get("version", 1), "bindings": policy.get("bindings", [])}
    if _conditional(kept) and kept["version"] < CONDITIONS:
        raise BadRequest(f"A policy with conditions must have version {CONDITIONS}.")
    transaction.connection.execute(
        "INSERT OR REPLACE INTO policies (bucket, version, policy) VALUES (?, ?, ?)",
        (bucket, number + 1, dump(kept)),
    )
    return get(transaction.connection, bucket, CONDITIONS)


def delete(transaction: Transaction, bucket: str) -> None:
    """Forget the policy of a bucket that goes."""
    transaction.connection.execute("DELETE FROM policies WHERE bucket = ?", (bucket,))


def _find(connection: sqlite3.Connection, bucket: str) -> tuple[int, Resource]:
    row = connection.execute(
        "SELECT version, policy FROM policies WHERE bucket = ?", (bucket,)
    ).fetchone()
    return (row[0], json.loads(row[1])) if row else (1, {"version": 1, "bindings": []})


def _conditional(policy: Resource) -> bool:
    return any(binding.get("condition") for binding in policy["bindings"])
