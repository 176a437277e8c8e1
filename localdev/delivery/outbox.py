"""The events that the emulator commits beside its objects, and what became of them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from math import inf
from pathlib import Path

from localdev.storage.database import connect


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the emulator's table of events.

    Attributes:
        id: its number, in the order of commits.
        data: the StorageObjectData as JSON text.
        attempts: failed deliveries so far.
        due: seconds since 1970 (real time) before which it is not sent; 0 when it was never tried.
    """

    id: int
    event_id: str
    type: str
    bucket: str
    name: str
    generation: int
    time: str
    data: str
    attempts: int
    due: float


class Outbox:
    """The pending events; every change of state is one small transaction.

    Args:
        path: the emulator's database file.
    """

    def __init__(self, path: Path) -> None:
        self._database: sqlite3.Connection = connect(path)

    def version(self) -> int:
        """A number that changes whenever another process has committed anything."""
        return int(self._database.execute("PRAGMA data_version").fetchone()[0])

    def due(self, now: float, limit: int) -> list[Event]:
        """The pending events that are due, longest due first.

        Args:
            now: seconds since 1970, real time.
            limit: at most so many.
        """
        rows = self._database.execute(
            "SELECT id, event_id, type, bucket, name, generation, time, data, attempts, due"
            " FROM events WHERE state = 'pending' AND due <= ? ORDER BY due, id LIMIT ?",
            (now, limit),
        )
        return [Event(**row) for row in rows]

    def next_due(self, now: float) -> float:
        """When the next pending event becomes due after `now`; infinity if none will."""
        row = self._database.execute(
            "SELECT min(due) FROM events WHERE state = 'pending' AND due > ?", (now,)
        ).fetchone()
        return inf if row[0] is None else float(row[0])

    def acknowledge(self, event: Event) -> None:
        """The event was delivered."""
        self._set(event, state="delivered", attempts=event.attempts, due=event.due)

    def postpone(self, event: Event, attempts: int, due: float) -> None:
        """The event is to be sent at `due`, after so many failed attempts."""
        self._set(event, state="pending", attempts=attempts, due=due)

    def bury(self, event: Event, attempts: int) -> None:
        """The event is not sent again."""
        self._set(event, state="dead", attempts=attempts, due=event.due)

    def counts(self) -> dict[str, int]:
        """How many events are in each state."""
        counts = {"pending": 0, "delivered": 0, "dead": 0}
        counts.update(
            self._database.execute("SELECT state, count(*) FROM events GROUP BY state").fetchall()
        )
        return counts

    def _set(self, event: Event, *, state: str, attempts: int, due: float) -> None:
        self._database.execute(
            "UPDATE events SET state = ?, attempts = ?, due = ? WHERE id = ?",
            (state, attempts, due, event.id),
        )
