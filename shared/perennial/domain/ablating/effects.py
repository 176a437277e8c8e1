"""What leaving something out does to the loss, on rows that no model had learned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from perennial.domain.ablating.variants import WHOLE, Kind, Plan, Variant
from perennial.domain.definitions.recipe import Metric
from perennial.domain.replaying.fits import Fit, Fitted
from perennial.domain.replaying.history import History
from perennial.domain.replaying.ranking import compare
from perennial.domain.replaying.resampling import mean_loss
from perennial.errors import NotTrainable

MIN_FILES = 4
"""Fewest files whose resampling gives an interval."""

Verdict = Literal["helps", "unproven", "hurts"]


@dataclass(frozen=True, slots=True)
class Change:
    """How a loss changes on some files; positive where something was missed.

    Attributes:
        files: how many.
        rows: their rows that count.
        whole: the metric of the whole recipe; None without rows.
        difference: how much higher it is without the thing, relative to that.
        low, high: its 95 % interval, from resampled whole files; None for too few of them.
    """

    files: int
    rows: int
    whole: float | None
    difference: float | None
    low: float | None
    high: float | None

    @property
    def verdict(self) -> Verdict:
        """What the interval says of the thing that was left out."""
        if self.low is None or self.high is None:
            return "unproven"
        return "helps" if self.low > 0 else "hurts" if self.high < 0 else "unproven"


@dataclass(frozen=True, slots=True)
class Effect:
    """What leaving one thing out does.

    Attributes:
        variant: what is left out.
        change: on all scored files.
        others: of a source, on the files of all others: what it is to them decides about it,
            because a model that never saw it is rightly worse at its own rows, and a model that
            learned its mistakes is better at predicting mistakes. Otherwise as `change`.
        by_source: on the files of each source.
        untrained: scored files that are left out because a training before them gave no model.
        seconds: processor time of its trainings.
    """

    variant: Variant
    change: Change
    others: Change
    by_source: Mapping[str, Change]
    untrained: int
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """Whether it helps, hurts, or neither is proven."""
        return self.others.verdict

    @property
    def name(self) -> str:
        """What is left out."""
        return ", ".join(self.variant.names)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Losses of each scored file without something and with it: NaN where there was no model."""

    without: NDArray[np.float64]
    whole: NDArray[np.float64]
    rows: NDArray[np.float64]
    squared: bool
    seed: int

    @property
    def trained(self) -> NDArray[np.bool_]:
        """The files that both have predicted."""
        both: NDArray[np.bool_] = ~np.isnan(self.without) & ~np.isnan(self.whole)
        return both

    def on(self, chosen: NDArray[np.bool_]) -> Change:
        """The change on some of the files."""
        at = chosen & self.trained
        files, rows = int(at.sum()), int(self.rows[at].sum())
        if not rows:
            return Change(files, 0, None, None, None, None)
        difference, low, high = compare(
            self.without[at], self.whole[at], self.rows[at], squared=self.squared, seed=self.seed
        )
        loss = mean_loss(self.whole[at], self.rows[at], squared=self.squared)
        if files < MIN_FILES:
            return Change(files, rows, loss, difference, None, None)
        return Change(files, rows, loss, difference, low, high)


def effects(
    plan: Plan,
    history: History,
    metric: Metric,
    fits: Mapping[Fit, Fitted],
    *,
    seed: int,
) -> tuple[Effect, ...]:
    """Compare each variant with the whole recipe, file by file on identical rows.

    Args:
        plan: what was tried.
        history: the files.
        metric: the loss.
        fits: every fit that the plan wants.
        seed: of the resampling.

    Returns:
        What helps most first.

    Raises:
        NotTrainable: when the whole recipe gave no model at all.
    """
    whole = _sums(plan, history, metric, fits, WHOLE)
    if np.isnan(whole).all():
        first = fits[plan.fit(WHOLE, 0)]
        raise NotTrainable(f"the whole recipe gives no model: {first.error}")
    counts = np.array([len(history.proof([file])) for file in plan.scored], dtype=np.float64)
    of_file = np.array([plan.sources[file] for file in plan.scored], dtype=object)
    found = []
    for variant in plan.variants:
        sums = _sums(plan, history, metric, fits, variant)
        pair = _Pair(sums, whole, counts, metric == "rmse", seed)
        everywhere = pair.on(np.ones(len(sums), dtype=np.bool_))
        of_source = variant.kind == "source"
        found.append(
            Effect(
                variant=variant,
                change=everywhere,
                others=pair.on(~np.isin(of_file, variant.names)) if of_source else everywhere,
                by_source={name: pair.on(of_file == name) for name in sorted(set(of_file))},
                untrained=int((~pair.trained).sum()),
                seconds=_seconds(plan, fits, variant),
            )
        )
    return tuple(sorted(found, key=lambda one: -(one.others.difference or 0.0)))


def named(found: Iterable[Effect], kind: Kind, verdicts: Sequence[Verdict]) -> list[str]:
    """The names of those features, or sources, of which one of these verdicts holds."""
    return [one.name for one in found if one.variant.kind == kind and one.verdict in verdicts]


def doubtful(plan: Plan, found: Sequence[Effect]) -> Variant | None:
    """All columns together that are not proven to help, if there are several and others besides.

    Of two that tell the same, either can go, and not both: only leaving out all of them says so.
    """
    names = named(found, "feature", ("unproven", "hurts"))
    features = [one for one in plan.variants if one.kind == "feature"]
    if not 2 <= len(names) < len(features):
        return None
    return Variant("feature", tuple(sorted(names)))


def _sums(
    plan: Plan, history: History, metric: Metric, fits: Mapping[Fit, Fitted], variant: Variant
) -> NDArray[np.float64]:
    """Losses on each scored file, NaN where there was no model: shape [scored files]."""
    sums = np.full(len(plan.scored), np.nan)
    for place, file in enumerate(plan.scored):
        fitted = fits[plan.fit(variant, place)]
        if not fitted.error:
            sums[place] = fitted.at(metric, history.proof([file])).sum()
    return sums


def _seconds(plan: Plan, fits: Mapping[Fit, Fitted], variant: Variant) -> float:
    distinct = {plan.fit(variant, place) for place in range(len(plan.scored))}
    return sum(fits[fit].seconds for fit in distinct)
