"""How a model ages: its loss on the latest files against that on the first ones it did not learn.

All of these files were predicted, and none was learned, so that only time lies between the two.
A season between them looks like age, too: a replay, which retrains, can tell the two apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from perennial.domain.definitions.recipe import Metric
from perennial.domain.evaluation.scoring import Score
from perennial.domain.replaying.resampling import (
    draw_files,
    interval,
    mean_loss,
    resampled_losses,
)
from perennial.domain.words import counted

FEWEST = 4
"""Files at each end: of fewer, resampling says nothing of how much files differ."""
_SHARE = 4  # one in so many files is at each end, where there are many
_SMALLEST_LOSS = 1e-12


@dataclass(frozen=True, slots=True)
class Ageing:
    """What later files say of a model.

    Attributes:
        version: the model.
        trained_through: place in time of the newest row that it learned.
        files: how many were scored since.
        days: from there to the newest of them.
        metric: the loss.
        compared: how many files at each end; 0 where there are too few of them.
        first, latest: the loss on the first and on the latest of these; None where not compared.
        change: latest against first, relative: .1 is ten per cent higher.
        low, high: its 95 % interval.
        sentence: what a person reads.
    """

    version: str
    trained_through: datetime
    files: int
    days: float
    metric: Metric
    compared: int
    first: float | None
    latest: float | None
    change: float | None
    low: float | None
    high: float | None
    sentence: str


def ageing(
    pipeline: str,
    version: str,
    trained_through: datetime,
    newest: datetime,
    scores: Sequence[Score],
    metric: Metric,
    *,
    seed: int,
) -> Ageing:
    """Compare both ends of what a model has predicted.

    Blocks of neighbouring files are resampled at each end.

    Args:
        pipeline: whose model.
        version: the model.
        trained_through: place in time of the newest row that it learned.
        newest: that of the newest file it has predicted.
        scores: on the files since, in time order.
        metric: which of their losses.
        seed: of the resampling.
    """
    days = max(0.0, (newest - trained_through).total_seconds() / 86400)
    about = (version, trained_through, len(scores), round(days, 2), metric)
    if len(scores) < 2 * FEWEST:
        lacks = (
            f"{counted(len(scores), 'file')} scored since {version} was trained; it takes "
            f"{2 * FEWEST} to say how it ages"
        )
        return Ageing(*about, 0, None, None, None, None, None, lacks)
    ends = max(FEWEST, len(scores) // _SHARE)
    sums = np.array([score.sums.get(metric, 0.0) for score in scores])
    rows = np.array([score.rows for score in scores], dtype=np.float64)
    squared = metric == "rmse"
    losses, resampled = [], []
    for place, end in enumerate((slice(None, ends), slice(-ends, None))):
        losses.append(mean_loss(sums[end], rows[end], squared=squared))
        drawn = draw_files(ends, seed=seed + place)
        resampled.append(resampled_losses(sums[end], rows[end], drawn, squared=squared))
    change = float(_change(np.array(losses[0]), np.array(losses[1])))
    low, high = interval(_change(resampled[0], resampled[1]))
    sentence = (
        f"{metric} on the last {ends} files is {abs(change):.0%} "
        f"{'higher' if change > 0 else 'lower'} ({low:+.0%} to {high:+.0%}) than on the first "
        f"{ends} after training; {_so_what(pipeline, low, high)}"
    )
    return Ageing(*about, ends, losses[0], losses[1], change, low, high, sentence)


def _change(first: NDArray[np.float64], latest: NDArray[np.float64]) -> NDArray[np.float64]:
    return latest / np.maximum(first, _SMALLEST_LOSS) - 1


def _so_what(pipeline: str, low: float, high: float) -> str:
    if low > 0:
        return f"`perennial replay {pipeline}` says whether retraining would pay"
    return "it does not age" if high <= 0 else "which may be chance"
