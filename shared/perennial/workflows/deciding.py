"""Deciding about a file once its bytes are at hand: own the content, then accept or quarantine.

Every write is create-only and means the same when it is done again, in this order: content owner,
then rows and what is left out of them, or the quarantined bytes, each with a report, and last the
verdict, which is what counts. So a crash anywhere leaves nothing that the next attempt does not
complete.

A decision begins as a `Verdict` that holds what is known before it is made (file, number, time,
maker) and ends as the verdict that stands under that number, perhaps another handler's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from perennial.domain import names
from perennial.domain.definitions.definition import Definition
from perennial.domain.judging.key_set import key_set
from perennial.domain.judging.lateness import covered_before, covered_still
from perennial.domain.judging.reference import NO_HISTORY, Reference
from perennial.domain.judging.report import report_name, to_report
from perennial.domain.judging.unlabelled import is_to_be_scored, judge_unlabelled, without_label
from perennial.domain.judging.validation import Judgement, judge_bytes, to_parquet
from perennial.domain.names import FileId
from perennial.domain.verdict import Finding, Verdict
from perennial.domain.versioning.recalling import RULE, recalled
from perennial.domain.versioning.registry import Head, Watermark
from perennial.domain.words import counted
from perennial.errors import InvariantBroken, ObjectNotFound, PreconditionFailed, RefusedError
from perennial.ports import Buckets
from perennial.workflows.bad_rows import keep_bad_rows
from perennial.workflows.ownership import Owner, own
from perennial.workflows.references import read_reference
from perennial.workflows.registry import Registry
from perennial.workflows.verdicts import write_verdict
from perennial.workflows.writing import create_once

SUCCESSION = "succession"
"""Who decides about a file whose handler left that open, because another has the same content."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where files of one pipeline are decided about, under one definition.

    Attributes:
        buckets: the four buckets.
        definition: the rules.
        digest: the definition's, for the record.
        reference: what accepted files were like.
        watermark: how far the accepted files reach.
    """

    buckets: Buckets
    definition: Definition
    digest: str
    reference: Reference = NO_HISTORY
    watermark: Watermark | None = None

    @classmethod
    def of(cls, buckets: Buckets, registry: Registry, head: Head) -> Self:
        """The desk under what a head names."""
        return cls(
            buckets,
            registry.definition(head),
            head.definition,
            read_reference(buckets.data, head),
            head.watermark,
        )

    def covered(self, judged: Verdict | None) -> datetime | None:
        """Through when accepted files reached when a file that is judged again came (UTC).

        Args:
            judged: an earlier decision about it; None where there is none.
        """
        return None if judged is None else covered_still(self.watermark, judged.covered)

    def decide(self, blank: Verdict, data: bytes) -> Verdict:
        """Accept a file, or put it into quarantine; a duplicate if its bytes were accepted.

        One that lies where files are scored is taken to be scored instead, whatever came before.
        """
        blank = self.signed(blank, data)
        return self._known(blank, data) or self._conclude(blank, data)

    def repair(self, blank: Verdict, data: bytes, judgement: Judgement) -> Verdict:
        """Accept a file by bytes that were made of its own; the decision names their parent.

        Args:
            blank: the decision to make.
            data: the bytes.
            judgement: what this desk says of them; they are accepted.

        Raises:
            RefusedError: when these bytes were recalled.
        """
        blank = self.signed(blank, data)
        return self._known(blank, data, repaired=True) or self._accept(blank, judgement)

    def release(self, blank: Verdict, data: bytes) -> Verdict:
        """Accept what training can use of a file, whatever rules it breaks.

        Raises:
            RefusedError: when that is nothing.
        """
        blank = replace(self.signed(blank, data), cleared=True)
        judgement = self._usable(blank, data)
        left_out = judgement.rows - _usable_rows(judgement)
        if left_out == judgement.rows:
            raise RefusedError(
                f"{blank.file.name} has no row that training could use: {_reason(judgement)}"
            )
        if left_out and is_to_be_scored(blank.file.name):
            raise RefusedError(
                f"{counted(left_out, 'row')} of {blank.file.name} cannot be scored, and a release "
                "would leave them out unseen: repair them, or drop a file without them"
            )
        return self._known(blank, data) or self._let_in(blank, judgement)

    def _usable(self, blank: Verdict, data: bytes) -> Judgement:
        """A file with every row that training can use, and not only those that obey the rules."""
        lenient = replace(self, definition=self.definition.bearing(0.0))
        return lenient.judge(blank.file, data, blank.covered)

    def _let_in(self, blank: Verdict, judgement: Judgement) -> Verdict:
        """Accept what a person releases."""
        rows = _usable_rows(judgement)
        left_out = judgement.rows - rows
        told = f"{counted(rows, 'row')} accepted, {left_out or 'none'} left out"
        return self._accept(replace(blank, reason=f"{blank.reason} ({told})"), judgement)

    def signed(self, blank: Verdict, data: bytes) -> Verdict:
        """A decision to make, with the definition and the bytes that it is about."""
        sha256 = hashlib.sha256(data).hexdigest()
        return replace(blank, definition=self.digest, sha256=sha256, size=len(data))

    def _known(self, blank: Verdict, data: bytes, *, repaired: bool = False) -> Verdict | None:
        """Own the content, or decide by what is known of the file that has it already.

        What is only scored owns nothing: its rows may come again, labelled or to be scored anew.
        """
        if is_to_be_scored(blank.file.name):
            return None

        def settle(owner: Owner) -> None:
            file, number = owner.file, owner.decision
            other = replace(
                blank,
                file=file,
                number=number,
                decided_by=owner.by or SUCCESSION,
                reason=owner.reason,
                parent=owner.parent,
                repair=owner.repair,
                covered=covered_before(self.watermark, file),
                cleared=owner.cleared,
            )
            if owner.cleared and _usable_rows(judgement := self._usable(other, data)):
                self._let_in(other, judgement)
            else:
                self._conclude(other, data)

        wish = Owner.of(blank)
        first = own(self.buckets.data, blank.pipeline, blank.sha256, wish, settle)
        if first is None:
            return None
        if recall := recalled(first):
            if repaired:
                raise RefusedError(_again(blank, first, recall).message)
            return quarantine(self.buckets, blank, [_again(blank, first, recall)], data)
        verdict = replace(blank, decision="duplicate", reason=_same_as(first, blank.sha256))
        return write_verdict(self.buckets.data, verdict)

    def _conclude(self, blank: Verdict, data: bytes) -> Verdict:
        judgement = self.judge(blank.file, data, blank.covered)
        if judgement.accepted:
            return self._accept(blank, judgement)
        return quarantine(self.buckets, blank, judgement.findings, data)

    def judge(self, file: FileId, data: bytes, covered: datetime | None) -> Judgement:
        """What the definition says of a file; nothing is decided.

        Args:
            file: which.
            data: its bytes.
            covered: through when accepted files reach that came before it (UTC).
        """
        if is_to_be_scored(file.name):
            return judge_unlabelled(
                self.definition, file.name, data, arrived=file.arrived, reference=self.reference
            )
        return judge_bytes(
            self.definition,
            file.name,
            data,
            arrived=file.arrived,
            covered=covered,
            reference=self.reference,
        )

    def _accept(self, blank: Verdict, judgement: Judgement) -> Verdict:
        """Store the rows, then accept them. The content is owned by this very decision."""
        if judgement.frame is None:
            raise InvariantBroken(f"{blank.file.name} was accepted without any rows")
        parquet = to_parquet(judgement.frame)
        taken = replace(
            blank,
            rows=judgement.frame.height,
            first_event=judgement.first_event,
            last_event=judgement.last_event,
            findings=judgement.findings,
            statistics=judgement.statistics,
        )
        if is_to_be_scored(blank.file.name):  # rows that nobody learns
            shape = without_label(self.definition).schema_digest
            rows = names.unlabelled_rows(blank.pipeline, blank.sha256, shape)
            create_once(self.buckets.data, rows, parquet)
            return write_verdict(
                self.buckets.data,
                replace(taken, decision="to_score", rows=judgement.rows, rows_object=rows),
            )
        shape = self.definition.schema_digest
        if judgement.frame.height < judgement.rows:  # a part of them: say which
            shape += f"-{hashlib.sha256(parquet).hexdigest()[:16]}"
        rows = names.rows(blank.pipeline, blank.sha256, shape)
        create_once(self.buckets.data, rows, parquet)
        supersedes = self.definition.files.redelivery == "supersede"
        keys = key_set(self.definition, judgement.frame) if supersedes else ""
        verdict = replace(taken, decision="accepted", rows_object=rows, keys=keys)
        if judgement.set_aside:
            verdict = keep_bad_rows(self.buckets, verdict, judgement)
        return write_verdict(self.buckets.data, verdict)


def quarantine(
    buckets: Buckets,
    blank: Verdict,
    findings: Sequence[Finding],
    data: bytes | None = None,
    *,
    traceback: str = "",
) -> Verdict:
    """Keep a file's original bytes and their diagnosis, then decide.

    Args:
        buckets: the four buckets.
        blank: the decision to make.
        findings: what is wrong with the file.
        data: its bytes, where they were read.
        traceback: of the mistake of ours that kept it from being judged.
    """
    verdict = replace(
        blank,
        decision="quarantined",
        reason=_reason(Judgement(tuple(findings))),
        findings=tuple(findings),
    )
    original = names.quarantined_bytes(verdict.pipeline, verdict.file)
    if not _keep_original(buckets, verdict.file, original, data):
        return vanished(buckets, blank)
    report = to_report(verdict, f"gs://{buckets.quarantine.bucket}/{original}", traceback=traceback)
    create_once(buckets.quarantine, report_name(verdict), report, content_type="application/json")
    return write_verdict(buckets.data, verdict)


def vanished(buckets: Buckets, blank: Verdict) -> Verdict:
    """Decide about a generation that is not the live one any more."""
    reason = "this generation was overwritten or deleted before it was judged"
    return write_verdict(buckets.data, replace(blank, decision="vanished", reason=reason))


def _same_as(first: Verdict, sha256: str) -> str:
    """Why a duplicate of a file is one, and how its content can be learned where it is not."""
    name = f"{first.file.name} (generation {first.file.generation})"
    if first.decision != "suspect":
        if first.sha256 != sha256:
            return f"the same content came as {name}, and was accepted once it was repaired"
        return f"the same content was accepted as {name}"
    release = f"perennial quarantine release {first.pipeline} {first.file.generation} --why …"
    return f"the same content came as {name}, which is suspect: `{release}` lets it be learned"


def _again(blank: Verdict, first: Verdict, recall: Finding) -> Finding:
    """The finding that keeps out what was recalled, under whatever name it comes."""
    if blank.file == first.file:
        return recall
    name = f"{first.file.name} (generation {first.file.generation})"
    return Finding(
        RULE,
        "reject",
        f"expected new content, found that of {name}, which was {recall.message}",
    )


def _keep_original(buckets: Buckets, file: FileId, to: str, data: bytes | None) -> bool:
    """Copy a landing object into quarantine; False when nothing is left to copy."""
    try:
        buckets.quarantine.copy_from(buckets.landing, file.name, to, generation=file.generation)
    except PreconditionFailed:
        pass  # an earlier attempt, or another handler, kept the same bytes
    except ObjectNotFound:
        if data is None:
            return False
        create_once(buckets.quarantine, to, data)
    return True


def _usable_rows(judgement: Judgement) -> int:
    """How many rows training can use."""
    return 0 if judgement.frame is None else judgement.frame.height


def _reason(judgement: Judgement) -> str:
    """The first rule that rejects, and how many do."""
    first, *others = judgement.rejections
    if not others:
        return first.message
    return f"{first.message} (and {len(others)} more: see `perennial quarantine show`)"
