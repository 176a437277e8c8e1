"""Static inference: files whose rows a version predicts once, for whoever looks them up later.

Standard library only, because the command line reads it where nothing that scores is installed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, Self

from perennial.domain import names
from perennial.domain.names import FileId
from perennial.domain.verdict import SUMMARY, VerdictSummary

WAITING = "waiting"
"""Stands for every file that waits, where a request can be named."""

Outcome = Literal["scored", "failed"]
"""`failed`: this version has no answer to this file, and never will; the reason says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to be scored again, or by another version than the champion.

    Attributes:
        version: an approved one.
        files: generations of landing objects that are to be scored.
    """

    pipeline: str
    version: str
    files: tuple[FileId, ...]
    format: int = 1

    @property
    def digest(self) -> str:
        """The name under which it is kept."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def to_json(self) -> bytes:
        """The stored form; equal requests have equal bytes."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form."""
        document = json.loads(data)
        document["files"] = tuple(FileId(**file) for file in document["files"])
        return cls(**document)


@dataclass(frozen=True, slots=True)
class Scored:
    """What a version made of a file: the manifest of its predictions, written after them.

    Attributes:
        version: which one predicted.
        graph: SHA-256 of its graph.
        file: the generation of the landing object.
        sha256: of the file's bytes.
        rows_object: the typed rows that were read, in the data bucket.
        definition: digest of the definition that judged the file.
        rows: how many were predicted.
        outcome: in one word.
        reason: in one sentence, where it failed.
        predictions: name of the predictions in the data bucket; empty where it failed.
        predictions_sha256, predictions_size: of that object, size in bytes.
        columns: of the predictions, in order: `row` (counted from 1 below the header), the key
            columns, then `prediction`, and for classes the `probability` of each.
        created: when (UTC).
        execution: the platform's name of the process that did it.
    """

    pipeline: str
    version: str
    graph: str
    file: FileId
    sha256: str
    rows_object: str
    definition: str
    created: datetime
    rows: int = 0
    outcome: Outcome = "scored"
    reason: str = ""
    predictions: str = ""
    predictions_sha256: str = ""
    predictions_size: int = 0
    columns: tuple[str, ...] = ()
    execution: str = ""
    format: int = 1

    @property
    def sentence(self) -> str:
        """What a person reads."""
        if self.outcome == "failed":
            return f"{self.version} has no answer to {self.file.name}: {self.reason}"
        return f"{self.version} predicted the {self.rows:,} rows of {self.file.name}"

    @property
    def summary(self) -> dict[str, str]:
        """What a listing needs of it, as object metadata (well below 8 KiB)."""
        facts = {
            "name": self.file.listed_name,
            "outcome": self.outcome,
            "reason": self.reason[:200],
            "rows": self.rows,
            "created": self.created.isoformat(),
        }
        return {SUMMARY: json.dumps(facts)}

    def document(self) -> dict[str, Any]:
        """Ready for JSON; the keys are contract."""
        return asdict(self) | {"created": self.created.isoformat(), "columns": list(self.columns)}

    def to_json(self) -> bytes:
        """The stored form."""
        return json.dumps(self.document(), ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form."""
        document = json.loads(data)
        document["file"] = FileId(**document["file"])
        document["created"] = datetime.fromisoformat(document["created"])
        document["columns"] = tuple(document["columns"])
        return cls(**document)


@dataclass(frozen=True, slots=True)
class ScoredSummary:
    """The same as a listing shows it."""

    file: FileId
    version: str
    outcome: Outcome
    reason: str
    rows: int
    created: datetime

    @classmethod
    def from_metadata(cls, name: str, metadata: Mapping[str, str]) -> Self:
        """Read what `Scored.summary` wrote, of the object `name`."""
        stem, version = names.parse_prediction(name)
        facts = json.loads(metadata[SUMMARY])
        return cls(
            file=FileId(int(stem.split("-")[0]), facts["name"]),
            version=version,
            outcome=facts["outcome"],
            reason=facts["reason"],
            rows=facts["rows"],
            created=datetime.fromisoformat(facts["created"]),
        )


def to_score(
    files: Sequence[VerdictSummary],
    done: Mapping[str, Mapping[str, Outcome]],
    champion: str,
    *,
    again: int = 0,
) -> list[VerdictSummary]:
    """The files that the champion has to predict, in the order of their drops.

    Those that no version has an answer to, unless the champion itself has failed on them; and of
    the newest `again` files those that the champion has not been asked about.

    Args:
        files: decisions in force, whatever they are.
        done: for a file's stem, what came of it by version.
        champion: who predicts.
        again: how many files are scored again when the champion moves.
    """
    live = [file for file in files if file.decision == "to_score"]
    newest = {file.file.stem for file in live[-again:]} if again else set()
    return [file for file in live if _waits(file.file.stem, done, champion, newest)]


def _waits(
    stem: str, done: Mapping[str, Mapping[str, Outcome]], champion: str, newest: set[str]
) -> bool:
    outcomes = done.get(stem, {})
    if champion in outcomes:
        return False
    return stem in newest or "scored" not in outcomes.values()
