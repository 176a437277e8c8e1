"""Resumable sessions: what was promised when they began, and how far they have come.

A session's request is a row and its bytes are a file, so both outlive the server. Only the running
digest is lost with the process, and is computed anew from the file.
"""

import asyncio
import json
import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from localdev.storage.checksums import Digest
from localdev.storage.documents import Resource, dump
from localdev.storage.engine import Transaction
from localdev.storage.errors import NotFound


@dataclass(frozen=True, slots=True)
class Session:
    """A resumable upload.

    Attributes:
        metadata: What the object is to say.
        conditions: The query parameters of the request that began it.
        size: The size that was announced, in bytes, if one was.
        result: The stored resource once the upload is complete.
    """

    id: str
    bucket: str
    metadata: Resource
    conditions: dict[str, str]
    size: int | None = None
    result: str | None = None


class Progress:
    """Locks and running digests of the sessions that this process has touched."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._digests: dict[str, Digest] = {}

    def lock(self, session: str) -> asyncio.Lock:
        """Held while a request appends: a retry may overtake the request that it repeats."""
        return self._locks[session]

    def digest(self, session: str, path: Path) -> Digest:
        """The digest of what a session has kept; blocks for as long as reading the file takes."""
        size = path.stat().st_size if path.exists() else 0
        known = self._digests.get(session)
        if known is None or known.size != size:
            known = Digest.of_file(path) if size else Digest()
            self._digests[session] = known
        return known

    def forget(self, session: str) -> None:
        """Drop what is known of a session that has ended."""
        self._digests.pop(session, None)
        self._locks.pop(session, None)


def begin(
    transaction: Transaction,
    bucket: str,
    metadata: Resource,
    conditions: dict[str, str],
    size: int | None,
) -> Session:
    """Record a new session."""
    session = Session(uuid4().hex, bucket, metadata, conditions, size)
    request = {"metadata": metadata, "conditions": conditions, "size": size}
    transaction.connection.execute(
        "INSERT INTO uploads (id, bucket, name, request) VALUES (?, ?, ?, ?)",
        (session.id, bucket, metadata["name"], dump(request)),
    )
    return session


def get(connection: sqlite3.Connection, upload_id: str) -> Session:
    """Look a session up.

    Raises:
        NotFound: It never began, or was cancelled.
    """
    row = connection.execute(
        "SELECT bucket, request, result FROM uploads WHERE id = ?", (upload_id,)
    ).fetchone()
    if row is None:
        raise NotFound(f"No such upload session: {upload_id!r}")
    bucket, request, result = row
    return Session(upload_id, bucket, **json.loads(request), result=result)


def complete(transaction: Transaction, session: Session, result: str) -> None:
    """Record the outcome, for clients whose answer was lost and who ask again."""
    transaction.connection.execute(
        "UPDATE uploads SET result = ? WHERE id = ?", (result, session.id)
    )


def cancel(transaction: Transaction, upload_id: str) -> None:
    """Forget a session."""
    transaction.connection.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))
