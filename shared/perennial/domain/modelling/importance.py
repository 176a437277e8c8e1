"""Which columns a model needs: how its loss rises when one of them is shuffled among the rows.

Permutation importance on rows that the model has not learned. Source: Breiman, "Random forests",
Machine Learning 45 (2001); for any model: Fisher, Rudin and Dominici, "All models are wrong, but
many are useful", JMLR 20 (2019).

Columns are shuffled one at a time, so of two that tell the same a model may seem to need neither:
leaving one out and training again (`perennial ablate`) is the surer test.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.definitions.recipe import Metric
from perennial.domain.evaluation.bootstrap import resampled_means
from perennial.domain.evaluation.duel import CONFIDENCE
from perennial.domain.evaluation.scoring import row_losses
from perennial.domain.modelling.frames import columns_of
from perennial.domain.modelling.inputs import encode
from perennial.domain.modelling.training import Model

PERMUTATIONS = 5
"""Of each column; a row's loss is averaged over them."""

MAX_ROWS = 2_000
"""The newest held-out rows that are used: enough, and the cost is bounded."""

MAX_ANSWERS = 60_000
"""Predictions that all columns together may take, a quarter of a second of trees; a table of many
columns uses fewer rows."""

_TEXT_COSTS = 5  # times as much as numbers do

_ROUNDING = 1e-9  # of the loss: what a column that the model never reads may seem to change

Help = Literal["helps", "unproven", "hurts"]
"""`helps`: the whole interval of what the loss rises by lies above zero; `hurts`: below it."""


@dataclass(frozen=True, slots=True)
class Importance:
    """What a column is to a model.

    Attributes:
        column: its name.
        rise: how much higher the metric is when the column is shuffled, in the metric's own unit.
        low, high: its 95 % interval, from resampled blocks of time.
        verdict: what the interval says.
    """

    column: str
    rise: float
    low: float
    high: float
    verdict: Help


@dataclass(frozen=True, slots=True)
class Importances:
    """What every column is to a model.

    Attributes:
        metric: the definition's.
        loss: the metric on these rows, nothing shuffled.
        rows: rows that were used, the newest of those held out.
        held_out: rows that were held out.
        permutations: of each column.
        columns: the one whose loss would rise most comes first.
    """

    metric: Metric
    loss: float
    rows: int
    held_out: int
    permutations: int
    columns: tuple[Importance, ...]

    def document(self) -> dict[str, Any]:
        """Ready for JSON, with the names of the columns that are not proven to help."""
        unproven = [one.column for one in self.columns if one.verdict != "helps"]
        return asdict(self) | {"not_proven_to_help": unproven}


def importances(definition: Definition, model: Model, held_out: pd.DataFrame) -> Importances | None:
    """Shuffle each column among the held-out rows, all in one call of the model.

    Args:
        definition: names label, metric and seed.
        model: one that has not learned these rows.
        held_out: N typed and labelled rows, in time order.

    Returns:
        None when there are fewer than two rows, among which nothing can be shuffled.
    """
    if len(held_out) < 2:
        return None
    used = held_out.tail(_rows_for(model))
    count, metric = len(used), definition.metric
    given = encode(model.inputs, columns_of(model.inputs, used))
    # One block of rows as they are, then a block for each column and permutation.
    orders = _orders(count, seed=definition.training.seed)
    blocks = 1 + len(model.inputs) * PERMUTATIONS
    asked = {}
    for place, one in enumerate(model.inputs):
        at = np.tile(np.arange(count), blocks)
        mine = slice((1 + place * PERMUTATIONS) * count, (1 + (place + 1) * PERMUTATIONS) * count)
        at[mine] = orders.ravel()
        asked[one.tensor] = given[one.tensor][at]
    truth = np.tile(used[definition.label].to_numpy(), blocks)
    losses = row_losses(metric, truth, model.answer(asked), model.classes).reshape(blocks, count)
    usual = losses[0]
    shuffled = losses[1:].reshape(len(model.inputs), PERMUTATIONS, count).mean(axis=1)
    found = [
        _importance(one.name, metric, usual, row, seed=definition.training.seed)
        for one, row in zip(model.inputs, shuffled, strict=True)
    ]
    return Importances(
        metric=metric,
        loss=float(_metric(metric, usual.mean())),
        rows=count,
        held_out=len(held_out),
        permutations=PERMUTATIONS,
        columns=tuple(sorted(found, key=lambda one: -one.rise)),
    )


def _rows_for(model: Model) -> int:
    answers = MAX_ANSWERS // _TEXT_COSTS if model.text else MAX_ANSWERS
    return max(2, min(MAX_ROWS, answers // (len(model.inputs) * PERMUTATIONS)))


def _orders(count: int, *, seed: int) -> NDArray[np.int64]:
    """The permutations, the same ones for every column: shape [PERMUTATIONS, count]."""
    places = np.tile(np.arange(count), (PERMUTATIONS, 1))
    return np.random.default_rng(seed).permuted(places, axis=1)


def _importance(
    column: str,
    metric: Metric,
    usual: NDArray[np.float64],
    shuffled: NDArray[np.float64],
    *,
    seed: int,
) -> Importance:
    """Compare paired losses of the same rows, each of shape [N]."""
    before = float(usual.mean())
    differences = np.append(resampled_means(shuffled - usual, seed=seed), (shuffled - usual).mean())
    rises = _metric(metric, before + differences) - _metric(metric, before)
    tail = 0.5 - CONFIDENCE / 2
    low, high = (float(q) for q in np.quantile(rises[:-1], [tail, 1 - tail]))
    least = _ROUNDING * before
    verdict: Help = "helps" if low > least else "hurts" if high < -least else "unproven"
    return Importance(column, float(rises[-1]), low, high, verdict)


def _metric(metric: Metric, mean: Any) -> Any:
    """The metric that a mean loss, or each of several, gives."""
    return np.sqrt(np.maximum(mean, 0.0)) if metric == "rmse" else mean
