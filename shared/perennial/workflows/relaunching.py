"""Starting runs, and starting them less and less often while they die.

A run that dies leaves no record. It is told by a claim that nobody gave back, or, where it did not
come so far, by the note that it was launched at a commit which is still the latest. A first death
is bad luck, and another run starts at once; from then on each waits twice as long as the one
before. Whoever mends the cause need not wait: `perennial retrain` starts a run at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from perennial.domain import names
from perennial.domain.versioning.registry import Head
from perennial.ports import JobLauncher, ObjectInfo, ObjectStore
from perennial.workflows.runs import started_of
from perennial.workflows.writing import create_once

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)

ON_ITS_WAY = timedelta(minutes=10)
"""So long the sweep waits for a claim of what was launched, if the platform does not say that it
ended; starting a container may take minutes."""


@dataclass(frozen=True, slots=True)
class Deaths:
    """Runs in a row that died.

    Attributes:
        count: how many.
        since: when the last of them began or was launched (UTC), as far as that is known.
    """

    count: int = 0
    since: datetime | None = None

    @property
    def next_start(self) -> datetime | None:
        """When another run may start (UTC); None: at once."""
        if self.count < 2 or self.since is None:
            return None
        doublings = min(self.count - 2, 20)
        return self.since + min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)

    def must_wait(self, now: datetime) -> bool:
        """Whether it is too early for another run."""
        return self.next_start is not None and now < self.next_start


@dataclass(frozen=True, slots=True)
class Launches:
    """What was launched at the commit that is the latest: a run's first act is to commit its claim.

    Attributes:
        data, launcher, head: where the notes are, what starts runs, the current state.
        last: the note of the last launch; None where there was none.
        ended: whether the platform knows that it is over.
    """

    data: ObjectStore
    launcher: JobLauncher
    head: Head
    last: ObjectInfo | None
    ended: bool

    @classmethod
    def at(cls, data: ObjectStore, launcher: JobLauncher, head: Head) -> Self:
        """Look: one listing, and where a run was launched a read and a question."""
        notes = data.list(names.launch(head.pipeline, head.commit))
        last = max(notes, key=lambda note: names.parse_number(note.name), default=None)
        ended = last is not None and launcher.has_ended(data.read(last.name).data.decode())
        return cls(data, launcher, head, last, ended)

    @property
    def on_its_way(self) -> bool:
        """Whether a run has yet to claim; it will list whatever has its verdict by now."""
        return self.last is not None and not self.ended

    def lost(self, now: datetime) -> bool:
        """Whether it has not claimed for so long that the platform may have lost it."""
        return self.last is not None and now - self.last.created >= ON_ITS_WAY

    @property
    def deaths(self) -> Deaths:
        """Runs that died at work, and after them those that died before their claim."""
        at_work = died_at_work(self.head)
        if self.last is None:
            return at_work
        return Deaths(at_work.count + names.parse_number(self.last.name), self.last.created)

    def start(self) -> str:
        """Launch a run, and note so; the execution.

        Raises:
            LaunchError: when it could not be started.
        """
        number = names.parse_number(self.last.name) + 1 if self.last else 1
        execution = self.launcher.launch(self.head.pipeline)
        name = names.launch(self.head.pipeline, self.head.commit, number)
        create_once(self.data, name, execution.encode())
        return execution


def died_at_work(head: Head) -> Deaths:
    """The runs in a row whose claims nobody gave back, once the last one does not live."""
    if head.claim is None:
        return Deaths()
    return Deaths(head.claim.deaths + 1, started_of(head.claim.run))


def launch_once(data: ObjectStore, launcher: JobLauncher, head: Head) -> str | None:
    """Launch a run, unless one that was launched at this very commit has yet to claim.

    Raises:
        LaunchError: when it could not be started.
    """
    launches = Launches.at(data, launcher, head)
    return None if launches.on_its_way else launches.start()
