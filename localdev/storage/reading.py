"""An object together with its bytes, as one consistent pair."""

import sqlite3
from typing import BinaryIO

from localdev.storage import objects
from localdev.storage.blobs import BlobFiles
from localdev.storage.objects import StoredObject


def open_object(
    connection: sqlite3.Connection,
    blobs: BlobFiles,
    bucket: str,
    name: str,
    generation: int | None = None,
) -> tuple[StoredObject, BinaryIO]:
    """Look an object up and open its bytes, which stay readable whatever becomes of it.

    Raises:
        NotFound: It does not exist.
        FileNotFoundError: Its bytes are gone although its row is there.
    """
    missing = None
    while True:
        found = objects.get(connection, bucket, name, generation)
        try:
            return found, blobs.path(found.generation).open("rb", buffering=0)
        except FileNotFoundError:
            # Replaced since the row was read. Twice the same generation is another matter.
            if found.generation == missing:
                raise
            missing = found.generation
