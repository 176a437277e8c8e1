"""Models that were trained elsewhere: what is handed in, what is decided, and what comes of it.

Standard library only, because the command line reads it where nothing that trains is installed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, Self

from perennial.domain.graphs.graph_rules import BYTES
from perennial.domain.versioning.registry import Status
from perennial.domain.words import counted

LARGEST = BYTES
"""Of a graph."""

IMPORTED, IMPORTED_FILE = "imported", "imported file"
"""Keys of a manifest's environment: SHA-256 of the file that was handed in, and its name."""

Outcome = Literal["promoted", "waiting_approval", "rejected", "refused"]
"""`promoted`, `waiting_approval`, `rejected`: a version was made, as by a run. `refused`: none was;
the reason says what does not fit."""

OUTCOMES: dict[Status, Outcome] = {
    "approved": "promoted",
    "waiting": "waiting_approval",
    "rejected": "rejected",
}


@dataclass(frozen=True, slots=True)
class Request:
    """A graph that somebody hands in.

    Attributes:
        pipeline: for which it is.
        sha256: of the file.
        file: its name.
        trained_through: event time of the newest row that it learned (UTC); None where nobody says.
        by: who hands it in.
        why: the reason, for the history.
    """

    pipeline: str
    sha256: str
    file: str
    trained_through: datetime | None
    by: str
    why: str = ""
    format: int = 1

    @property
    def digest(self) -> str:
        """The name under which it is kept."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def key(self, definition: str) -> str:
        """What two imports have in common that make the same version under a definition."""
        through = self.trained_through and self.trained_through.isoformat()
        return hashlib.sha256(f"{definition} {self.sha256} {through}".encode()).hexdigest()[:24]

    def to_json(self) -> bytes:
        """The stored form; equal requests have equal bytes."""
        return json.dumps(asdict(self), default=datetime.isoformat, sort_keys=True).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form."""
        document = json.loads(data)
        if through := document["trained_through"]:
            document["trained_through"] = datetime.fromisoformat(through)
        return cls(**document)


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a request.

    Attributes:
        outcome: in one word.
        reason: in one sentence.
        version, status: what was made; None where it was refused.
        against: the champion that it met; None for a constant predictor.
        sha256, file: what was handed in.
        trained_through: as the request said.
        rows: rows that it was judged on.
        before: whether an earlier import had made this version.
        execution: the platform's name of the process that did it.
        ended: when (UTC).
    """

    pipeline: str
    outcome: Outcome
    reason: str
    sha256: str
    file: str
    trained_through: datetime | None
    ended: datetime
    version: str | None = None
    status: Status | None = None
    against: str | None = None
    rows: int = 0
    before: bool = False
    execution: str = ""
    format: int = 1

    def document(self) -> dict[str, Any]:
        """Ready for JSON; the keys are contract."""
        facts = asdict(self)
        through = self.trained_through and self.trained_through.isoformat()
        return facts | {"ended": self.ended.isoformat(), "trained_through": through}

    def to_json(self) -> bytes:
        """The stored form."""
        return json.dumps(self.document(), indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form."""
        document = json.loads(data)
        document["ended"] = datetime.fromisoformat(document["ended"])
        if through := document["trained_through"]:
            document["trained_through"] = datetime.fromisoformat(through)
        return cls(**document)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a graph from elsewhere.

    Attributes:
        rows: rows that it was judged on.
        passes: whether it passed its duel there.
        rule: the duel's own sentence.
        champion: whom it met; None for a constant predictor.
        fair: whether the champion had not learned these rows.
        known: whether somebody said what it had learned, so that these rows are none of them.
    """

    rows: int
    passes: bool
    rule: str
    champion: str | None
    fair: bool
    known: bool


def decide(found: Evidence, *, automatic: bool) -> tuple[Status, str]:
    """What becomes of it, and why.

    It takes a champion's place by itself only where that is proved. A champion that has learned the
    rows has an advantage: who beats it all the same is better, and who does not may be, too.

    Args:
        found: the evidence.
        automatic: the pipeline's `promotion.mode`.
    """
    if not found.rows:
        return "waiting", (
            "no accepted row is later than all it has learned, so that nothing is proved: a person "
            "must approve it"
        )
    said = found.rule
    if not found.known:
        said += "; nobody says what it has learned, and it may be these very rows"
    if not found.fair:
        said += f"; {found.champion} had learned these rows, and it had not"
    if not found.passes:
        return ("rejected", said) if found.fair else ("waiting", said)
    if found.champion and not found.known:
        return "waiting", f"{said}: a person must approve it, or say --trained-through"
    return ("approved" if automatic else "waiting"), said


_CARD = """\
# {name} {version}

Predicts `{label}` ({task}). It was trained elsewhere and handed in by {by} on {created} UTC as
`{file}` (SHA-256 `{sha256}`){why}.

- **Decision:** {reason}.
- **Learned from:** {through}.
- **Judged on:** {rows}.
- **{metric}:** {mine}; of {rival}: {theirs}.

What is known of how it was made is what its owner says. Whether it serves is in the registry:
`perennial versions {name}`.
"""


def card(request: Request, version: str, created: datetime, evaluation: dict[str, Any]) -> str:
    """A version's card as Markdown.

    Args:
        request: what was handed in.
        version: the version's name.
        created: when it was made (UTC).
        evaluation: the content of `evaluation.json`.
    """
    duel, through = evaluation["duel"], request.trained_through
    return _CARD.format(
        name=request.pipeline,
        version=version,
        label=evaluation["label"],
        task=evaluation["task"],
        by=request.by,
        created=f"{created:%Y-%m-%d %H:%M}",
        file=request.file,
        sha256=request.sha256,
        why=f": {request.why}" if request.why else "",
        reason=evaluation["reason"],
        through=f"rows through {through}, none of them from here"
        if through
        else "nobody says what",
        rows=counted(duel["rows"], "accepted row"),
        metric=evaluation["metric"],
        mine=_number(duel["challenger_loss"]),
        rival=evaluation["champion"] or "a constant predictor",
        theirs=_number(duel["champion_loss"]),
    )


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4g}"
