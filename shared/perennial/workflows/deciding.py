"""Deciding about a file once its bytes are at hand: own the content, then accept or quarantine.

Every write is create-only and means the same when it is done again, in this order: content owner,
then rows or the quarantined bytes and their report, and last the verdict, which is what counts. So
a crash anywhere leaves nothing that the next attempt does not complete.

A decision begins as a `Verdict` that holds what is known before it is made (file, number, time,
maker) and ends as the verdict that stands under that number, perhaps another handler's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from perennial.domain import names
from perennial.domain.definition import Definition
from perennial.domain.names import FileId
from perennial.domain.recalling import RULE, recalled
from perennial.domain.report import report_name, to_report
from perennial.domain.validation import Judgement, judge_bytes, to_parquet
from perennial.domain.verdict import Finding, Verdict
from perennial.domain.words import counted
from perennial.errors import InvariantBroken, ObjectNotFound, PreconditionFailed, RefusedError
from perennial.ports import Buckets
from perennial.workflows.ownership import Owner, own
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
    """

    buckets: Buckets
    definition: Definition
    digest: str

    def decide(self, blank: Verdict, data: bytes) -> Verdict:
        """Accept a file, or put it into quarantine; a duplicate if its bytes were accepted."""
        blank = self._signed(blank, data)
        return self._known(blank, data) or self._conclude(blank, data)

    def release(self, blank: Verdict, data: bytes) -> Verdict:
        """Accept what training can use of a file, whatever rules it breaks.

        Raises:
            RefusedError: when that is nothing.
        """
        blank = self._signed(blank, data)
        judgement = judge_bytes(self.definition, blank.file.name, data)
        if judgement.frame is None or judgement.frame.is_empty():
            raise RefusedError(
                f"{blank.file.name} has no row that training could use: {_reason(judgement)}"
            )
        accepted = judgement.frame.height
        left_out = judgement.rows - accepted
        told = f"{counted(accepted, 'row')} accepted, {left_out or 'none'} left out"
        blank = replace(blank, reason=f"{blank.reason} ({told})", cleared=True)
        return self._known(blank, data, released=True) or self._accept(blank, judgement)

    def _signed(self, blank: Verdict, data: bytes) -> Verdict:
        sha256 = hashlib.sha256(data).hexdigest()
        return replace(blank, definition=self.digest, sha256=sha256, size=len(data))

    def _known(self, blank: Verdict, data: bytes, *, released: bool = False) -> Verdict | None:
        """Own the content, or decide by what is known of the file that has it already."""

        def settle(owner: Owner) -> None:
            file, number = owner.file, owner.decision
            other = replace(blank, file=file, number=number, decided_by=SUCCESSION, reason="")
            self._conclude(other, data)

        wish = Owner.of(blank.file, blank.number)
        first = own(
            self.buckets.data, blank.pipeline, blank.sha256, wish, settle, released=released
        )
        if first is None:
            return None
        if recall := recalled(first):
            return quarantine(self.buckets, blank, [_again(blank, first, recall)], data)
        verdict = replace(blank, decision="duplicate", reason=_same_as(first))
        return write_verdict(self.buckets.data, verdict)

    def _conclude(self, blank: Verdict, data: bytes) -> Verdict:
        judgement = judge_bytes(self.definition, blank.file.name, data)
        if judgement.accepted:
            return self._accept(blank, judgement)
        return quarantine(self.buckets, blank, judgement.findings, data)

    def _accept(self, blank: Verdict, judgement: Judgement) -> Verdict:
        """Store the rows, then accept them. The content is owned by this very decision."""
        if judgement.frame is None:
            raise InvariantBroken(f"{blank.file.name} was accepted without any rows")
        parquet = to_parquet(judgement.frame)
        shape = self.definition.schema_digest
        if judgement.frame.height < judgement.rows:  # a released part of them: say which
            shape += f"-{hashlib.sha256(parquet).hexdigest()[:16]}"
        rows = names.rows(blank.pipeline, blank.sha256, shape)
        create_once(self.buckets.data, rows, parquet)
        verdict = replace(
            blank,
            decision="accepted",
            rows=judgement.frame.height,
            rows_object=rows,
            first_event=judgement.first_event,
            last_event=judgement.last_event,
            findings=judgement.findings,
            statistics=judgement.statistics,
        )
        return write_verdict(self.buckets.data, verdict)


def quarantine(
    buckets: Buckets, blank: Verdict, findings: Sequence[Finding], data: bytes | None = None
) -> Verdict:
    """Keep a file's original bytes and their diagnosis, then decide.

    Args:
        buckets: the four buckets.
        blank: the decision to make.
        findings: what is wrong with the file.
        data: its bytes, where they were read.
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
    report = to_report(verdict, f"gs://{buckets.quarantine.bucket}/{original}")
    create_once(buckets.quarantine, report_name(verdict), report, content_type="application/json")
    return write_verdict(buckets.data, verdict)


def vanished(buckets: Buckets, blank: Verdict) -> Verdict:
    """Decide about a generation that is not the live one any more."""
    reason = "this generation was overwritten or deleted before it was judged"
    return write_verdict(buckets.data, replace(blank, decision="vanished", reason=reason))


def _same_as(first: Verdict) -> str:
    """Why a duplicate of a file is one, and how its content can be learned where it is not."""
    name = f"{first.file.name} (generation {first.file.generation})"
    if first.decision != "suspect":
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


def _reason(judgement: Judgement) -> str:
    """The first rule that rejects, and how many do."""
    first, *others = (f.message for f in judgement.findings if f.severity == "reject")
    if not others:
        return first
    return f"{first} (and {len(others)} more: see `perennial quarantine show`)"
