"""Which of two models is better, on rows that neither has learned."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from perennial.domain.evaluation.bootstrap import resampled_means
from perennial.domain.words import counted

Outcome = Literal["better", "not_worse", "worse", "inconclusive"]

CONFIDENCE = 0.95
CONSTANT = "a constant predictor"
"""The opponent of a pipeline's first version."""

_TAIL = 5  # one in so many of the new rows is held out
_SMALLEST_LOSS = 1e-12  # what a champion without any error is compared with


@dataclass(frozen=True, slots=True)
class DuelResult:
    """What a duel found.

    Attributes:
        outcome: what the interval says about the difference.
        promotes: whether the challenger passes, and so may serve. Whether it does is not for the
            duel to say: it may wait for a person, or behind a pin.
        rule: whether it passes and why, in one sentence that names its opponent.
        rows: rows of the duel.
        champion_loss, challenger_loss: the metric of each; None without rows.
        difference: challenger's loss minus champion's, relative to the champion's.
        error: standard error of the difference.
        low, high: its confidence interval.
        tolerance: the largest difference that counts as not worse.
        min_rows: fewest rows for an outcome other than inconclusive.
        seed: of the resampling.
    """

    outcome: Outcome
    promotes: bool
    rule: str
    rows: int
    champion_loss: float | None
    challenger_loss: float | None
    difference: float | None
    error: float | None
    low: float | None
    high: float | None
    tolerance: float
    min_rows: int
    seed: int


def tail_length(rows: int, min_duel_rows: int) -> int:
    """How many of the newest unlearned rows to hold out: a fifth, enough for a duel, at most half.

    Args:
        rows: rows that the champion has not learned.
        min_duel_rows: fewest rows for a duel with a firm answer.
    """
    return min(max(math.ceil(rows / _TAIL), min_duel_rows), rows // 2)


def duel(
    champion_losses: NDArray[np.float64],
    challenger_losses: NDArray[np.float64],
    *,
    opponent: str,
    tolerance: float,
    seed: int,
    min_rows: int,
    squared: bool = False,
) -> DuelResult:
    """Compare two models by their paired losses on the same rows.

    The 95 % interval of the relative difference comes from resampling blocks of time:

    - better: it lies below zero;
    - not worse: it lies within the tolerance;
    - worse: it lies beyond the tolerance;
    - inconclusive: anything else, and any duel of too few rows.

    Better and not worse pass, worse does not. An inconclusive challenger passes unless it is worse
    by more than the tolerance *and* a standard error: a model that is as good as the champion then
    fails one duel in six, however few the rows. Judged by the bare difference it would fail nearly
    one in two, and every failure costs the freshness of a file.

    Args:
        champion_losses: shape [N], in time order.
        challenger_losses: shape [N], of the same rows.
        opponent: what the sentence calls the champion: its version, or `CONSTANT`.
        tolerance: the largest relative difference that counts as not worse.
        seed: of the resampling.
        min_rows: fewest rows for an outcome other than inconclusive.
        squared: whether the losses are squares and their metric the root of the mean (`rmse`).
    """
    rows = len(champion_losses)
    if not rows:
        rule = f"inconclusive, passes: no rows are left that neither it nor {opponent} has learned"
        nothing = (None,) * 6
        return DuelResult("inconclusive", True, rule, 0, *nothing, tolerance, min_rows, seed)
    before, after = float(np.mean(champion_losses)), float(np.mean(challenger_losses))
    resamples = resampled_means(challenger_losses - champion_losses, seed=seed)
    scale = max(before, _SMALLEST_LOSS)
    differences = np.append(resamples, after - before) / scale
    if squared:
        # Resampled ratios of positive means can only fall below zero by rounding.
        differences = np.sqrt(np.maximum(1 + differences, 0)) - 1
        before, after = before**0.5, after**0.5
    resamples, difference = differences[:-1], float(differences[-1])
    low, high = (
        float(q) for q in np.quantile(resamples, [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2])
    )
    error = float(resamples.std())
    outcome = _outcome(low, high, tolerance) if rows >= min_rows else "inconclusive"
    promotes = outcome in ("better", "not_worse") or (
        outcome == "inconclusive" and difference - error <= tolerance
    )
    rule = (
        f"{outcome.replace('_', ' ')}, {'passes' if promotes else 'does not pass'}: "
        f"the loss is {abs(difference):.1%} {'lower' if difference < 0 else 'higher'} "
        f"than {opponent}'s {_precision(error, low, high, tolerance)} on {counted(rows, 'row')}"
        + (f", fewer than the {min_rows} of a firm answer" if rows < min_rows else "")
    )
    return DuelResult(
        outcome, promotes, rule, rows, before, after, difference, error, low, high, tolerance,
        min_rows, seed,
    )  # fmt: skip


def _outcome(low: float, high: float, tolerance: float) -> Outcome:
    if high < 0:
        return "better"
    if high <= tolerance:
        return "not_worse"
    return "worse" if low > tolerance else "inconclusive"


def _precision(error: float, low: float, high: float, tolerance: float) -> str:
    return (
        f"(95 % interval {low:+.1%} to {high:+.1%}, standard error {error:.1%}; "
        f"tolerance {tolerance:.1%})"
    )
