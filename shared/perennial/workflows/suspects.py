"""Files that obey every rule, and are set aside because of what they do to models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from perennial.domain.verdict import Finding, Verdict, VerdictSummary
from perennial.ports import ObjectStore
from perennial.workflows.verdicts import verdict_in_force, write_verdict


def set_aside(
    data: ObjectStore,
    pipeline: str,
    files: Sequence[VerdictSummary],
    *,
    by: str,
    reason: str,
    decided: datetime,
) -> list[Verdict]:
    """Decide that accepted files are suspect: nothing learns from them until a person says so."""
    made = []
    for file in files:
        held = verdict_in_force(data, pipeline, file.file)
        if held is None or held.decision != "accepted":
            continue
        suspect = replace(
            held,
            decision="suspect",
            number=held.number + 1,
            decided=decided,
            decided_by=by,
            reason=reason,
            findings=(*held.findings, Finding("suspect", "reject", reason)),
        )
        made.append(write_verdict(data, suspect))
    return made
