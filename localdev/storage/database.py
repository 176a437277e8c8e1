"""The emulator's one SQLite file: metadata, resumable sessions and the outbox of events.

Two processes open it: the emulator, and the event delivery that drains ``events``. WAL lets
them read while one writes, and ``busy_timeout`` makes writers wait for each other.
"""

import sqlite3
from pathlib import Path

FILE_NAME = "storage.sqlite3"
FORMAT = 2
BUSY_TIMEOUT_SECONDS = 30.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS generations (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL
);
INSERT OR IGNORE INTO generations (id, last) VALUES (1, 0);

CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY,
    metageneration INTEGER NOT NULL,
    versioned INTEGER NOT NULL,
    notify INTEGER NOT NULL DEFAULT 0,
    resource TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS policies (
    bucket TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    policy TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL,
    name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    live INTEGER NOT NULL,
    resource TEXT NOT NULL,
    PRIMARY KEY (bucket, name, generation)
);
-- At most one live generation of a name; also the order in which live objects are listed.
CREATE UNIQUE INDEX IF NOT EXISTS live_objects ON objects (bucket, name) WHERE live;

CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL,
    name TEXT NOT NULL,
    request TEXT NOT NULL,
    result TEXT
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT UNIQUE NOT NULL,
    type TEXT NOT NULL,
    bucket TEXT NOT NULL,
    name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    time TEXT NOT NULL,
    data TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS events_due ON events (state, due);
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the database file, creating it and its tables where they are missing.

    The connection is in autocommit mode: transactions are begun and ended explicitly. It may be
    handed from thread to thread, but only one may use it at a time. Rows are ``sqlite3.Row``.

    Raises:
        sqlite3.OperationalError: The file cannot be opened or is locked for too long.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    # WAL with NORMAL loses nothing when a process is killed; only a power cut could.
    connection.execute("PRAGMA synchronous = NORMAL")
    if connection.execute("PRAGMA user_version").fetchone()[0] < FORMAT:
        connection.executescript(
            f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;"
        )
    return connection
