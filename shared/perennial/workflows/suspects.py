"""Suspect files: accepted, then set aside by training, and learned after all if a person says so.

A suspect file breaks no rule. Its rows stay where they are and its original stays in landing; the
next decision about it says that training leaves it out, and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from perennial.domain.verdict import Finding, Verdict, VerdictSummary
from perennial.ports import ObjectStore
from perennial.workflows.verdicts import read_verdict, write_verdict

RULE = "suspect"
"""The rule of the finding that says why a file was set aside."""


def set_aside(
    data: ObjectStore,
    pipeline: str,
    files: Sequence[VerdictSummary],
    *,
    by: str,
    reason: str,
    decided: datetime,
) -> list[Verdict]:
    """Set accepted files aside, each by the decision that follows the one that was listed.

    Create-only, and bound to what the caller saw: where another decision has followed meanwhile (a
    recall, or this very one before its answer was lost), that one stands.

    Args:
        data: the data bucket.
        pipeline: whose files they are.
        files: as they were listed.
        by: who sets them aside: `run {id}`.
        reason: one sentence: what was expected and what was found.
        decided: when (UTC).

    Returns:
        For each file the decision that stands after the one that was listed.
    """
    finding = Finding(RULE, "reject", reason)
    found = []
    for file in files:
        accepted = read_verdict(data, pipeline, file)
        suspect = replace(
            accepted,
            decision="suspect",
            decided=decided,
            number=accepted.number + 1,
            decided_by=by,
            reason=reason,
            findings=(*accepted.findings, finding),
        )
        found.append(write_verdict(data, suspect))
    return found


def readmit(
    data: ObjectStore, suspect: Verdict, *, by: str, why: str, decided: datetime
) -> Verdict:
    """Accept a suspect file's rows after all; the decision that stands may be another's.

    Args:
        data: the data bucket.
        suspect: the decision in force.
        by: who releases it.
        why: the reason.
        decided: when (UTC).
    """
    accepted = replace(
        suspect,
        decision="accepted",
        decided=decided,
        number=suspect.number + 1,
        decided_by=by,
        reason=f"released by {by}: {why}",
        findings=tuple(f for f in suspect.findings if f.rule != RULE),
        cleared=True,
    )
    return write_verdict(data, accepted)
