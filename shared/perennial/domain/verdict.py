"""A verdict: what was decided about one generation of one landing object, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Self

from perennial.domain.definition import Severity
from perennial.domain.names import FileId

Decision = Literal[
    "accepted", "quarantined", "duplicate", "pending", "vanished", "discarded", "suspect"
]
"""`suspect`: it obeys every rule, but training set it aside: released, it is accepted after all."""

HELD: frozenset[Decision] = frozenset({"quarantined", "suspect"})
"""The decisions that keep a file from being learned until a person says otherwise."""

SUMMARY = "summary"
"""Metadata key under which small facts of an object are mirrored, so that listings are indexes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a file broke.

    Attributes:
        rule: identifier, such as `type`, `null`, `range`, `missing_column`.
        severity: `reject` or `warn`.
        message: one sentence that says what was expected, what was found, and where.
        column: the column, where the rule is about one.
        rows: how many rows break the rule.
        row_numbers: lines of the file (the header is line 1) of the first few of those rows.
        samples: the offending text in those rows.
    """

    rule: str
    severity: Severity
    message: str
    column: str | None = None
    rows: int = 0
    row_numbers: tuple[int, ...] = ()
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision about a file; written once, the highest `number` is in force.

    Attributes:
        file: which generation of which object.
        number: 1 for ingest's own, k+1 for later decisions (healing, recall).
        decided: when (UTC).
        decided_by: `ingest`, `sweep`, `apply`, who healed it, or `succession` where the owner of
            some bytes was settled on behalf of another file.
        reason: one sentence; for `pending` and `duplicate` it says what is waited for or which
            file came first.
        definition: digest of the definition that judged it; empty where none did.
        sha256: of the original bytes; empty where they were never read.
        size: bytes of the original.
        rows: accepted rows.
        rows_object: name of the typed rows in the data bucket, for files that are accepted, or once
            were.
        first_event, last_event: event-time span of the rows (UTC).
        findings: every rule that was broken, warnings included.
        statistics: per column, mergeable: count, nulls, and min, max, sum, sum of squares, …
        cleared: a person vouches for the file, so that training does not set it aside again.
    """

    pipeline: str
    file: FileId
    decision: Decision
    decided: datetime
    number: int = 1
    decided_by: str = "ingest"
    reason: str = ""
    definition: str = ""
    sha256: str = ""
    size: int = 0
    rows: int = 0
    rows_object: str = ""
    first_event: datetime | None = None
    last_event: datetime | None = None
    findings: tuple[Finding, ...] = ()
    statistics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cleared: bool = False
    format: int = 1

    def to_json(self) -> bytes:
        """The stored form."""
        return json.dumps(asdict(self), default=_encode, ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form."""
        return cls(**_revive(json.loads(data)))

    @property
    def summary(self) -> dict[str, str]:
        """What a listing needs of the verdict, as object metadata (well below 8 KiB)."""
        facts = {
            "name": self.file.name if len(self.file.name) < 1025 else "",
            "decision": self.decision,
            "decided": self.decided.isoformat(),
            "reason": self.reason[:200],
            "sha256": self.sha256,
            "rows": self.rows,
            "rows_object": self.rows_object,
            "first_event": self.first_event and self.first_event.isoformat(),
            "last_event": self.last_event and self.last_event.isoformat(),
            "cleared": self.cleared,
        }
        return {SUMMARY: json.dumps(facts)}


@dataclass(frozen=True, slots=True)
class VerdictSummary:
    """A verdict as a listing shows it: enough for the queue of training, without one read."""

    file: FileId
    number: int
    decision: Decision
    decided: datetime
    reason: str
    sha256: str
    rows: int
    rows_object: str
    first_event: datetime | None
    last_event: datetime | None
    cleared: bool = False

    @classmethod
    def from_metadata(cls, stem: str, number: int, metadata: Mapping[str, str]) -> Self:
        """Read what `Verdict.summary` wrote."""
        facts = json.loads(metadata[SUMMARY])
        for key in ("decided", "first_event", "last_event"):
            facts[key] = facts[key] and datetime.fromisoformat(facts[key])
        file = FileId(int(stem.split("-")[0]), facts.pop("name"))
        return cls(file=file, number=number, **facts)

    @property
    def order(self) -> tuple[datetime, int]:
        """Place in time: by event time, else by creation; then by generation.

        Nothing happens after it was uploaded: one row with a year mistyped into the future must
        not make every file that follows a late one.
        """
        created = datetime.fromtimestamp(self.file.generation / 1e6, tz=UTC)
        return (min(self.last_event or created, created), self.file.generation)


def _encode(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot store {type(value).__name__}")


def _revive(document: dict[str, Any]) -> dict[str, Any]:
    document["file"] = FileId(**document["file"])
    for key in ("decided", "first_event", "last_event"):
        document[key] = document[key] and datetime.fromisoformat(document[key])
    document["findings"] = tuple(
        Finding(**{**f, "row_numbers": tuple(f["row_numbers"]), "samples": tuple(f["samples"])})
        for f in document["findings"]
    )
    return document
