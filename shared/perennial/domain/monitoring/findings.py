"""A finding: something about a pipeline that a person should know, for as long as it lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self, get_args

Kind = Literal[
    "source_down",
    "source_unreliable",
    "champion_old",
    "look_ups_failing",
    "training_drift",
    "serving_skew",
    "prediction_drift",
    "jump",
    "nulls",
    "unseen_categories",
    "category_vanished",
    "label_drift",
    "concept_drift",
    "feedback_loop",
    "job_failed",
    "job_hung",
    "job_slow",
    "job_looping",
]
"""What is wrong. `training_drift`: files are unlike what the champion learned; `serving_skew`:
requests are. `concept_drift`: champions predict new files worse than they used to."""

KINDS: tuple[Kind, ...] = get_args(Kind)

Severity = Literal["info", "warning", "error"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the lightest on."""

Identity = tuple[str, str]
"""The kind and the subject of a finding: of two that are open they are never the same."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """What a detector sees at one look; findings are made of it.

    Attributes:
        kind: what is wrong.
        subject: which column, source prefix, version or run; empty for the pipeline.
        severity: how bad.
        summary: one sentence with its numbers.
        advice: what to do, with the command.
        evidence: the numbers, ready for JSON.
        strength: what was measured over its limit: a finding opens from 1 on, and stays open down
            to `EASED`, so that one at the limit does not come and go.
        news: what the evidence is of, such as the newest file: the same again is nothing new.
    """

    kind: Kind
    subject: str
    severity: Severity
    summary: str
    advice: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    strength: float = 1.0
    news: str = ""

    @property
    def identity(self) -> Identity:
        """What tells it from other findings."""
        return self.kind, self.subject


EASED = 0.8
"""Share of its limit below which what was measured closes a finding."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, from the look that opened it to the one that closed it.

    Attributes:
        kind: what is wrong.
        subject: which column, source prefix, version or run; empty for the pipeline.
        severity: how bad it is now.
        summary: one sentence with its numbers, as of the last look that saw it.
        advice: what to do, with the command.
        evidence: the numbers, ready for JSON.
        opened: when it was found first (UTC).
        seen: when evidence for it came last (UTC).
        closed: when it was found no more (UTC); None while it is open.
        times: how often there was new evidence for it.
        news: what the last evidence was of.
    """

    kind: Kind
    subject: str
    severity: Severity
    summary: str
    advice: str
    opened: datetime
    seen: datetime
    evidence: Mapping[str, Any] = field(default_factory=dict)
    closed: datetime | None = None
    times: int = 1
    news: str = ""

    @property
    def identity(self) -> Identity:
        """What tells it from others that are open."""
        return self.kind, self.subject

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        facts = dict(document)
        for key in ("opened", "seen", "closed"):
            facts[key] = facts[key] and datetime.fromisoformat(facts[key])
        return cls(**facts)
