"""Threads, connections and transactions: the event loop never waits for a disk.

One thread owns the writing connection, so that writers queue instead of fighting over a lock;
a few others read, each with a connection of its own.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from localdev.clock import Clock
from localdev.storage.blobs import BlobFiles, Placement
from localdev.storage.database import FILE_NAME, connect
from localdev.storage.locking import lock

_READERS = 4

T = TypeVar("T")


class Transaction:
    """One atomic change of metadata, and the blob files that come and go with it."""

    def __init__(self, connection: sqlite3.Connection, blobs: BlobFiles, clock: Clock) -> None:
        self.connection = connection
        self.clock = clock
        self._blobs = blobs
        self._placed: list[int] = []
        self._dropped: list[int] = []

    def next_generation(self) -> int:
        """Allot a generation: microseconds since 1970, always above every earlier one."""
        (generation,) = self.connection.execute(
            "UPDATE generations SET last = max(?, last + 1) RETURNING last", (self.clock.micros(),)
        ).fetchone()
        return int(generation)

    def blob(self, generation: int) -> Path:
        """Where the bytes of an existing generation are."""
        return self._blobs.path(generation)

    def place(self, generation: int, placement: Placement) -> None:
        """Put bytes under a generation; they vanish again if the transaction fails."""
        self._placed.append(generation)
        placement(self._blobs.path(generation))

    def drop(self, generation: int) -> None:
        """Delete the bytes of a generation once the transaction has committed."""
        self._dropped.append(generation)

    def finish(self, *, committed: bool) -> None:
        """Delete the files that the outcome made superfluous."""
        for generation in self._dropped if committed else self._placed:
            self._blobs.remove(generation)


class Engine:
    """Runs reads and transactions on one directory of state.

    Args:
        directory: Where the database and the blobs are; nothing is written elsewhere.
        clock: Source of timestamps and generations.

    Raises:
        DirectoryInUseError: Another process serves this directory.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.clock = clock
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = lock(directory)
        self.blobs = BlobFiles(directory)
        self._database = directory / FILE_NAME
        self._writer = connect(self._database)
        self._readers = threading.local()
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="storage-writer")
        self._reading = ThreadPoolExecutor(_READERS, thread_name_prefix="storage-reader")
        self._sweep()

    def _sweep(self) -> None:
        rows = self._writer.execute("SELECT generation FROM objects")
        generations = {generation for (generation,) in rows}
        rows = self._writer.execute("SELECT id FROM uploads WHERE result IS NULL")
        uploads = {upload for (upload,) in rows}
        self.blobs.sweep(generations, uploads)

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in a transaction: it commits if ``work`` returns, and only then."""
        transaction = Transaction(self._writer, self.blobs, self.clock)
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            result = work(transaction)
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            transaction.finish(committed=False)
            raise
        transaction.finish(committed=True)
        return result

    async def write(
        self, work: Callable[[Transaction], T], *, prepare: Callable[[], None] | None = None
    ) -> T:
        """Run a transaction on the writing thread.

        Args:
            work: What happens within the transaction.
            prepare: What that thread does first, before the transaction holds others up.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writing, self._write, work, prepare)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` on a reading thread, with that thread's connection."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reading, self._read, work)

    async def file_work(self, work: Callable[[], T]) -> T:
        """Run file input and output beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, work)

    def _write(self, work: Callable[[Transaction], T], prepare: Callable[[], None] | None) -> T:
        if prepare:
            prepare()
        return self.transact(work)

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = self._readers.connection = connect(self._database)
        return work(connection)

    def close(self) -> None:
        """Finish what was begun and close the database."""
        self._writing.shutdown()
        self._reading.shutdown()
        self._writer.close()
        self._lock.close()
