"""The rows that were left out of accepted files: kept in quarantine, looked at, and done with.

The rest of such a file is learned, so nothing is judged again: bad rows that were corrected are
dropped as a file of their own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from perennial.domain import names
from perennial.domain.judging.report import report_name, to_report
from perennial.domain.judging.validation import Judgement
from perennial.domain.verdict import Verdict
from perennial.domain.words import counted
from perennial.ports import Buckets, ObjectStore
from perennial.workflows.verdicts import write_verdict
from perennial.workflows.writing import create_once


def keep_bad_rows(buckets: Buckets, blank: Verdict, judgement: Judgement) -> Verdict:
    """Keep the bad rows of a file, and their diagnosis, before it is accepted without them.

    Args:
        buckets: the four buckets.
        blank: the verdict, but for what it says of these rows.
        judgement: what the file was found to be.

    Returns:
        The verdict, whole.
    """
    name = names.bad_rows(blank.pipeline, blank.file, blank.number)
    verdict = replace(
        blank,
        reason=_reason(judgement),
        rows_set_aside=judgement.set_aside,
        bad_rows_object=name,
    )
    create_once(buckets.quarantine, name, judgement.bad_rows, content_type="text/csv")
    report = report_of(buckets, verdict)
    create_once(buckets.quarantine, report_name(verdict), report, content_type="application/json")
    return verdict


def report_of(buckets: Buckets, verdict: Verdict) -> bytes:
    """The diagnosis of a file that was accepted without some of its rows."""
    file = verdict.file
    original = f"gs://{buckets.landing.bucket}/{file.name}#{file.generation}"
    bad_rows = f"gs://{buckets.quarantine.bucket}/{verdict.bad_rows_object}"
    return to_report(verdict, original, bad_rows)


def discard_bad_rows(
    data: ObjectStore, accepted: Verdict, *, by: str, why: str, decided: datetime
) -> Verdict:
    """Show the bad rows of an accepted file no more; the decision that stands may be another's.

    Args:
        data: the data bucket.
        accepted: the decision in force.
        by: who has seen to them.
        why: the reason.
        decided: when (UTC).
    """
    rows = counted(accepted.rows_set_aside, "bad row")
    done = replace(
        accepted,
        decided=decided,
        number=accepted.number + 1,
        decided_by=by,
        reason=f"{rows} discarded by {by}: {why}",
        rows_discarded=True,
    )
    return write_verdict(data, done)


def _reason(judgement: Judgement) -> str:
    first, *others = (f.message for f in judgement.findings if f.severity == "reject_row")
    told = f"{judgement.set_aside:,} of {counted(judgement.rows, 'row')} set aside: {first}"
    return f"{told} (and {len(others)} more: see `perennial quarantine show`)" if others else told
