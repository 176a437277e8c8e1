"""Following findings from look to look: they open, get worse or better, and close.

A look in parts: a part that could not be looked at, or that has nothing new to look at, neither
opens nor closes findings of its kinds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from perennial.domain.monitoring.findings import (
    EASED,
    SEVERITIES,
    Finding,
    Identity,
    Kind,
    Symptom,
)
from perennial.domain.monitoring.report import Change
from perennial.domain.words import printable

Part = Literal["files", "scores", "sources", "jobs", "champion", "requests", "feedback"]

KINDS_OF: Mapping[Part, frozenset[Kind]] = {
    "files": frozenset(
        {"training_drift", "label_drift", "jump", "nulls", "unseen_categories", "category_vanished"}
    ),
    "scores": frozenset({"concept_drift"}),
    "sources": frozenset({"source_down", "source_unreliable"}),
    "jobs": frozenset({"job_failed", "job_hung", "job_slow", "job_looping"}),
    "champion": frozenset({"champion_old"}),
    "requests": frozenset({"serving_skew", "prediction_drift", "look_ups_failing"}),
    "feedback": frozenset({"feedback_loop"}),
}
"""Which part of a look speaks of which kinds."""

_EXPLAINED: Mapping[Kind, frozenset[Kind]] = {
    "jump": frozenset({"training_drift", "label_drift", "category_vanished", "unseen_categories"}),
    "training_drift": frozenset({"nulls"}),
}
"""What a finding of one kind is not told beside, on the same subject: one cause is one finding."""

_WORSE = 1.5
"""A finding that is told again has a strength higher by this factor, or a heavier severity."""

_LONGEST = 1000  # characters

MOST_CLOSED = 20
_MOST_OPEN = 200


def follow(
    before: Sequence[Finding],
    symptoms: Iterable[Symptom],
    looked_at: Collection[Part],
    at: datetime,
    *,
    ignore: Collection[str] = (),
) -> tuple[list[Finding], list[Finding], list[Change]]:
    """What is open now, what was closed by this look, and what is to be told.

    Args:
        before: the findings that were open.
        symptoms: what was seen now.
        looked_at: the parts that were looked at.
        at: when (UTC).
        ignore: kinds that are not looked for; those that are open close.
    """
    seen = _seen(symptoms, ignore)
    known = {finding.identity: finding for finding in before}
    looked = {kind for part in looked_at for kind in KINDS_OF[part]} | set(ignore)
    opened, closed, changes = [], [], []
    for identity, finding in known.items():
        symptom = seen.pop(identity, None)
        if symptom is not None:
            now = _again(finding, symptom, at)
            opened.append(now)
            if _is_worse(finding, now):
                changes.append(Change("worsened", now))
        elif finding.kind in looked:
            closed.append(replace(finding, closed=at))
            changes.append(Change("closed", closed[-1]))
        else:
            opened.append(finding)
    for symptom in seen.values():
        if symptom.strength >= 1:
            opened.append(_first(symptom, at))
            changes.append(Change("opened", opened[-1]))
    return ranked(opened), closed, changes


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first, then the newest."""
    order = sorted(findings, key=lambda one: (one.opened, one.kind, one.subject), reverse=True)
    return sorted(order, key=lambda one: -SEVERITIES.index(one.severity))[:_MOST_OPEN]


def _seen(symptoms: Iterable[Symptom], ignore: Collection[str]) -> dict[Identity, Symptom]:
    """By identity, without those of which another kind tells the cause."""
    found = {one.identity: one for one in symptoms if one.kind not in ignore}
    firm = {identity for identity, one in found.items() if one.strength >= 1}
    return {
        (kind, subject): one
        for (kind, subject), one in found.items()
        if not any((other, subject) in firm for other in _EXPLAINED.get(one.kind, frozenset()))
    }


def _line(text: str) -> str:
    """In one line and bounded: what users call things is in it."""
    line = printable(text, "�")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _first(symptom: Symptom, at: datetime) -> Finding:
    return Finding(
        symptom.kind, symptom.subject, symptom.severity, _line(symptom.summary),
        _line(symptom.advice),
        opened=at, seen=at, evidence=_evidence(symptom, symptom.strength), news=symptom.news,
    )  # fmt: skip


def _again(finding: Finding, symptom: Symptom, at: datetime) -> Finding:
    """The finding with the newest numbers; the same evidence as before changes nothing."""
    if symptom.news == finding.news and symptom.severity == finding.severity:
        return finding
    told = max(finding.evidence.get("told_at_strength", 0.0), EASED)
    worse = symptom.strength >= _WORSE * told
    return replace(
        finding,
        severity=symptom.severity,
        summary=_line(symptom.summary),
        advice=_line(symptom.advice),
        evidence=_evidence(symptom, symptom.strength if worse else told),
        seen=at,
        times=finding.times + 1,
        news=symptom.news,
    )


def _evidence(symptom: Symptom, told: float) -> dict[str, object]:
    """With how strong it is, and how strong it was when it was told last."""
    strengths = {"strength": round(symptom.strength, 3), "told_at_strength": round(told, 3)}
    return {**symptom.evidence, **strengths}


def _is_worse(before: Finding, now: Finding) -> bool:
    heavier = SEVERITIES.index(now.severity) > SEVERITIES.index(before.severity)
    told = (one.evidence.get("told_at_strength", 0.0) for one in (before, now))
    earlier, later = told
    return heavier or later > earlier
