"""What each gate does to the loss of a policy that retrains, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from perennial.domain.replaying.policies import Promotion
from perennial.domain.replaying.ranking import versus
from perennial.domain.replaying.resampling import mean_loss
from perennial.domain.replaying.trials import Trial
from perennial.domain.words import counted

LEAST_RETURNS = 2
"""Fewest returns on whose evidence an automatic return is advised: one may be luck."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One gate against the next weaker one, on the same rows.

    Attributes:
        promotion: the gate.
        against: the next weaker one.
        loss: the metric over all scored files.
        difference: how much higher than without it, relative.
        low, high: 95 % interval of the difference.
        challengers: how many met the champion.
        rejected: how many of these were turned down.
        returns: how often probation went back to an earlier model.
    """

    promotion: Promotion
    against: Promotion
    loss: float
    difference: float
    low: float
    high: float
    challengers: int
    rejected: int
    returns: int

    @property
    def answer(self) -> Literal["pays", "harms", "no difference"]:
        """What the interval says."""
        return "pays" if self.high < 0 else "harms" if self.low > 0 else "no difference"

    @property
    def is_advised(self) -> bool:
        """Whether the definition should say so.

        Of the duel always, which also stops broken recipes; of an automatic return where it surely
        pays, more than once.
        """
        if self.promotion != "duel+probation":
            return True
        return self.answer == "pays" and self.returns >= LEAST_RETURNS

    @property
    def sentence(self) -> str:
        """For people."""
        span = f"{self.difference:+.1%} (95 % interval {self.low:+.1%} to {self.high:+.1%})"
        if self.promotion == "duel":
            met = counted(self.challengers, "challenger")
            if not self.rejected:
                return f"The duel turned down none of {met}: it changes nothing here."
            return (
                f"The duel turned down {self.rejected} of {met} and changes the loss by {span}: "
                f"{_SAID[self.answer]}."
            )
        if not self.returns:
            return "Probation never went back to an earlier model: it changes nothing here."
        times = "once" if self.returns == 1 else f"{self.returns} times"
        return (
            f"Probation with automatic return went back {times} and changes the loss by another "
            f"{span}: {_SAID[self.answer]}, {self._so}."
        )

    @property
    def _so(self) -> str:
        if self.is_advised:
            return "so `probation: return`"
        if self.answer == "pays":
            return "but a single return may be luck, so leave `probation: alert`"
        return "so leave `probation: alert`"


_SAID = {"pays": "it pays on this history", "harms": "it does harm on this history"} | {
    "no difference": "no sure difference on this history"
}


def effects(
    free: Trial, gated: Sequence[Trial], rows: NDArray[np.float64], *, squared: bool, seed: int
) -> tuple[Effect, ...]:
    """Measure each gate against the next weaker one.

    Args:
        free: the policy without a gate.
        gated: the same policy behind each gate, the weakest first.
        rows: rows that count of each scored file.
        squared: whether the metric is the root of the mean.
        seed: of the resampling.
    """
    found, weaker = [], free
    for trial in gated:
        difference, low, high = versus(trial, weaker, rows, squared=squared, seed=seed)
        found.append(
            Effect(
                promotion=trial.policy.promotion,
                against=weaker.policy.promotion,
                loss=mean_loss(trial.sums, rows, squared=squared),
                difference=difference,
                low=low,
                high=high,
                challengers=free.trainings - 1,
                rejected=trial.rejected,
                returns=len(trial.returns),
            )
        )
        weaker = trial
    return tuple(found)
