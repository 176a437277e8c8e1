"""Ablate a history: train without each column, or each source, and see what the next files say.

It reads, and writes nothing: the registry, the verdicts and the rows stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from perennial.domain.ablating.effects import Effect, doubtful, effects
from perennial.domain.ablating.variants import Plan
from perennial.domain.replaying.fits import Fitter
from perennial.workflows.replay import Source


@dataclass(frozen=True, slots=True)
class Ablated:
    """What an ablation found.

    Attributes:
        effects: of each thing that was left out, the most helpful first.
        together: of all columns at once that are not proven to help; None where that is no other
            question.
        trainings: how many distinct ones it took.
        seconds: their processor time.
    """

    effects: tuple[Effect, ...]
    together: Effect | None
    trainings: int
    seconds: float


def ablate(source: Source, plan: Plan, fitter: Fitter, *, seed: int = 0) -> Ablated:
    """Make the trainings of a plan and compare them.

    Args:
        source: the recipe and its history.
        plan: what to leave out in turn.
        fitter: makes the distinct trainings.
        seed: of the resampling.

    Raises:
        NotTrainable: when the whole recipe gives no model.
    """
    metric = source.definition.metric
    fits = dict(fitter(plan.wanted))
    found = effects(plan, source.history, metric, fits, seed=seed)
    together = None
    if (variant := doubtful(plan, found)) is not None:
        at_once = replace(plan, variants=(variant,))
        missing = {fit: through for fit, through in at_once.wanted.items() if fit not in fits}
        fits.update(fitter(missing))
        (together,) = effects(at_once, source.history, metric, fits, seed=seed)
    seconds = sum(fitted.seconds for fitted in fits.values())
    return Ablated(found, together, len(fits), seconds)
