"""A verdict: what was decided about one generation of one landing object, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from perennial.domain.definitions.definition import Severity
from perennial.domain.names import FileId

Decision = Literal[
    "accepted",
    "quarantined",
    "duplicate",
    "pending",
    "vanished",
    "discarded",
    "suspect",
    "to_score",
]
"""`suspect`: it obeys every rule, but training set it aside: released, it is accepted after all.
`to_score`: it obeys every rule, and is predicted, never learned."""

HELD: frozenset[Decision] = frozenset({"quarantined", "suspect"})
"""The decisions that keep a file from being learned until a person says otherwise."""

ROWS = "rows"
"""State of an accepted file of which some rows lie in quarantine."""

STATES = frozenset({*HELD, ROWS})
"""The states in which something of a file lies in the hospital."""

Effect = Literal["reject", "reject_row", "warn"]
"""What a broken rule does: it keeps out the file, or only the rows that break it, or nothing."""

SUMMARY = "summary"
"""Metadata key under which small facts of an object are mirrored, so that listings are indexes."""

LISTED_RULES = 10
"""So many of the rules that a file breaks are among those facts."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a file broke.

    Attributes:
        rule: identifier, such as `type`, `null`, `range`, `missing_column`.
        severity: what that does.
        message: one sentence that says what was expected, what was found, and where.
        column: the column, where the rule is about one.
        rows: how many rows break the rule.
        row_numbers: lines of the file (the header is line 1) of the first few of those rows.
        samples: the offending text in those rows.
    """

    rule: str
    severity: Effect
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
        rows: accepted rows, or rows to be scored.
        rows_set_aside: how many were left out of an accepted file, because they break a rule.
        bad_rows_object: name of these rows in the quarantine bucket.
        rows_discarded: somebody has seen to them, so that listings show them no more.
        rows_object: name of the typed rows in the data bucket, for files that are accepted, or once
            were.
        first_event, last_event: event-time span of the rows (UTC).
        findings: every rule that was broken, warnings included.
        statistics: per column, mergeable: count, nulls, and min, max, sum, sum of squares, …
        cleared: a person vouches for the file, so that training does not set it aside again.
        parent: sha256 of the original bytes where it was decided about repaired ones, whose digest
            and size are then `sha256` and `size`; else empty.
        repair: how they were repaired.
        covered: through when earlier accepted files reached when it was judged first (UTC), so
            that it is no later when it is judged again; None where that was unknown.
        keys: digest of the set of its keys, where files may supersede others; else empty.
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
    rows_set_aside: int = 0
    bad_rows_object: str = ""
    rows_discarded: bool = False
    rows_object: str = ""
    first_event: datetime | None = None
    last_event: datetime | None = None
    findings: tuple[Finding, ...] = ()
    statistics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cleared: bool = False
    parent: str = ""
    repair: str = ""
    covered: datetime | None = None
    keys: str = ""
    format: int = 1

    @property
    def repaired(self) -> bool:
        """Whether it was decided about bytes that were made of the file's own."""
        return bool(self.parent)

    def to_json(self) -> bytes:
        """The stored form."""
        return json.dumps(asdict(self), default=_encode, ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form."""
        return cls(**_revive(json.loads(data)))

    @property
    def state(self) -> str:
        """As the hospital has it: the decision; `rows` where rows of an accepted file lie there."""
        return _state(self)

    @property
    def broken(self) -> list[str]:
        """The rules that keep out it or rows of it, each once, in the order of its findings."""
        return list(dict.fromkeys(f.rule for f in self.findings if f.severity != "warn"))

    @property
    def summary(self) -> dict[str, str]:
        """What a listing needs of the verdict, as object metadata (well below 8 KiB)."""
        facts = {
            "name": self.file.listed_name,
            "decision": self.decision,
            "decided": self.decided.isoformat(),
            "reason": self.reason[:200],
            "sha256": self.sha256,
            "rows": self.rows,
            "rows_set_aside": self.rows_set_aside,
            "rows_discarded": self.rows_discarded,
            "rows_object": self.rows_object,
            "first_event": self.first_event and self.first_event.isoformat(),
            "last_event": self.last_event and self.last_event.isoformat(),
            "cleared": self.cleared,
            "keys": self.keys,
            "rules": self.broken[:LISTED_RULES],
            **({"repaired": True} if self.repaired else {}),
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
    rules: tuple[str, ...] = ()
    repaired: bool = False
    keys: str = ""
    rows_set_aside: int = 0
    rows_discarded: bool = False

    @classmethod
    def from_metadata(cls, stem: str, number: int, metadata: Mapping[str, str]) -> Self:
        """Read what `Verdict.summary` wrote."""
        facts = json.loads(metadata[SUMMARY])
        for key in ("decided", "first_event", "last_event"):
            facts[key] = facts[key] and datetime.fromisoformat(facts[key])
        file = FileId(int(stem.split("-")[0]), facts.pop("name"))
        rules = tuple(facts.pop("rules", ()))  # since 0.1.0 only
        return cls(file=file, number=number, rules=rules, **facts)

    @property
    def state(self) -> str:
        """As the hospital has it: the decision; `rows` where rows of an accepted file lie there."""
        return _state(self)

    @property
    def order(self) -> tuple[datetime, int]:
        """Place in time: by event time, else by creation; then by generation.

        Nothing happens after it was uploaded: one row with a year mistyped into the future must
        not make every file that follows a late one.
        """
        arrived = self.file.arrived
        return (min(self.last_event or arrived, arrived), self.file.generation)


def lying_there(files: Iterable[VerdictSummary]) -> list[VerdictSummary]:
    """Those of the files of which something lies in the hospital, in their order."""
    return [file for file in files if file.state in STATES]


def _state(verdict: Verdict | VerdictSummary) -> str:
    lie_there = verdict.rows_set_aside and not verdict.rows_discarded
    return ROWS if verdict.decision == "accepted" and lie_there else verdict.decision


def effect_of(severity: Severity) -> Effect:
    """What a broken rule of this severity does, where no row policy says otherwise."""
    return "warn" if severity == "warn" else "reject"


def _encode(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot store {type(value).__name__}")


def _revive(document: dict[str, Any]) -> dict[str, Any]:
    document["file"] = FileId(**document["file"])
    for key in ("decided", "first_event", "last_event", "covered"):
        text = document.get(key)  # `covered` since 0.1.0 only
        document[key] = text and datetime.fromisoformat(text)
    document["findings"] = tuple(
        Finding(**{**f, "row_numbers": tuple(f["row_numbers"]), "samples": tuple(f["samples"])})
        for f in document["findings"]
    )
    return document
