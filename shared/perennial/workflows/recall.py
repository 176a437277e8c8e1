"""Recall: from a file to the versions that learned from it, back to the last clean champion.

First the file's next decision, then one commit, then a run. The decision comes first because what
is listed after it no longer holds the file; the commit counts recalls, so that what was listed
before it is never promoted after it. Done again, each of the three finds what is there already, so
a recall that was cut short anywhere is completed by the same command.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import takewhile

from perennial.domain import names
from perennial.domain.names import FileId
from perennial.domain.verdict import Finding, Verdict
from perennial.domain.versioning import recalling
from perennial.domain.versioning.recalling import RULE, recalled, servable
from perennial.domain.versioning.registry import Head, Pin
from perennial.errors import NotFoundError, ObjectNotFound, RefusedError
from perennial.ports import Buckets, Clock, JobLauncher
from perennial.workflows.deciding import quarantine
from perennial.workflows.lineages import Learners
from perennial.workflows.queue import is_at_work, work_is_due
from perennial.workflows.registry import Registry
from perennial.workflows.relaunching import launch_once
from perennial.workflows.runs import read_considered
from perennial.workflows.verdicts import list_in_force, verdict_in_force, write_verdict

SKEW = timedelta(hours=1)
"""How far clocks of different machines may lie apart: a history is not searched beyond that."""


class _Done(Exception):
    """The commit that was to be made is in the history."""


@dataclass(frozen=True, slots=True)
class Recall:
    """What a recall did, or would do.

    Attributes:
        verdict: the decision in force about the file: by which it is in quarantine, afterwards.
        versions: the rows of the file that each version learned which serves no more.
        before: the champion that the recall found.
        champion: the version that serves after it.
        unpinned: the pin that it lifts.
        run: the execution that it started.
        at_work: the run at work, which starts over without the file.
        already: whether the file and its versions had been recalled before.
    """

    verdict: Verdict
    versions: dict[str, int] = field(default_factory=dict)
    before: str | None = None
    champion: str | None = None
    unpinned: Pin | None = None
    run: str | None = None
    at_work: str | None = None
    already: bool = False


@dataclass(frozen=True, slots=True)
class Recaller:
    """Recalls files of one pipeline.

    Attributes:
        pipeline: which one.
        without_champion: whether nothing may serve where no earlier champion is clean.
    """

    buckets: Buckets
    registry: Registry
    launcher: JobLauncher
    clock: Clock
    pipeline: str
    without_champion: bool = False

    def find(self, text: str) -> FileId:
        """The file that a person means, of those that were accepted.

        Args:
            text: its name in landing, with or without the pipeline, its generation, or its stem; of
                several generations of a name, the latest that ever was accepted. It stays the same
                once it is recalled, so that the same words do the same again.

        Raises:
            NotFoundError: when there is none, naming accepted ones.
            RefusedError: when it was never accepted, with its state.
        """
        files = list_in_force(self.buckets.data, self.pipeline)
        meant = [file for file in files if file.file.answers_to(text, self.pipeline)]
        if not meant:
            last = [file.file.name for file in files if file.decision == "accepted"][-5:]
            raise NotFoundError(
                f"{self.pipeline} has no file {text!r}; accepted last: {', '.join(last) or 'none'}"
            )
        learnable = [file for file in meant if file.rows_object]
        if not learnable:
            state = meant[-1]
            raise RefusedError(
                f"{state.file.name} was never accepted, so nothing learned from it: it is "
                f"{state.decision} ({state.reason})"
            )
        return learnable[-1].file

    def plan(self, text: str) -> Recall:
        """What a recall would do; nothing is written.

        Raises:
            NotFoundError: when pipeline or file does not exist.
            RefusedError: when it was never accepted.
        """
        head = self.registry.require(self.pipeline)
        verdict = self._verdict(self.find(text))
        learners = Learners(self.registry, self.pipeline, verdict.file.stem)
        if self._committed(verdict):
            return self._told(verdict, head, head, learners)
        after = self._transition(head, verdict, learners, without_champion=True)
        return self._told(verdict, head, after, learners)

    def recall(self, text: str, *, by: str, why: str) -> Recall:
        """Take a file back, and every version that learned from it.

        Args:
            text: the file, as a person names it.
            by: who does it.
            why: the reason.

        Raises:
            NotFoundError: when pipeline or file does not exist.
            RefusedError: when it was never accepted, or nothing clean could serve.
            LaunchError: when the run could not be started; the sweep will.
        """
        head = self.registry.require(self.pipeline)
        verdict = self._verdict(self.find(text))
        learners = Learners(self.registry, self.pipeline, verdict.file.stem)
        if not self._committed(verdict):  # refuse before anything is written
            self._transition(head, verdict, learners, without_champion=self.without_champion)
        verdict = self._take_back(verdict, by=by, why=why)
        return self._retrain(self._commit(verdict, learners, by=by, why=why))

    def _verdict(self, file: FileId) -> Verdict:
        found = verdict_in_force(self.buckets.data, self.pipeline, file)
        if found is None:
            raise NotFoundError(f"{self.pipeline} has no verdict on {file.name}")
        return found

    def _take_back(self, verdict: Verdict, *, by: str, why: str) -> Verdict:
        """Make the decision that holds the file back, unless it is in force."""
        finding = Finding(RULE, "reject", f"recalled by {by}: {why}")
        while not recalled(verdict):
            blank = Verdict(
                pipeline=self.pipeline,
                file=verdict.file,
                decision="pending",
                decided=self.clock.now(),
                number=verdict.number + 1,
                decided_by=by,
                definition=verdict.definition,
                sha256=verdict.sha256,
                size=verdict.size,
                rows_object=verdict.rows_object,
                parent=verdict.parent,
                repair=verdict.repair,
            )
            verdict = self._hold(blank, finding)
        return verdict

    def _hold(self, blank: Verdict, finding: Finding) -> Verdict:
        """Put the file into quarantine; where its original is gone, discard it."""
        file = blank.file
        try:
            self.buckets.landing.stat(file.name, generation=file.generation)
        except ObjectNotFound:
            reason = f"{finding.message} (its original is gone from landing)"
            gone = replace(blank, decision="discarded", reason=reason, findings=(finding,))
            return write_verdict(self.buckets.data, gone)
        return quarantine(self.buckets, blank, [finding])

    def _commit(self, verdict: Verdict, learners: Learners, *, by: str, why: str) -> Recall:
        """Take the versions back, in one commit that tells of pin and file, whoever else does."""
        before = Head(self.pipeline)

        def change(head: Head) -> Head:
            nonlocal before
            before = head
            if self._committed(verdict):
                raise _Done
            return self._transition(head, verdict, learners, without_champion=self.without_champion)

        def told(after: Head) -> str:
            lifted = _lifted(before, after)
            pin = f"; lifts the pin by {lifted.by} ({lifted.why})" if lifted else ""
            return f"{verdict.file.name}: {why}{pin}"

        try:
            after = self.registry.commit(
                self.pipeline,
                change,
                action="recall",
                by=by,
                why=told,
                version=lambda after: after.champion,
                decision=_decision(self._first(verdict)),
            )
        except _Done:
            # Read anew: the commit may have come between the look at the head and that at history.
            before = after = self.registry.require(self.pipeline)
        return self._told(verdict, before, after, learners)

    def _transition(
        self,
        head: Head,
        verdict: Verdict,
        learners: Learners,
        *,
        without_champion: bool,
    ) -> Head:
        tainted = learners.among(servable(head))
        return recalling.recall(
            head,
            tainted,
            relearn=self._must_relearn(head, verdict.file.stem, tainted, learners),
            without_champion=without_champion,
        )

    def _must_relearn(
        self, head: Head, stem: str, tainted: dict[str, int], learners: Learners
    ) -> bool:
        """Whether runs have dealt with other files in the company of this one.

        Not where none has dealt with it yet, and not where a clean champion has passed it by.
        """
        if head.champion in tainted or any(version in tainted for version in head.waiting):
            return True
        considered = read_considered(self.buckets.data, self.pipeline, head.last_run)
        return stem in considered and not learners.knows(head.champion)

    def _committed(self, verdict: Verdict) -> bool:
        """Whether the commit that follows from a recall's decision is in the history."""
        if not recalled(verdict):
            return False
        first = self._first(verdict)
        since = takewhile(
            lambda entry: entry.at >= first.decided - SKEW, self.registry.history(self.pipeline)
        )
        return any(entry.decision == _decision(first) for entry in since)

    def _first(self, verdict: Verdict) -> Verdict:
        """The decision by which a file was recalled; later ones may have left it so."""
        while verdict.number > 1:
            name = names.verdict(self.pipeline, verdict.file, verdict.number - 1)
            earlier = Verdict.from_json(self.buckets.data.read(name).data)
            if not recalled(earlier):
                break
            verdict = earlier
        return verdict

    def _told(self, verdict: Verdict, before: Head, after: Head, learners: Learners) -> Recall:
        taken_back = [v for v, status in after.statuses.items() if status == "recalled"]
        return Recall(
            verdict=verdict,
            versions=learners.among(taken_back),
            before=before.champion,
            champion=after.champion,
            unpinned=_lifted(before, after),
            already=before.recalls == after.recalls,
        )

    def _retrain(self, done: Recall) -> Recall:
        """Start a run if one is due; one at work notices the recall by itself."""
        head = self.registry.require(self.pipeline)
        if head.claim and is_at_work(head, self.launcher, self.clock):
            return replace(done, at_work=head.claim.run)
        if not work_is_due(self.buckets.data, self.registry, self.pipeline):
            return done
        return replace(done, run=launch_once(self.buckets.data, self.launcher, head))


def _decision(verdict: Verdict) -> str:
    return f"{verdict.file.stem}.{verdict.number}"


def _lifted(before: Head, after: Head) -> Pin | None:
    return before.pin if after.pin is None else None
