"""The third test: a version serves because it was proved on rows that it had not learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from perennial.domain.checking.looks import Look, look
from perennial.domain.evaluation.scoring import Score
from perennial.domain.gating.cases import GateTest
from perennial.domain.words import counted


@dataclass(frozen=True, slots=True)
class QualityFacts:
    """What is known of a version's quality.

    Attributes:
        version: which one.
        status: what the registry says of it.
        evaluation: every number behind its decision.
        metric: the loss that its duel compared.
        progressive: its score on rows that came later, before anything learned from them.
        files: how many files these rows came in.
        gate: how the gate that let it pass does when it is tried now.
    """

    version: str
    status: str
    evaluation: Mapping[str, Any]
    metric: str
    progressive: Score
    files: int
    gate: GateTest


def judge_quality(facts: QualityFacts) -> Iterator[Look]:
    """Look at the duel, its floors, the standing, the progressive score, and the gate itself."""
    yield _duel(facts.evaluation)
    if floors := facts.evaluation.get("floors"):
        held = facts.evaluation.get("status") != "rejected"
        yield look("floors", held, "what it had to reach is on record", floors=floors)
    yield look(
        "standing", facts.status == "approved", f"the registry has it as {facts.status}",
        status=facts.status,
    )  # fmt: skip
    yield _progressive(facts)
    yield look(
        "gate",
        facts.gate.passed,
        facts.gate.complaint
        or f"it decides rightly about {counted(facts.gate.cases, 'challenger')} of known quality",
        **facts.gate.document(),
    )


def _duel(evaluation: Mapping[str, Any]) -> Look:
    duel = evaluation.get("duel")
    if not duel:
        return look("duel", None, "it met no champion: no duel is on record")
    return look("duel", bool(duel["promotes"]), duel["rule"], **duel)


def _progressive(facts: QualityFacts) -> Look:
    """What it shows on rows that came later: evidence that grows, and no verdict of its own."""
    metrics, rows = facts.progressive.metrics(), facts.progressive.rows
    if facts.metric not in metrics:
        return look("progressive score", True, "no labelled row came since it was made", rows=0)
    return look(
        "progressive score", True,
        f"{facts.metric} {metrics[facts.metric]:.4g} on {counted(rows, 'row')} of "
        f"{counted(facts.files, 'file')} before anything learned from them",
        rows=rows, files=facts.files, metrics=metrics,
    )  # fmt: skip
