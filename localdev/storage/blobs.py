"""The bytes of objects: one file per generation, never named after the object.

A file gets its final name only inside the transaction that commits its row, and is never changed
afterwards. So a copy is a hard link, and a file without a row is rubbish that a crash left.
"""

import os
from collections.abc import Callable, Container
from functools import partial
from pathlib import Path
from uuid import uuid4

_FAN_OUT = 16

Placement = Callable[[Path], None]
"""Puts complete bytes at the path it is given."""


class BlobFiles:
    """The folders of blobs and of bytes that are not committed yet."""

    def __init__(self, directory: Path) -> None:
        self._blobs = directory / "blobs"
        self._incoming = directory / "incoming"
        self._uploads = directory / "uploads"
        for fan in range(_FAN_OUT):
            (self._blobs / f"{fan:x}").mkdir(parents=True, exist_ok=True)
        self._incoming.mkdir(exist_ok=True)
        self._uploads.mkdir(exist_ok=True)

    def path(self, generation: int) -> Path:
        """Where the bytes of a generation are; the fan-out keeps folders small."""
        return self._blobs / f"{generation % _FAN_OUT:x}" / str(generation)

    def new_incoming(self) -> Path:
        """A fresh name for bytes on their way in."""
        return self._incoming / uuid4().hex

    def upload(self, upload_id: str) -> Path:
        """Where a resumable session keeps what it has received."""
        return self._uploads / upload_id

    def remove(self, generation: int) -> None:
        """Delete the bytes of a generation; readers that have them open go on reading."""
        self.path(generation).unlink(missing_ok=True)

    def sweep(self, generations: Container[int], uploads: Container[str]) -> None:
        """Delete what a killed process left: files to which no row belongs."""
        for path in self._incoming.iterdir():
            path.unlink()
        for path in self._blobs.glob("*/*"):
            if int(path.name) not in generations:
                path.unlink()
        for path in self._uploads.iterdir():
            if path.name not in uploads:
                path.unlink()


def moved_from(source: Path) -> Placement:
    """Bytes that nobody else needs: the file itself is moved."""
    return partial(os.replace, source)


def linked_from(source: Path) -> Placement:
    """Bytes that stay where they are too: a second name for the same file."""
    return partial(os.link, source)
