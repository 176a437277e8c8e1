"""What a version's predictions of some rows tell: its score, its course over time, its slices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.scoring import Constant, Score, row_losses, score
from perennial.domain.modelling.labels import Classes

if TYPE_CHECKING:  # whoever reads the ledger imports this module, and needs no frames
    import pandas as pd

BLOCKS = 24
"""Blocks of time in which a file's loss is kept: enough to tell chance from change."""

VALUES = 10
"""Values of a slicing column that are measured apart; the rarer ones are one more together."""

OTHERS = "(others)"
MISSING = "(missing)"
_LONGEST = 40  # characters of a value's name

Slices = Mapping[str, Mapping[str, Score]]
"""By slicing column and value."""


def told(slices: Slices) -> dict[str, Any]:
    """Slices ready for JSON: rows and metrics by column and value."""
    return {
        column: {value: {"rows": s.rows, "metrics": s.metrics()} for value, s in found.items()}
        for column, found in slices.items()
    }


def merged(parts: Iterable[Slices]) -> Slices:
    """Slices of disjoint rows, added up."""
    total: dict[str, dict[str, Score]] = {}
    for slices in parts:
        for column, values in slices.items():
            of_column = total.setdefault(column, {})
            for value, part in values.items():
                of_column[value] = of_column.get(value, Score()) + part
    return total


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that follow each other in time, and the sum of their losses in the duel's metric."""

    rows: int
    loss: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """How a version predicted some rows.

    Attributes:
        score: over all of them.
        blocks: over up to `BLOCKS` blocks of time, in order. The blocks of two versions on the same
            rows are the same rows, so that the versions can be compared pair by pair.
        slices: over the rows of each value of the declared slicing columns.
        metric: the duel's metric then, in which the blocks are.
        constant: that metric of the best constant answer to these very rows; None without rows.
    """

    score: Score
    blocks: tuple[Block, ...] = ()
    slices: Slices = field(default_factory=dict)
    metric: str = ""
    constant: float | None = None


def measure(
    definition: Definition, frame: pd.DataFrame, prediction: ArrayLike, classes: Classes
) -> Measurement:
    """Measure predictions of N labelled rows.

    Args:
        definition: the task, the metric, the slices, and which column is the time.
        frame: the rows.
        prediction: shape [N] for regression, probabilities [N, classes] otherwise.
        classes: what the columns of the probabilities mean.
    """
    truth = frame[definition.label].to_numpy()
    answers = np.asarray(prediction, dtype=np.float64)
    losses = row_losses(definition.metric, truth, answers, classes)
    slices = {
        column: {
            value: score(definition.task, truth[rows], answers[rows], classes)
            for value, rows in sliced(frame[column]).items()
        }
        for column in definition.promotion.slices
    }
    return Measurement(
        score=score(definition.task, truth, answers, classes),
        blocks=_blocks(losses[_in_time_order(definition, frame)]),
        slices=slices,
        metric=definition.metric,
        constant=best_constant(definition, truth),
    )


def best_constant(definition: Definition, truth: NDArray[Any]) -> float | None:
    """The metric of the answer that is best for these labels without a look at the rows.

    Args:
        definition: the task and the metric.
        truth: N labels; without any, None comes back.
    """
    if not len(truth):
        return None
    best = Constant.fit(definition, truth)
    answers = best.predict(len(truth))
    mean = float(row_losses(definition.metric, truth, answers, best.classes).mean())
    return mean**0.5 if definition.metric == "rmse" else mean


def sliced(column: pd.Series) -> dict[str, NDArray[np.bool_]]:
    """For each of a column's most frequent values, which rows have it: masks of shape [N]."""
    names = column.astype(object).where(column.notna(), MISSING).map(lambda v: str(v)[:_LONGEST])
    counts = names.value_counts()
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    common = [str(name) for name, _ in ranked[:VALUES]]
    masks = {name: (names == name).to_numpy() for name in sorted(common)}
    if len(ranked) > VALUES:
        masks[OTHERS] = (~names.isin(common)).to_numpy()
    return masks


def _in_time_order(definition: Definition, frame: pd.DataFrame) -> NDArray[np.intp]:
    if definition.event_time is None:
        return np.arange(len(frame))
    times = frame[definition.event_time].reset_index(drop=True)
    order: NDArray[np.intp] = times.argsort(kind="stable").to_numpy()
    return order


def _blocks(losses: NDArray[np.float64]) -> tuple[Block, ...]:
    parts = np.array_split(losses, min(BLOCKS, len(losses))) if len(losses) else []
    return tuple(Block(len(part), float(part.sum())) for part in parts)
