"""What the parts of a look work with, and what each of them gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from perennial.domain.definitions.definition import Definition
from perennial.domain.monitoring.findings import Identity, Symptom
from perennial.domain.monitoring.report import Watch
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Head
from perennial.ports import ObjectStore


@dataclass(frozen=True, slots=True)
class Scene:
    """What several parts of a look at one pipeline need, read once.

    Attributes:
        data: the data bucket.
        head, definition: the registry's state, and the definition in force.
        champion: what serves; None without one.
        files: the decisions in force about files of the recent past, in the order of their drops.
        runs: summaries of the last runs, oldest first.
        before: what the last look found.
        now: the time (UTC).
    """

    data: ObjectStore
    head: Head
    definition: Definition
    champion: Manifest | None
    files: Sequence[VerdictSummary]
    runs: Sequence[Mapping[str, Any]]
    before: Watch | None
    now: datetime

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.head.pipeline

    @property
    def open(self) -> frozenset[Identity]:
        """Which findings are open."""
        return (
            frozenset(one.identity for one in self.before.findings) if self.before else frozenset()
        )

    def mark(self, part: str) -> str:
        """What the last look at this part was made of; empty before the first."""
        return self.before.marks.get(part, "") if self.before else ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a part of a look saw.

    Attributes:
        symptoms: everything that may be a finding.
        mark: what it was made of.
        figures: fields of the watch that it fills.
    """

    symptoms: Sequence[Symptom] = ()
    mark: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
