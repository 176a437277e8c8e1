"""The hospital: files that are held back, and the ways out of it.

Files in quarantine were never accepted, or were recalled; suspect ones were accepted, and training
set them aside. The original bytes of the former lie in quarantine, those of the latter in landing.

Every way out is a decision with the next number, create-only, so that of two people who heal the
same file at once the second finds the first one's decision.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from perennial.domain import names
from perennial.domain.names import UNKNOWN_PIPELINE, FileId
from perennial.domain.report import report_name, to_report
from perennial.domain.verdict import HELD, Verdict, VerdictSummary
from perennial.errors import NotFoundError, RefusedError
from perennial.ports import Buckets, Clock, JobLauncher
from perennial.workflows.deciding import Desk
from perennial.workflows.ingest import launch_if_due
from perennial.workflows.judging import judge
from perennial.workflows.registry import Registry
from perennial.workflows.suspects import readmit
from perennial.workflows.verdicts import list_in_force, verdict_in_force, write_verdict


def judge_pending(
    buckets: Buckets, registry: Registry, clock: Clock, pipeline: str, *, by: str = "apply"
) -> list[Verdict]:
    """Judge the files that waited for a pipeline's definition, in the order of their drops."""
    waiting = [f for f in list_in_force(buckets.data, pipeline) if f.decision == "pending"]
    return [judge(buckets, registry, clock, summary.file, by=by) for summary in waiting]


@dataclass(frozen=True, slots=True)
class Case:
    """A file that is held back: the decision in force, and the diagnosis."""

    verdict: Verdict
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hospital:
    """The files of one pipeline that are held back.

    Attributes:
        pipeline: which one, or `_unknown`.
    """

    buckets: Buckets
    registry: Registry
    launcher: JobLauncher
    clock: Clock
    pipeline: str

    def list(self) -> list[VerdictSummary]:
        """The files that are quarantined or suspect now, in the order of their drops."""
        verdicts = list_in_force(self.buckets.data, self.pipeline)
        return [file for file in verdicts if file.decision in HELD]

    def find(self, text: str) -> FileId:
        """The file that a person means.

        Args:
            text: its name in landing, with or without the pipeline, its generation, or the stem
                that names its folder; of several generations of a name, the latest that is held.

        Raises:
            NotFoundError: naming files that are held back.
        """
        held = [summary.file for summary in self.list()]
        for file in reversed(held):
            if file.answers_to(text, self.pipeline):
                return file
        known = ", ".join(file.name for file in held[-5:]) or "none"
        raise NotFoundError(
            f"{self.pipeline} has no {text!r} in quarantine; the latest there: {known}"
        )

    def show(self, file: FileId) -> Case:
        """The decision in force about a file, and its report.

        Raises:
            NotFoundError: when the file has no verdict here.
            RefusedError: unless it is held back.
        """
        verdict = self._held(file)
        if verdict.decision == "suspect":
            original = f"gs://{self.buckets.landing.bucket}/{file.name}#{file.generation}"
            return Case(verdict, json.loads(to_report(verdict, original)))
        report = self.buckets.quarantine.read(report_name(verdict)).data
        return Case(verdict, json.loads(report))

    def download(self, file: FileId, to: BinaryIO) -> None:
        """Write the original bytes of a file that is held back.

        Raises:
            NotFoundError: when the file has no verdict here.
            RefusedError: unless it is held back.
            ObjectNotFound: when the original is gone.
        """
        if self._held(file).decision == "suspect":
            self.buckets.landing.download(file.name, to, generation=file.generation)
        else:
            original = names.quarantined_bytes(self.pipeline, file)
            self.buckets.quarantine.download(original, to)

    def retry(self, file: FileId, *, by: str) -> Verdict:
        """Judge the original bytes again, with the definition in force.

        What was recalled stays so, because it broke no rule: `release` lets it in.

        Returns:
            The new decision: accepted, duplicate, or quarantined with a new report.

        Raises:
            NotFoundError: when the file or its pipeline does not exist.
            RefusedError: when it is not in quarantine any more.
        """
        return self._heal(file, by, "", lambda desk, blank, data: desk.decide(blank, data))

    def release(self, file: FileId, *, by: str, why: str) -> Verdict:
        """Accept the rows that training can use, whatever rules they break; of a suspect file all.

        Returns:
            The new decision; its reason says how many rows are accepted, and how many left out.

        Raises:
            NotFoundError: when the file or its pipeline does not exist.
            RefusedError: when it is not in quarantine any more, or has no such row.
        """
        reason = f"released by {by}: {why}"
        while True:
            held = self._held(file)
            if held.decision == "suspect":
                verdict = self._readmit(held, by, why)
            else:
                verdict = self._heal(
                    file, by, reason, lambda desk, blank, data: desk.release(blank, data)
                )
            if verdict.decision not in HELD:
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
            if verdict.decision not in HELD:
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
        verdict = decide(desk, self._next(held, by, reason), self._original(held))
        return self._learn(verdict)

    def _readmit(self, suspect: Verdict, by: str, why: str) -> Verdict:
        data, now = self.buckets.data, self.clock.now()
        return self._learn(readmit(data, suspect, by=by, why=why, decided=now))

    def _learn(self, verdict: Verdict) -> Verdict:
        """Start a run if the decision leads to one."""
        if verdict.decision == "accepted":
            launch_if_due(
                self.buckets, self.registry, self.launcher, self.clock, self.pipeline, verdict
            )
        return verdict

    def _original(self, held: Verdict) -> bytes:
        if held.decision == "suspect":
            landing, file = self.buckets.landing, held.file
            return landing.read(file.name, generation=file.generation).data
        original = names.quarantined_bytes(self.pipeline, held.file)
        return self.buckets.quarantine.read(original).data

    def _held(self, file: FileId) -> Verdict:
        verdict = verdict_in_force(self.buckets.data, self.pipeline, file)
        if verdict is None:
            raise NotFoundError(f"{self.pipeline} has no verdict on {file.name}")
        if verdict.decision not in HELD:
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
            rows_object=held.rows_object,
            findings=held.findings,
        )
