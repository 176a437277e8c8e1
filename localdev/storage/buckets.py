"""Bucket resources and the rows that keep them."""

import json
import re
import sqlite3
from dataclasses import dataclass
from functools import cached_property

from localdev.storage import policies
from localdev.storage.documents import Resource, dump, entity_tag, timestamp
from localdev.storage.engine import Transaction
from localdev.storage.errors import BadRequest, Conflict, NotFound

PROJECT_NUMBER = "0"
"""Of the project that every bucket lies in."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_READ_ONLY = frozenset(
    ("kind", "id", "name", "selfLink", "projectNumber", "timeCreated", "metageneration", "etag")
)


@dataclass(frozen=True)
class Bucket:
    """A bucket as its row keeps it."""

    name: str
    metageneration: int
    versioned: bool
    notify: bool
    text: str
    generation: int = 0

    @cached_property
    def resource(self) -> Resource:
        """The parsed resource; not to be changed."""
        parsed: Resource = json.loads(self.text)
        return parsed

    def shown(self, origin: str) -> Resource:
        """The resource with its link."""
        return {**self.resource, "selfLink": f"{origin}/storage/v1/b/{self.name}"}


def find(connection: sqlite3.Connection, name: str) -> Bucket | None:
    """Look a bucket up."""
    row = connection.execute(
        "SELECT metageneration, versioned, notify, resource FROM buckets WHERE name = ?", (name,)
    ).fetchone()
    return Bucket(name, row[0], bool(row[1]), bool(row[2]), row[3]) if row else None


def get(connection: sqlite3.Connection, name: str) -> Bucket:
    """Look up a bucket that must exist.

    Raises:
        NotFound: It does not.
    """
    found = find(connection, name)
    if found is None:
        raise NotFound("The specified bucket does not exist.")
    return found


def all_buckets(connection: sqlite3.Connection, prefix: str) -> list[Bucket]:
    """Every bucket whose name begins so, in the order of their names."""
    names = connection.execute("SELECT name FROM buckets ORDER BY name").fetchall()
    return [get(connection, name) for (name,) in names if name.startswith(prefix)]


def create(transaction: Transaction, metadata: Resource) -> Bucket:
    """Create a bucket.

    Raises:
        BadRequest: It has no name, or not one that a bucket may have.
        Conflict: It exists.
    """
    name = metadata.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadRequest(f"Invalid bucket name: {name!r}")
    if find(transaction.connection, name):
        raise Conflict(
            "Your previous request to create the named bucket succeeded and you already own it."
        )
    time = timestamp(transaction.clock.micros())
    resource = {
        "kind": "storage#bucket",
        "id": name,
        "name": name,
        "projectNumber": PROJECT_NUMBER,
        "timeCreated": time,
        "storageClass": "STANDARD",
        **{key: value for key, value in metadata.items() if key not in _READ_ONLY},
        **_place(metadata.get("location", "US")),
    }
    return _store(transaction, name, 1, resource)


def amend(transaction: Transaction, found: Bucket, changes: Resource) -> Bucket:
    """Change a bucket's metadata; None deletes a field, nested objects are merged."""
    resource = dict(found.resource)
    for key, value in changes.items():
        if key in _READ_ONLY:
            continue
        if isinstance(value, dict) and isinstance(resource.get(key), dict):
            merged = {**resource[key], **value}
            value = {name: entry for name, entry in merged.items() if entry is not None}
        resource[key] = value
    resource = {key: value for key, value in resource.items() if value is not None}
    return _store(transaction, found.name, found.metageneration + 1, resource)


def delete(transaction: Transaction, name: str) -> None:
    """Delete an empty bucket.

    Raises:
        Conflict: It holds an object, live or not.
    """
    connection = transaction.connection
    if connection.execute("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (name,)).fetchone():
        raise Conflict("The bucket you tried to delete is not empty.")
    connection.execute("DELETE FROM uploads WHERE bucket = ?", (name,))
    policies.delete(transaction, name)
    connection.execute("DELETE FROM buckets WHERE name = ?", (name,))


def ensure(transaction: Transaction, name: str, *, versioned: bool) -> None:
    """Create a bucket unless it is there; turn versioning on if it is asked for."""
    found = find(transaction.connection, name) or create(transaction, {"name": name})
    if versioned and not found.versioned:
        amend(transaction, found, {"versioning": {"enabled": True}})


def notify_only(transaction: Transaction, names: list[str]) -> None:
    """Let these buckets, and no others, write a row for every new object."""
    transaction.connection.execute("UPDATE buckets SET notify = 0")
    transaction.connection.executemany(
        "UPDATE buckets SET notify = 1 WHERE name = ?", [(name,) for name in names]
    )


def _place(location: str) -> Resource:
    """Where a bucket lies; the service writes names of places in capitals."""
    place = location.upper()
    types = {"US": "multi-region", "EU": "multi-region", "ASIA": "multi-region"}
    single = "dual-region" if re.fullmatch(r"[A-Z]+\d", place) else "region"
    return {"location": place, "locationType": types.get(place, single)}


def _store(transaction: Transaction, name: str, metageneration: int, resource: Resource) -> Bucket:
    stamped = {
        **resource,
        "updated": timestamp(transaction.clock.micros()),
        "metageneration": str(metageneration),
        "etag": entity_tag(0, metageneration),
    }
    versioned = bool(resource.get("versioning", {}).get("enabled"))
    transaction.connection.execute(
        "INSERT INTO buckets (name, metageneration, versioned, resource) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET metageneration = excluded.metageneration,"
        " versioned = excluded.versioned, resource = excluded.resource",
        (name, metageneration, versioned, dump(stamped)),
    )
    return get(transaction.connection, name)
