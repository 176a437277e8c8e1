"""A pipeline at a glance: what serves, how well, and whether it needs somebody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from perennial.domain.charts.pipeline import ScoredFile
from perennial.domain.definitions.definition import Definition
from perennial.domain.definitions.recipe import Metric
from perennial.domain.evaluation.scoring import Score
from perennial.domain.health import WORDS, State, health
from perennial.domain.monitoring.report import Watch
from perennial.domain.verdict import VerdictSummary, lying_there
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Head
from perennial.ports import Clock, JobLauncher, ObjectStore
from perennial.workflows.console.records import Records
from perennial.workflows.console.snapshots import Snapshot, Snapshots
from perennial.workflows.console.versions import Versions
from perennial.workflows.ledger import serving
from perennial.workflows.monitoring.watches import latest_watch
from perennial.workflows.queue import is_at_work
from perennial.workflows.registry import Registry


@dataclass(frozen=True, slots=True)
class Glance:
    """What is known of a pipeline without looking closer.

    Attributes:
        head: its registry now.
        definition: in force.
        champion: what serves; None before a first version.
        age_seconds: since the champion was made.
        snapshot: listings.
        watch: what the monitor saw last; None before its first look.
        points: the progressive score, file by file, in time order.
        value: over all of them; None before any.
        counts: files by decision.
        held: files of which something lies in quarantine.
        run: of the claim at work; empty without one.
        health: in a word.
        reasons: why, one sentence each, with the worst first.
    """

    head: Head
    definition: Definition
    champion: Manifest | None
    age_seconds: float | None
    snapshot: Snapshot
    watch: Watch | None
    points: Sequence[ScoredFile]
    value: float | None
    counts: Mapping[str, int]
    held: Sequence[VerdictSummary]
    run: str
    health: State
    reasons: Sequence[str] = field(default_factory=tuple)

    @property
    def name(self) -> str:
        """The pipeline's."""
        return self.head.pipeline

    @property
    def word(self) -> str:
        """Health as people say it."""
        return WORDS[self.health]


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Gathers what pages show.

    Attributes:
        data: the data bucket.
        registry: pipelines and versions.
        launcher: knows which runs are over.
        clock: the time.
        snapshots: listings.
        records: what never changes.
    """

    data: ObjectStore
    registry: Registry
    launcher: JobLauncher
    clock: Clock
    snapshots: Snapshots
    records: Records

    def versions(self, pipeline: str) -> Versions:
        """What is known of a pipeline's versions.

        Raises:
            NotFoundError: naming the pipelines that exist.
        """
        head = self.registry.require(pipeline)
        metric = self.records.definition(head).metric
        return Versions(self.records, head, metric, self.snapshots.of(pipeline).ledger)

    def glance(self, pipeline: str) -> Glance:
        """Look at a pipeline.

        Raises:
            NotFoundError: naming those that exist.
        """
        head = self.registry.require(pipeline)
        definition = self.records.definition(head)
        champion = self.records.manifest(head, head.champion) if head.champion else None
        snapshot = self.snapshots.of(pipeline)
        watch = latest_watch(self.data, pipeline)
        points, value = _scored(snapshot, definition.metric)
        held = lying_there(snapshot.files)
        at_work = is_at_work(head, self.launcher, self.clock)
        found = health(
            head,
            held,
            snapshot.runs[-1:],
            watch.findings if watch else (),
            at_work=at_work,
        )
        now = self.clock.now()
        return Glance(
            head=head,
            definition=definition,
            champion=champion,
            age_seconds=max((now - champion.created).total_seconds(), 0.0) if champion else None,
            snapshot=snapshot,
            watch=watch,
            points=points,
            value=value,
            counts=Counter(file.decision for file in snapshot.files),
            held=held,
            run=head.claim.run if at_work and head.claim else "",
            health=found.state,
            reasons=tuple(one.reason for one in found.reasons),
        )


def _scored(snapshot: Snapshot, metric: Metric) -> tuple[list[ScoredFile], float | None]:
    """Each file's loss, and that over all; thousands of them, so nothing else of a score is."""
    first = serving(snapshot.ledger)
    points: list[ScoredFile] = []
    rows, total = 0, 0.0
    for file in sorted(snapshot.files, key=lambda file: file.order):
        entry = first.get(file.file.stem)
        if entry is None or file.decision != "accepted":
            continue
        value = entry.score.loss(metric)
        points.append(
            ScoredFile(file.file.name, file.order[0], entry.version, value, entry.score.rows)
        )
        rows += entry.score.rows
        total += entry.score.sums.get(metric, 0.0)
    return points, Score(rows, {metric: total}).loss(metric)
