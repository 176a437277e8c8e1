"""How a model ages: its loss on a file against that of one trained just before the file.

Both learned equally many files, so that only their age differs. (A model trained once also loses
against one that is retrained on all history because it knows less; that is not age.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perennial.domain.definitions.recipe import Metric
from perennial.domain.evaluation.bootstrap import block_length
from perennial.domain.replaying.fits import Fit, Fitted
from perennial.domain.replaying.history import History
from perennial.domain.replaying.policies import MIN_SCORED, Plan, learnable
from perennial.domain.replaying.resampling import (
    draw_files,
    interval,
    mean_loss,
    resampled_losses,
    times_drawn,
)
from perennial.domain.replaying.trials import loss_on


@dataclass(frozen=True, slots=True)
class Aged:
    """Models of one age.

    Attributes:
        age: files that came between this model and the newest one.
        files: how many files it was measured on.
        loss: the metric of the models of this age.
        fresh: the metric of the newest models, on the same rows.
        excess: how much higher, relative to the newest: .1 is ten per cent.
        low, high: 95 % interval of the excess.
    """

    age: int
    files: int
    loss: float
    fresh: float
    excess: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Decay:
    """A decay curve.

    Attributes:
        window: files that each of the models learned.
        curve: by age, from 0.
        excess: mean relative excess of a model of any age from 1 to the oldest.
        low, high: its 95 % interval.
        surely: share of resamples in which it is above the tolerance.
    """

    window: int
    curve: tuple[Aged, ...]
    excess: float
    low: float
    high: float
    surely: float


def decay(
    plan: Plan,
    history: History,
    metric: Metric,
    fits: Mapping[Fit, Fitted],
    rows: NDArray[np.float64],
    *,
    tolerance: float,
    seed: int,
) -> Decay:
    """Measure how models age, on every pair of a file and an earlier training.

    Args:
        plan: what was tried.
        history: the files.
        metric: the loss.
        fits: every fit of the plan.
        rows: rows that count of each scored file.
        tolerance: the relative excess that does not matter.
        seed: of the resampling.
    """
    # The window of as many files as the first model learned, if it was tried, else the nearest.
    window = min(plan.windows or (plan.files,), key=lambda files: abs(files - plan.first))
    step = plan.cadences[0]
    losses = _losses_by_age(plan, history, metric, fits, window, step)
    squared = metric == "rmse"
    curve = []
    for place, aged in enumerate(losses):
        known = ~np.isnan(aged) & ~np.isnan(losses[0])
        if int(known.sum()) < min(MIN_SCORED, len(aged)):
            break
        drawn = draw_files(int(known.sum()), seed=seed)
        old = resampled_losses(aged[known], rows[known], drawn, squared=squared)
        new = resampled_losses(losses[0][known], rows[known], drawn, squared=squared)
        loss = mean_loss(aged[known], rows[known], squared=squared)
        fresh = mean_loss(losses[0][known], rows[known], squared=squared)
        low, high = interval(_excess(old, new))
        curve.append(
            Aged(place * step, int(known.sum()), loss, fresh,
                 float(_excess(np.array(loss), np.array(fresh))), low, high)
        )  # fmt: skip
    older = losses[: len(curve)]
    return _summary(
        window, tuple(curve), older, step, squared=squared, tolerance=tolerance, seed=seed
    )


def _summary(
    window: int,
    curve: tuple[Aged, ...],
    losses: NDArray[np.float64],
    step: int,
    *,
    squared: bool,
    tolerance: float,
    seed: int,
) -> Decay:
    """Average over the ages of the curve, file by file.

    Files are resampled, and so are the trainings: which rows a model happened to learn is chance,
    too. Trainings whose windows overlap are alike, so blocks are as long as a window.
    """
    old = _by_training(losses[1:], step)
    known = ~np.isnan(losses[0]) & ~np.isnan(old).all(axis=0)
    old, new = old[:, known], losses[0][known]
    files = len(new)
    if not files:
        return Decay(window, curve, 0.0, 0.0, 0.0, 0.0)
    block = max(block_length(files), min(window, files // 4))
    drawn = times_drawn(draw_files(files, seed=seed, block=block))
    trained = times_drawn(draw_files(len(old), seed=seed + 1, block=max(1, block // step)))
    # One resample more, of everything once, gives the estimate itself.
    drawn = np.vstack([drawn, np.ones(files)])
    trained = np.vstack([trained, np.ones(len(old))])
    measured = trained @ (~np.isnan(old)).astype(np.float64)
    means = trained @ np.nan_to_num(old) / np.maximum(measured, 1.0)
    drawn = drawn * (measured > 0)
    before = np.maximum((drawn * means).sum(axis=1), 0.0)
    excess = _excess(before, drawn @ new)
    if squared:
        excess = np.sqrt(1 + excess) - 1
    low, high = interval(excess[:-1])
    surely = float((excess[:-1] > tolerance).mean())
    return Decay(window, curve, float(excess[-1]), low, high, surely)


def _by_training(older: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """From losses by age and file to losses by training and file: shape [trainings, files]."""
    files = older.shape[1]
    found = np.full((max(1, -(-files // step)), files), np.nan)
    for age, losses in enumerate(older, start=1):
        for file in np.flatnonzero(~np.isnan(losses)):
            found[file // step - age, file] = losses[file]
    return found


def _losses_by_age(
    plan: Plan,
    history: History,
    metric: Metric,
    fits: Mapping[Fit, Fitted],
    window: int,
    step: int,
) -> NDArray[np.float64]:
    """Summed losses by age in steps and by scored file; not a number where there is no model."""
    ages = plan.horizon // step + 1
    found = np.full((ages, len(plan.scored)), np.nan)
    for place, file in enumerate(plan.scored):
        newest = plan.first + place // step * step
        for age in range(ages):
            trained = newest - age * step
            if trained < plan.first or file >= min(plan.files, trained + plan.horizon):
                break
            learned = learnable(range(trained), window)
            fitted = fits[Fit(learned)]
            if len(learned) == window and not fitted.error:
                found[age, place] = loss_on(history, fitted, file, metric)
    return found


def _excess(old: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
    return old / np.maximum(new, 1e-12) - 1
