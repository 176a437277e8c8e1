"""What listings say of a pipeline, kept between requests, as fresh as a page can wait for.

Verdicts, ledger and runs only grow, and with ten thousand files listing them takes seconds. While
that is quick it is done for every page; where it is not, a page gets what the last listing said
and the next one is made beside it, unless that is long ago. The head is
never kept: what serves is always what serves now.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from perennial.domain.verdict import VerdictSummary
from perennial.ports import Clock, ObjectStore
from perennial.workflows.ledger import Entry, entries
from perennial.workflows.runs import list_runs
from perennial.workflows.verdicts import list_in_force

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.1
"""A page waits for a listing that takes no longer than this; so long, two others still fit in."""

SHARE = 10
"""A listing is made again after so many times as long as it took, or pages would starve for it."""

LONGEST_SECONDS = 120.0
"""And after this long at the latest: between requests the platform gives no CPU, so that a listing
made beside pages may seem to have taken a night. So long after that, a page waits for a new one."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What listings said.

    Attributes:
        at: when they were begun (UTC).
        seconds: how long they took.
        files: the decision in force about every file, in the order of their drops.
        ledger: what each version scored on each file, in the order of the drops.
        runs: summaries of all runs, oldest first.
    """

    at: datetime
    seconds: float
    files: Sequence[VerdictSummary]
    ledger: Sequence[Entry]
    runs: Sequence[dict[str, Any]]


class Snapshots:
    """The latest of each pipeline. Safe for many threads.

    Args:
        data: the data bucket.
        clock: the time.
    """

    def __init__(self, data: ObjectStore, clock: Clock) -> None:
        self._data = data
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, Snapshot] = {}
        self._under_way: set[str] = set()
        self._forgotten: Counter[str] = Counter()
        self._beside = ThreadPoolExecutor(max_workers=2, thread_name_prefix="snapshot")

    def of(self, pipeline: str) -> Snapshot:
        """A pipeline's listings; where they take long, those of a moment ago."""
        with self._lock:
            kept = self._kept.get(pipeline)
            if kept is not None and kept.seconds > PATIENCE_SECONDS:
                age = (self._clock.now() - kept.at).total_seconds()
                due = min(SHARE * kept.seconds, LONGEST_SECONDS)
                if age <= due + LONGEST_SECONDS:
                    if age > due and pipeline not in self._under_way:
                        self._under_way.add(pipeline)
                        self._beside.submit(self._renew, pipeline)
                    return kept
                # Nobody has looked for long, and nothing is made while nobody looks.
        return self._list(pipeline)

    def forget(self, pipeline: str) -> None:
        """Somebody has just changed it: the next page waits for what that brought."""
        with self._lock:
            self._kept.pop(pipeline, None)
            self._forgotten[pipeline] += 1

    def _renew(self, pipeline: str) -> None:
        try:
            self._list(pipeline)
        except Exception:  # the next page tries again
            log.exception("%s cannot be listed", pipeline)
        finally:
            with self._lock:
                self._under_way.discard(pipeline)

    def _list(self, pipeline: str) -> Snapshot:
        with self._lock:
            forgotten = self._forgotten[pipeline]
        began = self._clock.now()
        with ThreadPoolExecutor(3) as pool:
            files = pool.submit(list_in_force, self._data, pipeline)
            ledger = pool.submit(lambda: list(entries(self._data, pipeline)))
            runs = pool.submit(lambda: list(list_runs(self._data, pipeline)))
        seconds = (self._clock.now() - began).total_seconds()
        found = Snapshot(began, seconds, files.result(), ledger.result(), runs.result())
        with self._lock:
            kept = self._kept.get(pipeline)
            # What was begun before a change may not show it, and is not for the next page.
            same = self._forgotten[pipeline] == forgotten
            if same and (kept is None or kept.at < found.at):
                self._kept[pipeline] = found
        return found
