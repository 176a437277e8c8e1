"""Probation of the champion: the evidence of the ledger, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.measuring import Block
from perennial.domain.evaluation.probation import LAGS, POOLED_FILES, Evidence, Meeting, best, weigh
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning import registry as state
from perennial.domain.versioning.lineage import Lineage
from perennial.domain.versioning.registry import Head
from perennial.workflows.ledger import Entry, serving
from perennial.workflows.registry import Registry


@dataclass(frozen=True, slots=True)
class Finding:
    """An earlier champion that is surely better, and what the champion has learned since.

    Attributes:
        champion: the version that serves.
        evidence: how they compare.
        files: the accepted files that the champion has learned and the predecessor has not.
    """

    champion: str
    evidence: Evidence
    files: tuple[VerdictSummary, ...]

    @property
    def sentence(self) -> str:
        """What was found, and in which files the reason must lie."""
        names = ", ".join(file.file.name for file in self.files) or "no file"
        return f"{self.evidence.sentence}; {self.champion} has learned since: {names}"


def weigh_predecessors(
    definition: Definition,
    head: Head,
    entries: Sequence[Entry],
    accepted: Sequence[VerdictSummary],
) -> list[Evidence]:
    """Compare the champion's line with each predecessor on what came after it.

    A predecessor is measured on files that a newer version of its line served: who was left by a
    rollback or an automatic return says nothing of those who came back.

    Args:
        definition: the metric and the duel's settings.
        head: the champion and its predecessors.
        entries: the ledger.
        accepted: the files that count.
    """
    line = [v for v in (head.champion, *head.predecessors) if v]
    served = serving(entries)
    scored = {(entry.stem, entry.version): entry for entry in entries}
    ordered = [f for f in sorted(accepted, key=lambda f: f.order) if f.file.stem in served]
    found: list[Evidence] = []
    for lag in LAGS:
        if lag >= len(line):
            break
        meetings = [
            _meeting(definition, file, served[file.file.stem], scored[file.file.stem, line[lag]])
            for file in ordered
            if served[file.file.stem].version in line[:lag]
            and (file.file.stem, line[lag]) in scored
        ]
        evidence = weigh(
            line[lag],
            meetings[-POOLED_FILES:],
            min_rows=definition.promotion.min_duel_rows,
            seed=definition.training.seed,
            squared=definition.metric == "rmse",
        )
        found += [evidence] if evidence else []
    return found


def judge(
    definition: Definition,
    head: Head,
    entries: Sequence[Entry],
    accepted: Sequence[VerdictSummary],
    registry: Registry,
    champion: Lineage,
) -> Finding | None:
    """The predecessor that is surely better, if there is one, and the files to look at."""
    if definition.promotion.probation is None or head.champion is None:
        return None
    evidence = best(weigh_predecessors(definition, head, entries, accepted))
    if evidence is None:
        return None
    manifest = registry.manifest(head.pipeline, evidence.predecessor, head=head)
    known = Lineage.from_json(registry.read_version_file(manifest, "lineage.json"))
    since = champion.used - known.stems
    return Finding(head.champion, evidence, tuple(f for f in accepted if f.file.stem in since))


def go_back(registry: Registry, head: Head, to: str, why: str, run: str) -> Head:
    """Make a predecessor the champion again. Raises `CommitConflict` when the champion moved."""
    return registry.commit(
        head.pipeline,
        partial(state.go_back, to=to, epoch=head.epoch, against=str(head.champion)),
        action="return",
        by=f"run {run}",
        why=why,
        version=to,
    )


def _meeting(definition: Definition, file: VerdictSummary, served: Entry, theirs: Entry) -> Meeting:
    """Two entries of a file; empty where they are not of the same rows, or of another metric."""
    before, after = served.measured.blocks, theirs.measured.blocks
    metrics = {served.measured.metric, theirs.measured.metric}
    same = metrics == {definition.metric} and _rows(before) == _rows(after)
    return Meeting(
        file.file.name,
        served.score.rows if same else 0,
        np.array([block.loss for block in before]),
        np.array([block.loss for block in after]),
    )


def _rows(blocks: Sequence[Block]) -> list[int]:
    return [block.rows for block in blocks]
