"""How often judging a file was begun: a process that runs out of memory leaves no other trace.

Whoever is about to read a file that could be too much for its process notes so first. Where as
many attempts as its definition allows ended without a verdict, the file is quarantined unread.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from perennial.domain import names
from perennial.domain.judging.findings import file_finding
from perennial.domain.verdict import Finding, Verdict
from perennial.ports import ObjectInfo, ObjectStore
from perennial.workflows.writing import create_once

SMALL = 8 * 2**20
"""Up to so many bytes no file is too much; of packed ones, up to `SMALL_PACKED`."""

SMALL_PACKED = 64 * 2**10

LIVING = timedelta(minutes=10)
"""An attempt that began less long ago may go on: ingest's timeout (deployment.yaml) is shorter."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """The attempts at judging one file, each an object of a create-only chain."""

    data: ObjectStore
    verdict: Verdict

    def begin(self, info: ObjectInfo, allowed: int, now: datetime) -> Finding | None:
        """Note another attempt, or say that there were enough.

        Args:
            info: the file in landing.
            allowed: how many may end without a verdict.
            now: the time (UTC).

        Returns:
            The finding for a file that must not be read again.
        """
        packed = info.name.lower().endswith((".gz", ".parquet"))
        if info.size <= (SMALL_PACKED if packed else SMALL):
            return None
        base = names.attempt(self.verdict.pipeline, self.verdict.file)
        begun = list(self.data.list(base))
        ended = [one for one in begun if now - one.created >= LIVING]
        if len(ended) >= allowed:
            return _gave_up(len(ended), info.size)
        number = max((names.parse_number(one.name) for one in begun), default=0) + 1
        create_once(self.data, names.attempt(self.verdict.pipeline, self.verdict.file, number), b"")
        return None


def _gave_up(attempts: int, size: int) -> Finding:
    return file_finding(
        "attempts",
        f"expected a verdict, found that {attempts} attempts to judge these {size:,} bytes ended "
        "without one: probably more than the memory of the function holds; split the file",
    )
