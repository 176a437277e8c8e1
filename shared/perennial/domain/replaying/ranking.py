"""Policies side by side on the same rows: how far each is behind the best, and how surely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perennial.domain.replaying.resampling import draw_files, interval, mean_loss, resampled_losses
from perennial.domain.replaying.trials import Trial


@dataclass(frozen=True, slots=True)
class Ranked:
    """A policy's place.

    Attributes:
        trial: what became of it.
        loss: the metric over all scored files.
        difference: how much higher than the best, relative to it.
        low, high: 95 % interval of the difference, paired on the same resampled files.
        best_share: share of resamples in which no policy without a gate was better.
        near_share: share of resamples in which it was within the tolerance of the best.
    """

    trial: Trial
    loss: float
    difference: float
    low: float
    high: float
    best_share: float
    near_share: float


def rank(
    trials: Sequence[Trial],
    rows: NDArray[np.float64],
    *,
    squared: bool,
    tolerance: float,
    seed: int,
) -> list[Ranked]:
    """Compare policies, in the order given.

    Args:
        trials: at least one of them without a gate: the best is the best of those.
        rows: rows that count of each scored file.
        squared: whether the metric is the root of the mean.
        tolerance: the relative difference that does not matter.
        seed: of the resampling.
    """
    drawn = draw_files(len(rows), seed=seed)
    resampled = np.array(
        [resampled_losses(trial.sums, rows, drawn, squared=squared) for trial in trials]
    )
    losses = np.array([mean_loss(trial.sums, rows, squared=squared) for trial in trials])
    free = np.array([trial.policy.promotion == "none" for trial in trials])
    best = int(np.flatnonzero(free)[np.argmin(losses[free])])
    best_of_each = np.maximum(resampled[free].min(axis=0), 1e-12)
    found = []
    for place, trial in enumerate(trials):
        differences = relative(resampled[place], resampled[best])
        low, high = interval(differences)
        found.append(
            Ranked(
                trial=trial,
                loss=float(losses[place]),
                difference=float(losses[place] / max(losses[best], 1e-12) - 1),
                low=low,
                high=high,
                best_share=float((resampled[place] <= best_of_each).mean()),
                near_share=float((resampled[place] <= best_of_each * (1 + tolerance)).mean()),
            )
        )
    return found


def versus(
    one: Trial, other: Trial, rows: NDArray[np.float64], *, squared: bool, seed: int
) -> tuple[float, float, float]:
    """One policy's loss relative to another's: difference, and its 95 % interval."""
    return compare(one.sums, other.sums, rows, squared=squared, seed=seed)


def compare(
    mine: NDArray[np.float64],
    theirs: NDArray[np.float64],
    rows: NDArray[np.float64],
    *,
    squared: bool,
    seed: int,
) -> tuple[float, float, float]:
    """One loss relative to another on the same rows: difference, and its 95 % interval.

    Args:
        mine: losses of each file, shape [files].
        theirs: likewise, of what is compared with.
        rows: rows of each file, shape [files].
        squared: whether the metric is the root of the mean.
        seed: of the resampling, which is the same for both.
    """
    drawn = draw_files(len(rows), seed=seed)
    resampled = relative(
        resampled_losses(mine, rows, drawn, squared=squared),
        resampled_losses(theirs, rows, drawn, squared=squared),
    )
    before = mean_loss(theirs, rows, squared=squared)
    difference = mean_loss(mine, rows, squared=squared) / max(before, 1e-12) - 1
    return (difference, *interval(resampled))


def relative(losses: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much higher some losses are than others, relative to these."""
    return losses / np.maximum(others, 1e-12) - 1
