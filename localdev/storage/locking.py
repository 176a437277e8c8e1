"""One emulator per directory: a second one would sweep away what the first is receiving."""

import sqlite3
from pathlib import Path

_WAIT_SECONDS = 5.0  # a predecessor may still be ending


class DirectoryInUseError(RuntimeError):
    """Another process serves the directory."""


def lock(directory: Path) -> sqlite3.Connection:
    """Claim a directory until the connection is closed or the process ends, however it ends.

    SQLite's file lock is the one exclusive lock that the standard library has on every system.

    Raises:
        DirectoryInUseError: Another process holds the claim.
    """
    connection = sqlite3.connect(
        directory / "lock", timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        connection.close()
        raise DirectoryInUseError(
            f"Expected {directory} for this emulator alone, found another one at work there;"
            " stop it first."
        ) from None
    return connection
