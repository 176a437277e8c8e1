"""Bytes on their way from a request into a file, in bounded memory."""

from pathlib import Path

from localdev.storage.checksums import Digest
from localdev.storage.engine import Engine

QUANTUM = 256 * 1024
"""What an interrupted resumable upload keeps is a multiple of this, in bytes."""

_BLOCK = 4 * QUANTUM


class Spool:
    """A file that grows at its end, hashed on the way.

    Bytes gather in memory up to a block. The file and its digest only ever hold whole quanta,
    until ``finish`` writes the rest, so that an interruption never leaves an odd length.

    Args:
        path: The file; it exists if the digest is of more than nothing.
        digest: Of what the file holds already.
    """

    def __init__(self, path: Path, digest: Digest | None = None) -> None:
        self.path = path
        self.digest = digest or Digest()
        self._pending = bytearray()

    @property
    def size(self) -> int:
        """Bytes taken in so far, written or not."""
        return self.digest.size + len(self._pending)

    async def take(self, engine: Engine, data: bytes) -> None:
        """Take in the next bytes; whole blocks are written beside the event loop."""
        self._pending += data
        if len(self._pending) >= _BLOCK:
            await engine.file_work(self.keep_quanta)

    def keep_quanta(self) -> None:
        """Write as many whole quanta as there are."""
        self._write(len(self._pending) // QUANTUM * QUANTUM)

    def give_up_rest(self) -> None:
        """Write the whole quanta and forget the bytes after them."""
        self.keep_quanta()
        self._pending.clear()

    def finish(self) -> None:
        """Write everything; the file exists afterwards even if it is empty."""
        self._write(len(self._pending))
        if not self.digest.size:
            self.path.touch()

    def discard(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)

    def _write(self, count: int) -> None:
        if not count:
            return
        data = bytes(self._pending[:count])
        with self.path.open("ab") as file:
            file.write(data)
        self.digest.update(data)
        del self._pending[:count]
