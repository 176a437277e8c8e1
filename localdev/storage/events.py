"""The outbox: a row for every object that became live in a bucket that notifies.

The row is written in the transaction of the object itself, so there is never one without the
other. Sending is the work of the event delivery, in a process of its own.
"""

import sqlite3

from localdev.storage.objects import StoredObject

FINALIZED = "google.cloud.storage.object.v1.finalized"


def record_finalized(connection: sqlite3.Connection, published: StoredObject, origin: str) -> None:
    """Add the event; its data is the object's resource, as in StorageObjectData."""
    connection.execute(
        "INSERT INTO events (event_id, type, bucket, name, generation, time, data)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            str(published.generation),
            FINALIZED,
            published.bucket,
            published.name,
            published.generation,
            published.resource["timeCreated"],
            published.shown(origin),
        ),
    )
