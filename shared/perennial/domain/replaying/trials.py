"""Following a policy through a history: what it would have lost, and what it would have cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perennial.domain.definitions.recipe import Metric
from perennial.domain.replaying.fits import Fit, Fitted
from perennial.domain.replaying.history import History
from perennial.domain.replaying.policies import Plan, Policy, learnable, static_fit
from perennial.errors import NotTrainable


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one policy.

    Attributes:
        policy: the policy.
        sums: the serving model's losses on each scored file: shape [scored files].
        trainings: how many it made.
        seconds: processor time of these trainings.
        failed: trainings that gave no model; the one before served on.
        rejected: challengers that a duel turned down.
        returns: files after which probation returned to an earlier model.
    """

    policy: Policy
    sums: NDArray[np.float64]
    trainings: int
    seconds: float
    failed: int = 0
    rejected: int = 0
    returns: tuple[int, ...] = ()


def scored_rows(plan: Plan, history: History) -> NDArray[np.float64]:
    """Rows of each scored file that count: shape [scored files]."""
    return history.sums((~history.repeated).astype(np.float64))[plan.first :]


def loss_on(history: History, fitted: Fitted, file: int, metric: Metric) -> float:
    """A model's summed loss on the rows of a file that prove something."""
    return float(fitted.at(metric, history.proof([file])).sum())


def follow(
    plan: Plan,
    history: History,
    policy: Policy,
    metric: Metric,
    fits: Mapping[Fit, Fitted],
) -> Trial:
    """Follow a policy without a gate: each file is predicted first, then learned.

    Args:
        plan: what is tried.
        history: the files.
        policy: one of the plan's.
        metric: the loss.
        fits: every fit that the plan wants.

    Raises:
        NotTrainable: when not even its first training gives a model.
    """
    serving = fits[static_fit(plan)]
    trained, failed = [serving], 0
    if policy.every is not None:
        trained = []
    sums = np.empty(len(plan.scored))
    for place, file in enumerate(plan.scored):
        if policy.every is not None and place % policy.every == 0:
            fitted = fits[Fit(learnable(range(file), policy.window))]
            trained.append(fitted)
            failed += bool(fitted.error)
            serving = serving if fitted.error else fitted
        if serving.error:
            raise NotTrainable(
                f"the first {plan.first} files give no model: {serving.error}; "
                "leave more of them for training with --first"
            )
        if file >= serving.through:  # nothing was trainable for longer than models are followed
            raise NotTrainable(
                f"{policy.name}: no training gave a model for {plan.horizon} files before "
                f"{history.names[file]}"
            )
        sums[place] = loss_on(history, serving, file, metric)
    seconds = sum(fitted.seconds for fitted in trained)
    return Trial(policy, sums, len(trained), seconds, failed)
