"""The hospital: files that are held back, and the ways out of it.

Every way out is a decision with the next number, create-only, so that of two people who heal the
same file at once the second finds the first one's decision.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from perennial.domain import names
from perennial.domain.names import UNKNOWN_PIPELINE, FileId
from perennial.domain.report import report_name
from perennial.domain.verdict import Verdict, VerdictSummary
from perennial.errors import NotFoundError, RefusedError
from perennial.ports import Buckets, Clock, JobLauncher
from perennial.workflows.deciding import Desk
from perennial.workflows.ingest import launch_if_due
from perennial.workflows.judging import judge
from perennial.workflows.registry import Registry
from perennial.workflows.verdicts import list_in_force, verdict_in_force, write_verdict


def judge_pending(
    buckets: Buckets, registry: Registry, clock: Clock, pipeline: str, *, by: str = "apply"
) -> list[Verdict]:
    """Judge the files that waited for a pipeline's definition, in the order of their drops."""
    waiting = [f for f in list_in_force(buckets.data, pipeline) if f.decision == "pending"]
    return [judge(buckets, registry, clock, summary.file, by=by) for summary in waiting]


@dataclass(frozen=True, slots=True)
class Case:
    """A quarantined file: the decision in force and the diagnosis that lies beside its bytes."""

    verdict: Verdict
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hospital:
    """The quarantine of one pipeline.

    Attributes:
        pipeline: which one, or `_unknown`.
    """

    buckets: Buckets
    registry: Registry
    launcher: JobLauncher
    clock: Clock
    pipeline: str

    def list(self) -> list[VerdictSummary]:
        """The files that are in quarantine now, in the order of their drops."""
        verdicts = list_in_force(self.buckets.data, self.pipeline)
        return [file for file in verdicts if file.decision == "quarantined"]

    def find(self, text: str) -> FileId:
        """The file that a person means.

        Args:
            text: its name in landing, with or without the pipeline, its generation, or the stem
                that names its folder; of several generations of a name, the latest in quarantine.

        Raises:
            NotFoundError: naming files that are in quarantine.
        """
        held = [summary.file for summary in self.list()]
        for file in reversed(held):
            short = file.name.removeprefix(f"{self.pipeline}/")
            if text in (file.name, short, str(file.generation), file.stem):
                return file
        known = ", ".join(file.name for file in held[-5:]) or "none"
        raise NotFoundError(
            f"{self.pipeline} has no {text!r} in quarantine; the latest there: {known}"
        )

    def show(self, file: FileId) -> Case:
        """The decision in force about a file, and its report.

        Raises:
            NotFoundError: when the file has no verdict here.
            RefusedError: unless it is in quarantine.
        """
        verdict = self._held(file)
        report = self.buckets.quarantine.read(report_name(verdict)).data
        return Case(verdict, json.loads(report))

    def retry(self, file: FileId, *, by: str) -> Verdict:
        """Judge the original bytes again, with the definition in force.

        Returns:
            The new decision: accepted, duplicate, or quarantined with a new report.

        Raises:
            NotFoundError: when the file or its pipeline does not exist.
            RefusedError: when it is not in quarantine any more.
        """
        return self._heal(file, by, "", lambda desk, blank, data: desk.decide(blank, data))

    def release(self, file: FileId, *, by: str, why: str) -> Verdict:
        """Accept the rows that training can use, whatever rules they break.

        Returns:
            The new decision; its reason says how many rows are accepted, and how many left out.

        Raises:
            NotFoundError: when the file or its pipeline does not exist.
            RefusedError: when it is not in quarantine any more, or has no such row.
        """
        reason = f"released by {by}: {why}"
        while True:
            verdict = self._heal(
                file, by, reason, lambda desk, blank, data: desk.release(blank, data)
            )
            if verdict.decision != "quarantined":
                return verdict
            # Somebody judged it again meanwhile, to the same end: that does not answer this wish.

    def discard(self, file: FileId, *, by: str, why: str) -> Verdict:
        """Hide a file for good; the bucket's lifecycle deletes its bytes in the end.

        Raises:
            NotFoundError: when the file has no verdict here.
            RefusedError: when it is not in quarantine any more.
        """
        while True:
            blank = self._next(self._held(file), by, f"by {by}: {why}")
            verdict = write_verdict(self.buckets.data, replace(blank, decision="discarded"))
            if verdict.decision != "quarantined":
                return verdict

    def _heal(
        self, file: FileId, by: str, reason: str, decide: Callable[[Desk, Verdict, bytes], Verdict]
    ) -> Verdict:
        if self.pipeline == UNKNOWN_PIPELINE:
            raise RefusedError(
                f"{file.name} belongs to no pipeline: drop it again under an existing one, "
                "and discard this one"
            )
        held = self._held(file)
        head = self.registry.require(self.pipeline)
        desk = Desk(self.buckets, self.registry.definition(head), head.definition)
        original = names.quarantined_bytes(self.pipeline, file)
        data = self.buckets.quarantine.read(original).data
        verdict = decide(desk, self._next(held, by, reason), data)
        if verdict.decision == "accepted":
            launch_if_due(
                self.buckets, self.registry, self.launcher, self.clock, self.pipeline, verdict
            )
        return verdict

    def _held(self, file: FileId) -> Verdict:
        verdict = verdict_in_force(self.buckets.data, self.pipeline, file)
        if verdict is None:
            raise NotFoundError(f"{self.pipeline} has no verdict on {file.name}")
        if verdict.decision != "quarantined":
            raise RefusedError(
                f"{file.name} is not in quarantine: it is {verdict.decision} "
                f"(decision {verdict.number} by {verdict.decided_by})"
            )
        return verdict

    def _next(self, held: Verdict, by: str, reason: str) -> Verdict:
        return Verdict(
            pipeline=self.pipeline,
            file=held.file,
            decision="pending",
            decided=self.clock.now(),
            number=held.number + 1,
            decided_by=by,
            reason=reason,
            definition=held.definition,
            sha256=held.sha256,
            size=held.size,
            findings=held.findings,
        )
