"""One challenge: what is new is predicted first, then held out in part, then learned.

The challenger that meets the champion has not seen the held-out rows, and neither has the champion.
The model that serves afterwards is trained once more with them (`freshness: refit`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.domain.definition import Definition
from perennial.domain.duel import CONSTANT, DuelResult, duel, tail_length
from perennial.domain.frames import columns_of
from perennial.domain.lineage import Batch, Lineage, lineage, within
from perennial.domain.manifest import Manifest
from perennial.domain.registry import Status
from perennial.domain.scoring import Constant, Score, row_losses, score
from perennial.domain.training import Model, fit
from perennial.domain.verdict import VerdictSummary
from perennial.domain.words import counted
from perennial.errors import NotTrainable
from perennial.ports import Scorer
from perennial.workflows.rows import Rows
from perennial.workflows.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class Champion:
    """The version that serves, ready to predict."""

    manifest: Manifest
    lineage: Lineage
    scorer: Scorer

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Its answers for these rows; a column that its successor's recipe dropped is missing."""
        names = [one.name for one in self.manifest.inputs]
        columns = columns_of(self.manifest.inputs, frame.reindex(columns=names))
        return np.asarray(self.scorer.predict(columns), dtype=np.float64)

    def score(self, definition: Definition, frame: pd.DataFrame) -> Score:
        """Its score on labelled rows that it has not learned."""
        truth = frame[definition.label].to_numpy()
        return score(definition.task, truth, self.predict(frame), self.manifest.classes)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that has been judged.

    Attributes:
        model: what would serve.
        lineage: what it knows.
        trained_rows: how many rows it learned.
        held_out: the rows of the duel, for the parity and smoke gates.
        status: what the duel and the promotion mode make of it; a pin may still keep it waiting.
        reason: how the duel ended, in one sentence.
        evaluation: every number behind the decision.
    """

    model: Model
    lineage: Lineage
    trained_rows: int
    held_out: pd.DataFrame
    status: Status
    reason: str
    evaluation: dict[str, Any]


def challenge(
    definition: Definition,
    batch: Batch,
    rows: Rows,
    champion: Champion | None,
    watch: Stopwatch,
) -> Candidate:
    """Train a challenger, let it meet the champion, and train what would serve.

    Args:
        definition: the recipe.
        batch: the accepted files, sorted by what the champion knows of them.
        rows: their rows.
        champion: None for a first version, whose rival is then a constant predictor.
        watch: times the steps.

    Raises:
        NotTrainable: when the rows cannot give a model.
    """
    used = within(definition.training.window, batch.history)
    with watch("read"):
        held_out = _held_out(definition, batch, rows, champion)
        trained = _before(definition, batch, rows, held_out)
    with watch("train"):
        model = fit(definition, trained, among=_among(trained, held_out))
    with watch("duel"):
        result = _duel(definition, model, champion, trained, held_out)
    refit = result.promotes and len(held_out) > 0
    if refit:
        with watch("refit"):
            trained = rows.of_all(used)
            model = fit(definition, trained)
    status: Status = "rejected"
    if result.promotes:
        status = "approved" if definition.promotion.mode == "automatic" else "waiting"
    return Candidate(
        model=model,
        lineage=lineage(batch.history, used, rows.portions(trained)),
        trained_rows=len(trained),
        held_out=held_out if len(held_out) else trained.tail(definition.promotion.min_duel_rows),
        status=status,
        reason=result.rule,
        evaluation={
            "champion": champion.manifest.version if champion else None,
            "metric": definition.metric,
            "duel": asdict(result),
            "held_out": describe(definition, held_out),
            "trained": describe(definition, trained),
            "refit": refit,
            "mode": definition.promotion.mode,
        },
    )


def _among(trained: pd.DataFrame, held_out: pd.DataFrame) -> str:
    """Which of the rows a challenger learns from: what is missing there may be in the others."""
    if not len(held_out):
        return ""
    return (
        f" in the {counted(len(trained), 'row')} before the newest {len(held_out):,}, "
        "which are held out to judge it on"
    )


def _held_out(
    definition: Definition, batch: Batch, rows: Rows, champion: Champion | None
) -> pd.DataFrame:
    """The newest rows that no model of this duel has learned, in time order."""
    if champion is not None:
        fresh = in_time_order(definition, rows.of_all(batch.proof))
        return fresh.tail(tail_length(len(fresh), definition.promotion.min_duel_rows))
    last = in_time_order(definition, rows.of_all(batch.history[-1:]))
    # A last file that outweighs all before it would leave too little to learn from.
    if 2 * len(last) <= sum(file.rows for file in batch.history):
        return last
    return last.tail(len(last) // 5)


def _before(
    definition: Definition, batch: Batch, rows: Rows, held_out: pd.DataFrame
) -> pd.DataFrame:
    """What the challenger learns: a window that ends where the held-out rows begin."""
    kept = held_out.groupby(level=0).size().to_dict()
    whole = {
        f for f in batch.history if f.file.stem in kept and len(rows.of(f)) == kept[f.file.stem]
    }
    files = [file for file in batch.history if file not in whole]
    learnable = rows.of_all(within(definition.training.window, files))
    return learnable.drop(index=held_out.index, errors="ignore")


def in_time_order(definition: Definition, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows by their event time, where they have one, else as the files came."""
    if definition.event_time is None:
        return frame
    return frame.sort_values(definition.event_time, kind="stable")


def _duel(
    definition: Definition,
    challenger: Model,
    champion: Champion | None,
    trained: pd.DataFrame,
    held_out: pd.DataFrame,
) -> DuelResult:
    label = definition.label
    truth = held_out[label].to_numpy()
    mine = challenger.predict(held_out) if len(held_out) else np.empty(0)
    if champion is not None:
        theirs = champion.predict(held_out) if len(held_out) else np.empty(0)
        their_classes: Sequence[object] = champion.manifest.classes
    else:
        constant = Constant.fit(definition, trained[label].to_numpy())
        theirs, their_classes = constant.predict(len(held_out)), constant.classes
    metric = definition.metric
    return duel(
        row_losses(metric, truth, theirs, their_classes),
        row_losses(metric, truth, mine, challenger.classes),
        opponent=champion.manifest.version if champion else CONSTANT,
        tolerance=definition.promotion.tolerance,
        seed=definition.training.seed,
        min_rows=definition.promotion.min_duel_rows,
        squared=metric == "rmse",
    )


def describe(definition: Definition, frame: pd.DataFrame) -> dict[str, Any]:
    """How many rows, and from when to when."""
    facts: dict[str, Any] = {"rows": len(frame)}
    if definition.event_time is not None and len(frame):
        times = frame[definition.event_time]
        facts |= {"first": times.min().isoformat(), "last": times.max().isoformat()}
    return facts


def require_rows(definition: Definition, files: Sequence[VerdictSummary]) -> None:
    """Refuse to make a first version of too few rows.

    Raises:
        NotTrainable: saying how many there are and how many it takes.
    """
    rows = sum(file.rows for file in files)
    if rows < definition.training.min_rows:
        raise NotTrainable(
            f"{counted(rows, 'row')} so far; a first version needs {definition.training.min_rows} "
            "(training.min_rows)"
        )
