"""The prediction log's objects of some span of time, newest first, as many bytes as a look bears.

Cloud Logging writes them by the hour: `{log}/YYYY/MM/DD/HH:00:00_HH:59:59_S0.json`, a JSON entry a
line, of all pipelines together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from perennial.domain.monitoring.requests import Tally, tally
from perennial.errors import ObjectNotFound
from perennial.ports import ObjectInfo, ObjectStore

PREFIX = "run.googleapis.com/stdout/"
MOST_BYTES = 16 * 2**20
"""What is parsed takes about ten times as much memory."""

_MOST_OBJECTS = 5000


@dataclass(frozen=True)
class Logs:
    """What the log holds since some time. Listed when it is first asked for, and read so.

    Attributes:
        store: the bucket that the log's sink writes to.
        since: lines before it do not count (UTC).
        now: the time (UTC).
        pipelines: whose lines count.
        most_bytes: what is read at most.
    """

    store: ObjectStore
    since: datetime
    now: datetime
    pipelines: Collection[str]
    most_bytes: int = MOST_BYTES

    @property
    def mark(self) -> str:
        """What tells this log from another; with the hour, as time alone changes what counts."""
        listed = self._listed
        last = f"{listed[-1].name[len(PREFIX) :]} {listed[-1].generation}" if listed else ""
        return f"{self.now:%Y-%m-%dT%H} {len(listed)} {last}"

    @property
    def partial(self) -> bool:
        """Whether there is more than is read."""
        return len(self._chosen) < len(self._listed)

    @cached_property
    def tallies(self) -> Mapping[str, Tally]:
        """What it says, by pipeline."""
        found: dict[str, Tally] = {}
        for info in self._chosen:
            try:
                data = self.store.read(info.name).data
            except ObjectNotFound:
                continue  # a lifecycle rule has just removed it
            tally(data.splitlines(), self.since, self.pipelines, into=found)
        return found

    @cached_property
    def _listed(self) -> list[ObjectInfo]:
        start = f"{PREFIX}{self.since:%Y/%m/%d/%H}"
        return list(self.store.list(PREFIX, start=start, limit=_MOST_OBJECTS))

    @cached_property
    def _chosen(self) -> list[ObjectInfo]:
        """The newest, in the order of their time."""
        chosen: list[ObjectInfo] = []
        left = self.most_bytes
        for info in reversed(self._listed):
            left -= info.size
            if left < 0 and chosen:
                break
            chosen.append(info)
        return chosen[::-1]
