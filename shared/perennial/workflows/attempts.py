"""How often judging a file was begun, and how often it failed unexpectedly.

A process that runs out of memory leaves no other trace: whoever is about to read a file that could
be too much for its process notes so first. Where as many attempts as its definition allows ended
without a verdict, the file is quarantined unread. A mistake of ours leaves its traceback; after as
many the file is quarantined with it, because the next attempt would make it again.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from datetime import datetime, timedelta

from perennial.domain import names
from perennial.domain.judging.findings import file_finding
from perennial.domain.verdict import Finding, Verdict
from perennial.domain.words import counted
from perennial.ports import ObjectInfo, ObjectStore
from perennial.workflows.chains import last_number
from perennial.workflows.writing import create_once

SMALL = 8 * 2**20
"""Up to so many bytes no file is too much; of packed ones, up to `SMALL_PACKED`."""

SMALL_PACKED = 64 * 2**10

LIVING = timedelta(minutes=10)
"""An attempt that began less long ago may go on: ingest's timeout (deployment.yaml) is shorter."""

_LONGEST_TRACE = 20_000
"""Characters; what is left out is its middle."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """The attempts at judging one file, each an object of a create-only chain."""

    data: ObjectStore
    verdict: Verdict

    def begin(
        self, info: ObjectInfo, allowed: int, now: datetime, *, always: bool = False
    ) -> Finding | None:
        """Note another attempt, or say that there were enough.

        Args:
            info: the file in landing.
            allowed: how many may end without a verdict.
            now: the time (UTC).
            always: note it however small the file is.

        Returns:
            The finding for a file that must not be read again.
        """
        packed = info.name.lower().endswith((".gz", ".parquet"))
        if not always and info.size <= (SMALL_PACKED if packed else SMALL):
            return None
        base = names.attempt(self.verdict.pipeline, self.verdict.file)
        begun = list(self.data.list(base))
        ended = [one for one in begun if now - one.created >= LIVING]
        if len(ended) >= allowed:
            return _gave_up(len(ended), info.size)
        number = max((names.parse_number(one.name) for one in begun), default=0) + 1
        create_once(self.data, names.attempt(self.verdict.pipeline, self.verdict.file, number), b"")
        return None

    def failed(self, error: BaseException, allowed: int) -> tuple[Finding, str] | None:
        """Note a mistake of ours, or say that there were enough.

        Args:
            error: what was raised.
            allowed: how many there may be.

        Returns:
            The finding for a file that must not be read again, and the traceback.
        """
        trace = _trace(error)
        base = names.failure(self.verdict.pipeline, self.verdict.file)
        number = last_number(self.data, base) + 1
        # Of two handlers that fail at once one writes the note: together they are one attempt.
        name = names.failure(self.verdict.pipeline, self.verdict.file, number)
        create_once(self.data, name, trace.encode("utf-8", "replace"))
        if number < allowed:
            return None
        return _failed(number, error), trace


def begun(data: ObjectStore, pipeline: str) -> frozenset[str]:
    """Stems of the files of which an attempt was noted that may have ended without a verdict."""
    prefix = names.attempts(pipeline)
    return frozenset(info.name.removeprefix(prefix).partition(".")[0] for info in data.list(prefix))


def _gave_up(attempts: int, size: int) -> Finding:
    return file_finding(
        "attempts",
        f"expected a verdict, found that {attempts} attempts to judge these {size:,} bytes ended "
        "without one: probably more than the memory of the function holds; split the file",
    )


def _failed(attempts: int, error: BaseException) -> Finding:
    return file_finding(
        "internal_error",
        f"expected a verdict, found a mistake of Perennial's own in {counted(attempts, 'attempt')}"
        f" to reach one: {type(error).__name__}: {str(error)[:300]}; the report has its traceback, "
        "and a retry judges the file again once the mistake is mended",
    )


def _trace(error: BaseException) -> str:
    text = "".join(traceback.format_exception(error))
    if len(text) <= _LONGEST_TRACE:
        return text
    half = _LONGEST_TRACE // 2
    return f"{text[:half]}\n…\n{text[-half:]}"
