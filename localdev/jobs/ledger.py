"""Executions and their states, in an SQLite file that survives `kill -9`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS executions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT UNIQUE NOT NULL,
    uid TEXT NOT NULL,
    job TEXT NOT NULL,
    arguments TEXT NOT NULL,
    environment TEXT NOT NULL,
    timeout_seconds REAL NOT NULL,
    state TEXT NOT NULL,
    message TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    created TEXT NOT NULL,
    started TEXT,
    completed TEXT
);
CREATE INDEX IF NOT EXISTS executions_of_job ON executions (job, number);
"""


class State(StrEnum):
    """Where an execution is; the last two are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether it stays so."""
        return self in {State.SUCCEEDED, State.FAILED}


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of a job, which here has one task that is never retried.

    Attributes:
        number: executions are listed, and started, in this order.
        arguments: what follows the job's command.
        environment: what overrides the job's environment.
        message: why it failed.
        reason: the API's reason for that, a value of ExecutionReason or CommonReason.
        created, started, completed: RFC 3339, UTC.
    """

    number: int
    id: str
    uid: str
    job: str
    arguments: list[str]
    environment: Mapping[str, str]
    timeout_seconds: float
    state: State
    message: str
    reason: str
    created: str
    started: str | None
    completed: str | None


class Ledger:
    """Every execution there ever was.

    Args:
        path: the SQLite file; made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.executescript(_SCHEMA)

    def add(
        self,
        *,
        id: str,  # noqa: A002 - the API's word
        uid: str,
        job: str,
        arguments: list[str],
        environment: Mapping[str, str],
        timeout_seconds: float,
    ) -> Execution:
        """Accept an execution: from here on it will end, one way or the other."""
        self._database.execute(
            "INSERT INTO executions"
            " (id, uid, job, arguments, environment, timeout_seconds, state, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                id,
                uid,
                job,
                json.dumps(arguments),
                json.dumps(dict(environment)),
                timeout_seconds,
                State.QUEUED,
                _now(),
            ),
        )
        return self.get(id)

    def get(self, id: str) -> Execution:  # noqa: A002 - the API's word
        """One execution.

        Raises:
            KeyError: there is none of that id.
        """
        row = self._database.execute("SELECT * FROM executions WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise KeyError(id)
        return _execution(row)

    def with_uid(self, uid: str) -> Execution | None:
        """The execution with a server-assigned id, if there is one."""
        row = self._database.execute("SELECT * FROM executions WHERE uid = ?", (uid,)).fetchone()
        return None if row is None else _execution(row)

    def of(self, job: str, limit: int, before: int | None = None) -> list[Execution]:
        """Executions of a job, newest first, those with a number below `before`."""
        rows = self._database.execute(
            "SELECT * FROM executions WHERE job = ? AND (? IS NULL OR number < ?)"
            " ORDER BY number DESC LIMIT ?",
            (job, before, before, limit),
        )
        return [_execution(row) for row in rows]

    def within(self, state: State) -> list[Execution]:
        """Executions in a state, oldest first."""
        rows = self._database.execute(
            "SELECT * FROM executions WHERE state = ? ORDER BY number", (state,)
        )
        return [_execution(row) for row in rows]

    def start(self, execution: Execution) -> None:
        """Its process is about to run."""
        self._database.execute(
            "UPDATE executions SET state = ?, started = ? WHERE id = ?",
            (State.RUNNING, _now(), execution.id),
        )

    def succeed(self, execution: Execution) -> None:
        """Its process ended with exit code zero."""
        self._complete(execution, State.SUCCEEDED, "", "")

    def fail(self, execution: Execution, message: str, reason: str) -> None:
        """It ended in any other way."""
        self._complete(execution, State.FAILED, message, reason)

    def _complete(self, execution: Execution, state: State, message: str, reason: str) -> None:
        self._database.execute(
            "UPDATE executions SET state = ?, message = ?, reason = ?, completed = ? WHERE id = ?",
            (state, message, reason, _now(), execution.id),
        )


def _execution(row: sqlite3.Row) -> Execution:
    values = dict(row)
    values["arguments"] = json.loads(values["arguments"])
    values["environment"] = json.loads(values["environment"])
    values["state"] = State(values["state"])
    return Execution(**values)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
