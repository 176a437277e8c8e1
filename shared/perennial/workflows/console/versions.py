"""Versions as pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perennial.domain.definitions.recipe import Metric
from perennial.domain.evaluation.scoring import Score
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Head
from perennial.errors import NotFoundError
from perennial.workflows.console.files import Page, page_of
from perennial.workflows.console.records import Records
from perennial.workflows.ledger import Entry


@dataclass(frozen=True, slots=True)
class Row:
    """A version.

    Attributes:
        manifest: what it is made of.
        status: `approved`, `waiting`, …
        serving: whether it is the champion.
        evaluation: what its gate saw.
        files: how many files it has predicted before anything learned from them.
        value: its score on them by the pipeline's metric; None before any.
    """

    manifest: Manifest
    status: str
    serving: bool
    evaluation: Mapping[str, Any]
    files: int
    value: float | None

    @property
    def version(self) -> str:
        """`v000012`."""
        return self.manifest.version


@dataclass(frozen=True, slots=True)
class Meeting:
    """A file that two versions have both predicted.

    Attributes:
        stem: which.
        rows: of the first's measurement.
        first, second: their scores by the pipeline's metric.
    """

    stem: str
    rows: int
    first: float | None
    second: float | None


@dataclass(frozen=True, slots=True)
class Versions:
    """A pipeline's versions.

    Attributes:
        records: what is stored of them.
        head: the registry now.
        metric: by which they are compared.
        ledger: what they scored on files, in the order of the drops.
    """

    records: Records
    head: Head
    metric: Metric
    ledger: Sequence[Entry]

    @property
    def newest_first(self) -> list[str]:
        """All of them."""
        return sorted(self.head.statuses, reverse=True)

    def page(self, number: int) -> Page[Row]:
        """A page of them, the newest first."""
        page = page_of(self.newest_first, number)
        return Page(self.rows(page.items), page.number, page.pages, page.total)

    def rows(self, versions: Sequence[str]) -> list[Row]:
        """These, in their order.

        Raises:
            NotFoundError: naming one that does not exist.
        """
        for version in versions:
            if version not in self.head.statuses:
                raise NotFoundError(f"{self.head.pipeline} has no version {version}")
        self.records.fetch(self.head, versions)
        scores: dict[str, list[Score]] = {version: [] for version in versions}
        for entry in self.ledger:
            if entry.version in scores:
                scores[entry.version].append(entry.score)
        return [self._row(version, scores[version]) for version in versions]

    def meetings(self, first: str, second: str) -> list[Meeting]:
        """The files that both have predicted before anything learned from them."""
        by_version: dict[str, dict[str, Score]] = {first: {}, second: {}}
        for entry in self.ledger:
            if entry.version in by_version:
                by_version[entry.version][entry.stem] = entry.score
        others = by_version[second]
        return [
            Meeting(stem, score.rows, score.loss(self.metric), others[stem].loss(self.metric))
            for stem, score in by_version[first].items()
            if stem in others
        ]

    def _row(self, version: str, scores: Sequence[Score]) -> Row:
        return Row(
            manifest=self.records.manifest(self.head, version),
            status=self.head.statuses[version],
            serving=version == self.head.champion,
            evaluation=self.records.evaluation(self.head, version),
            files=len(scores),
            value=sum(scores, Score()).loss(self.metric),
        )
