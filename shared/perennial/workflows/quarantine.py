"""The hospital: files that are held back, and the ways out of it.

Files in quarantine were never accepted, or were recalled; suspect ones were accepted, and training
set them aside. Of a file that was accepted without a few bad rows only these lie here.

Every way out is a decision with the next number, create-only, so that of two people who heal the
same file at once the second finds the first one's decision.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from perennial.domain.judging.excerpts import Excerpt, excerpts
from perennial.domain.judging.report import report_name, to_report
from perennial.domain.judging.validation import Judgement
from perennial.domain.names import UNKNOWN_PIPELINE, FileId
from perennial.domain.verdict import (
    HELD,
    LISTED_RULES,
    ROWS,
    STATES,
    Verdict,
    VerdictSummary,
    lying_there,
)
from perennial.errors import NotFoundError, ObjectNotFound, RefusedError
from perennial.ports import Buckets, Clock, JobLauncher
from perennial.workflows.bad_rows import discard_bad_rows, report_of
from perennial.workflows.batch.queue import launch_scoring
from perennial.workflows.deciding import Desk
from perennial.workflows.ingest import launch_if_due
from perennial.workflows.judging import judge
from perennial.workflows.originals import decided_bytes, download_original
from perennial.workflows.registry import Registry
from perennial.workflows.suspects import readmit
from perennial.workflows.verdicts import (
    list_in_force,
    read_verdict,
    verdict_in_force,
    write_verdict,
)


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
        """The files of which something lies here now, in the order of their drops.

        They are quarantined or suspect, or accepted without some of their rows (state `rows`).
        """
        return lying_there(list_in_force(self.buckets.data, self.pipeline))

    def with_rules(self, held: VerdictSummary) -> VerdictSummary:
        """The same file with every rule that it breaks.

        A listing names the first few; verdicts of versions before it did have to be read.
        """
        if 0 < len(held.rules) < LISTED_RULES:
            return held
        verdict = read_verdict(self.buckets.data, self.pipeline, held)
        return replace(held, rules=tuple(verdict.broken))

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
        verdict = self._lying(file)
        if verdict.state == ROWS:
            return Case(verdict, json.loads(report_of(self.buckets, verdict)))
        original = f"gs://{self.buckets.landing.bucket}/{file.name}#{file.generation}"
        if verdict.decision == "suspect":
            return Case(verdict, json.loads(to_report(verdict, original)))
        try:
            report = self.buckets.quarantine.read(report_name(verdict)).data
        except ObjectNotFound:  # the bucket's lifecycle; the verdict says the same
            report = to_report(verdict, original)
        return Case(verdict, json.loads(report))

    def excerpts(self, file: FileId, at_most: int | None = None) -> Sequence[Excerpt]:
        """The rows that its findings name, as they stand; none where its bytes are gone.

        Args:
            file: which.
            at_most: of a file with more bytes, stored or once unpacked, none either.

        Raises:
            NotFoundError: when the file has no verdict here.
            RefusedError: unless something of it lies here.
        """
        held = self._lying(file)
        if not held.definition or not any(finding.rows for finding in held.findings):
            return []
        if at_most is not None and held.size > at_most:
            return []
        judged = replace(self.registry.require(self.pipeline), definition=held.definition)
        try:
            data = decided_bytes(self.buckets, held)
        except ObjectNotFound:
            return []
        files = self.registry.definition(judged).files
        if at_most is not None:
            files = files.model_copy(update={"max_bytes": min(files.max_bytes, at_most)})
        return excerpts(files, file.name, data, held.findings)

    def download(self, file: FileId, to: BinaryIO) -> None:
        """Write the original bytes of a file that is held back.

        Raises:
            NotFoundError: when the file has no verdict here.
            RefusedError: unless it is held back.
            ObjectNotFound: when the original is gone.
        """
        self._lying(file)
        download_original(self.buckets, self.pipeline, file, to)

    def download_bad_rows(self, file: FileId, to: BinaryIO) -> None:
        """Write the rows that were left out of an accepted file, as CSV; see `bad_rows.in_csv`.

        Raises:
            NotFoundError: when the file has no verdict here.
            RefusedError: unless it was accepted without some of its rows.
            ObjectNotFound: when they are gone.
        """
        verdict = self._lying(file)
        if verdict.state != ROWS:
            raise RefusedError(f"{file.name} is {verdict.decision} as a whole: it has no bad rows")
        self.buckets.quarantine.download(verdict.bad_rows_object, to)

    def retry(self, file: FileId, *, by: str, why: str = "") -> Verdict:
        """Judge the original bytes again, with the definition in force.

        What was recalled stays so, because it broke no rule: `release` lets it in.

        Args:
            file: which.
            by: who says so.
            why: their reason, if they gave one; of a file that breaks a rule still, what is found
                is the decision's reason.

        Returns:
            The new decision: accepted, duplicate, or quarantined with a new report.

        Raises:
            NotFoundError: when the file or its pipeline does not exist.
            RefusedError: when it is not in quarantine any more.
        """
        reason = f"judged again by {by}: {why}" if why else ""
        return self._heal(file, by, reason, lambda desk, blank, data: desk.decide(blank, data))

    def foresee(self, file: FileId) -> Judgement:
        """What `retry` would find, without deciding anything.

        Raises:
            NotFoundError: when the file or its pipeline does not exist.
            RefusedError: when it is not in quarantine any more.
        """
        self.require_pipeline(file)
        held, desk = self.held(file), self.desk()
        return desk.judge(file, decided_bytes(self.buckets, held), desk.covered(held))

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
            held = self.held(file)
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

        Of an accepted file, only the rows that were left out of it are hidden.

        Raises:
            NotFoundError: when the file has no verdict here.
            RefusedError: when it is not in quarantine any more.
        """
        while (verdict := self._lying(file)).state == ROWS:
            now = self.clock.now()
            done = discard_bad_rows(self.buckets.data, verdict, by=by, why=why, decided=now)
            if done.state != ROWS:
                return done
        while True:
            blank = self.next(self.held(file), by, f"by {by}: {why}")
            verdict = write_verdict(self.buckets.data, replace(blank, decision="discarded"))
            if verdict.decision not in HELD:
                return verdict

    def _heal(
        self, file: FileId, by: str, reason: str, decide: Callable[[Desk, Verdict, bytes], Verdict]
    ) -> Verdict:
        self.require_pipeline(file)
        held, desk = self.held(file), self.desk()
        blank = replace(self.next(held, by, reason), covered=desk.covered(held))
        return self.learn(decide(desk, blank, decided_bytes(self.buckets, held)))

    def desk(self) -> Desk:
        """Where files are decided about now.

        Raises:
            NotFoundError: when the pipeline does not exist.
        """
        return Desk.of(self.buckets, self.registry, self.registry.require(self.pipeline))

    def require_pipeline(self, file: FileId) -> None:
        """Refuse to heal what belongs to no pipeline.

        Raises:
            RefusedError: unless this is one.
        """
        if self.pipeline == UNKNOWN_PIPELINE:
            raise RefusedError(
                f"{file.name} belongs to no pipeline: drop it again under an existing one, "
                "and discard this one"
            )

    def _readmit(self, suspect: Verdict, by: str, why: str) -> Verdict:
        data, now = self.buckets.data, self.clock.now()
        return self.learn(readmit(data, suspect, by=by, why=why, decided=now))

    def learn(self, verdict: Verdict) -> Verdict:
        """Start a run, or scoring, if the decision leads to one."""
        if verdict.decision == "accepted":
            launch_if_due(
                self.buckets, self.registry, self.launcher, self.clock, self.pipeline, verdict
            )
        if verdict.decision == "to_score":
            launch_scoring(
                self.buckets.data, self.registry, self.launcher, self.clock, self.pipeline
            )
        return verdict

    def held(self, file: FileId) -> Verdict:
        """The decision in force about a file that is held back.

        Raises:
            NotFoundError: when the file has no verdict here.
            RefusedError: unless it is held back.
        """
        verdict = self._lying(file)
        if verdict.state == ROWS:
            raise RefusedError(
                f"{file.name} is accepted: correct its bad rows (`perennial quarantine show "
                f"{self.pipeline} {file.generation} --bad-rows FILE` writes them) and drop them as "
                "a file of their own"
            )
        return verdict

    def _lying(self, file: FileId) -> Verdict:
        """The decision in force about a file of which something lies here."""
        verdict = verdict_in_force(self.buckets.data, self.pipeline, file)
        if verdict is None:
            raise NotFoundError(f"{self.pipeline} has no verdict on {file.name}")
        if verdict.state not in STATES:
            raise RefusedError(
                f"{file.name} is not in quarantine: it is {verdict.decision} "
                f"(decision {verdict.number} by {verdict.decided_by})"
            )
        return verdict

    def next(self, held: Verdict, by: str, reason: str) -> Verdict:
        """The decision that follows, before it is made."""
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
            parent=held.parent,
            repair=held.repair,
            findings=held.findings,
            covered=held.covered,
        )
