"""Who runs a DIR: a lock that the kernel drops with its holder, however that ends.

A process id in a file may be stale, or another process's by now; a lock cannot be.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import IO

FILE_NAME = "lock"

_POLL_SECONDS = 0.02
_ATTEMPTS = 20


def acquire(directory: Path) -> IO[str] | None:
    """Become the one who runs `directory`, while the returned file stays open.

    Returns:
        None where another process has the lock.
    """
    file = (directory / FILE_NAME).open("a+")
    for _ in range(_ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # somebody runs it, or is just looking whether anybody does
            time.sleep(_POLL_SECONDS)
        else:
            break
    else:
        file.close()
        return None
    file.seek(0)
    file.truncate()
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def holder(directory: Path) -> int | None:
    """The process id of whoever runs `directory`; None if nobody does."""
    try:
        file = (directory / FILE_NAME).open("r+")
    except FileNotFoundError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _number(file)
        return None


def wait_until_free(directory: Path, seconds: float) -> bool:
    """Wait for the holder to go; whether it went in time."""
    deadline = time.monotonic() + seconds
    while holder(directory) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _number(file: IO[str]) -> int:
    """The id in the file; it is written a moment after the lock was taken."""
    for _ in range(_ATTEMPTS):
        file.seek(0)
        text = file.read()
        if text.endswith("\n"):
            return int(text)
        time.sleep(_POLL_SECONDS)
    raise RuntimeError(f"{file.name} is locked and names no process")
