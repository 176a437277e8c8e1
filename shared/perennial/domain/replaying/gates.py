"""Following a policy whose new models must prove themselves, as a training run makes them do it.

Duel, surprise and probation are those of production. Probation is followed with automatic return:
earlier champions predict what the champion predicts, and one that was clearly better over several
files serves again, while the files learned since are set aside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.duel import DuelResult, duel, tail_length
from perennial.domain.evaluation.measuring import best_constant
from perennial.domain.evaluation.probation import LAGS, POOLED_FILES, Evidence, Meeting, best, weigh
from perennial.domain.evaluation.surprise import Band, usual_band
from perennial.domain.replaying.fits import Fit, Fitted
from perennial.domain.replaying.history import History
from perennial.domain.replaying.policies import Plan, Policy, learnable
from perennial.domain.replaying.trials import Trial, loss_on

Obtain = Callable[[Fit, int], Fitted]
"""Makes a fit, or remembers it, that predicts up to but not including a file."""


@dataclass(frozen=True, slots=True)
class _Version:
    """A model that serves or has served, and the first file that it has not taken into account."""

    fit: Fit
    through: int


@dataclass(slots=True)
class _State:
    champion: _Version
    predecessors: list[_Version] = field(default_factory=list)  # newest first
    aside: set[int] = field(default_factory=set)
    evidence_from: int = 0
    fits: list[Fitted] = field(default_factory=list)
    rejected: int = 0
    returns: list[int] = field(default_factory=list)


def challenger(
    history: History, known: Sequence[int], fresh: Sequence[int], window: int | None, least: int
) -> tuple[Fit, NDArray[np.int64]]:
    """The fit that meets the champion, and the rows on which it does, in time order.

    Args:
        history: the files.
        known: every file that may be learned.
        fresh: those of them that the champion has not learned.
        window: newest files that a training learns; None for all.
        least: fewest rows for a duel with a firm answer.
    """
    rows = history.proof(fresh)
    held = rows[len(rows) - tail_length(len(rows), least) :]
    files, counts = np.unique(
        np.searchsorted(history.starts, held, side="right") - 1, return_counts=True
    )
    lengths = np.diff(history.starts)
    whole = {int(file) for file, count in zip(files, counts, strict=True) if count == lengths[file]}
    learned = learnable([file for file in known if file not in whole], window)
    return Fit(learned, tuple(sorted(held.tolist()))), held


def expected(
    definition: Definition, plan: Plan, history: History, policy: Policy
) -> dict[Fit, int]:
    """The fits that a policy needs if every challenger passes, to be made at once."""
    every, least = policy.every or 1, definition.promotion.min_duel_rows
    found = {}
    for file in plan.trained_at(every)[1:]:
        fresh = range(file - every, file)
        fit, _ = challenger(history, range(file), fresh, policy.window, least)
        found[fit] = file
    return found


def follow_gated(
    definition: Definition, plan: Plan, history: History, policy: Policy, obtain: Obtain
) -> Trial:
    """Follow a policy that promotes by duel, with probation or without.

    Its first model serves without a duel, as those of the policies without a gate do.

    Args:
        definition: the recipe, the metric and the duel's tolerance.
        plan: what is tried.
        history: the files.
        policy: retrained, with a gate.
        obtain: makes fits.
    """
    gate = _Gate(definition, plan, history, policy, obtain)
    sums = np.empty(len(plan.scored))
    for place, file in enumerate(plan.scored):
        if place and place % (policy.every or 1) == 0:
            gate.challenge(file)
        sums[place] = loss_on(history, gate.serving(file), file, definition.metric)
        if policy.promotion == "duel+probation":
            gate.on_probation(file)
    state = gate.state
    return Trial(
        policy=policy,
        sums=sums,
        trainings=len(state.fits),
        seconds=sum(fitted.seconds for fitted in state.fits),
        failed=sum(bool(fitted.error) for fitted in state.fits),
        rejected=state.rejected,
        returns=tuple(state.returns),
    )


class _Gate:
    """A champion, its challengers and its predecessors, file by file."""

    def __init__(
        self,
        definition: Definition,
        plan: Plan,
        history: History,
        policy: Policy,
        obtain: Obtain,
    ) -> None:
        self._definition = definition
        self._plan = plan
        self._history = history
        self._window = policy.window
        self._obtain = obtain
        self._served: dict[int, _Version] = {}
        first = _Version(Fit(learnable(range(plan.first), self._window)), plan.first)
        self.state = _State(first, evidence_from=plan.first)
        self.state.fits.append(self._followed(first.fit, plan.first))

    def serving(self, file: int) -> Fitted:
        """The champion's model, for a file that it is about to predict."""
        self._served[file] = self.state.champion
        return self._obtain(self.state.champion.fit, file + 1)

    def challenge(self, file: int) -> None:
        """Train on what came before a file, and promote what passes its duel."""
        state, least = self.state, self._definition.promotion.min_duel_rows
        known = [f for f in range(file) if f not in state.aside]
        fresh = [f for f in known if f >= state.champion.through]
        if not fresh:
            return
        fit, held = challenger(self._history, known, fresh, self._window, least)
        fitted = self._obtain(fit, file)
        state.fits.append(fitted)
        if fitted.error:
            return
        champion = self._obtain(state.champion.fit, file)
        metric = self._definition.metric
        result = self._duel(champion.at(metric, held), fitted.at(metric, held))
        surprising = self._surprising(fresh)
        if surprising and not (result.outcome == "better" and self._beats_constant(result, held)):
            state.aside.update(surprising)
            state.rejected += 1
            if len(surprising) < len(fresh):
                self.challenge(file)  # the others are tried without them
            return
        if not result.promotes:
            state.rejected += 1
            return
        refit = _Version(Fit(learnable(known, self._window)), file)
        made = self._followed(refit.fit, file)
        state.fits.append(made)
        if not made.error:
            state.predecessors.insert(0, state.champion)
            state.champion = refit

    def on_probation(self, file: int) -> None:
        """Return to a predecessor that was clearly better on the newest files, this one included.

        A predecessor is measured from the file on that its successor served: before, it was the
        champion itself.
        """
        state = self.state
        found: list[Evidence] = []
        for lag in LAGS:
            if len(state.predecessors) < lag:
                break
            since = ([state.champion, *state.predecessors][lag - 1]).through
            pool = range(max(since, state.evidence_from, file + 1 - POOLED_FILES), file + 1)
            evidence = self._against(state.predecessors[lag - 1], pool, name=str(lag))
            found += [evidence] if evidence else []
        chosen = best(found)
        if chosen is None:
            return
        lag = int(chosen.predecessor)
        back = state.predecessors[lag - 1]
        state.aside.update(range(back.through, state.champion.through))
        state.champion, state.predecessors = back, state.predecessors[lag:]
        state.evidence_from = file + 1  # what was served until now says nothing of the one back
        state.returns.append(file)

    def _surprising(self, fresh: Sequence[int]) -> list[int]:
        """The new files that nobody predicted as usual, or better than a constant."""
        width = self._definition.promotion.surprise
        if width is None:
            return []
        before = [
            self._mean(self._served[file], file)
            for file in self._served
            if file < fresh[0] and file not in self.state.aside
        ]
        band = usual_band(before, width)
        if band is None:
            return []
        return [f for f in fresh if f in self._served and self._surprises(f, band)]

    def _beats_constant(self, result: DuelResult, held: NDArray[np.int64]) -> bool:
        labels = self._history.frame.iloc[held][self._definition.label].to_numpy()
        constant = best_constant(self._definition, labels)
        return constant is not None and (result.challenger_loss or 0.0) < constant

    def _surprises(self, file: int, band: Band) -> bool:
        past = [one for one in self.state.predecessors[: max(LAGS)] if one.through <= file]
        loss = min(self._mean(version, file) for version in (self._served[file], *past))
        return band.surprises(loss) and loss >= self._constant(file)

    def _mean(self, version: _Version, file: int) -> float:
        """A model's loss on a file, in the metric."""
        metric, rows = self._definition.metric, self._history.proof([file])
        if not len(rows):
            return 0.0
        mean = float(self._obtain(version.fit, file + 1).at(metric, rows).mean())
        return mean**0.5 if metric == "rmse" else mean

    def _constant(self, file: int) -> float:
        rows = self._history.frame.iloc[self._history.proof([file])]
        return best_constant(self._definition, rows[self._definition.label].to_numpy()) or 0.0

    def _against(self, predecessor: _Version, pool: range, *, name: str) -> Evidence | None:
        """A predecessor against whoever served, over several files; None on too few."""
        metric, history = self._definition.metric, self._history
        meetings = []
        for file in pool:
            rows = history.proof([file])
            served = self._obtain(self._served[file].fit, file + 1).at(metric, rows)
            theirs = self._obtain(predecessor.fit, pool.stop).at(metric, rows)
            meetings.append(Meeting(history.names[file], len(rows), served, theirs))
        return weigh(
            name,
            meetings,
            min_rows=self._definition.promotion.min_duel_rows,
            seed=self._definition.training.seed,
            squared=metric == "rmse",
        )

    def _duel(self, before: NDArray[np.float64], after: NDArray[np.float64]) -> DuelResult:
        promotion = self._definition.promotion
        return duel(
            before,
            after,
            opponent="the champion",
            tolerance=promotion.tolerance,
            seed=self._definition.training.seed,
            min_rows=promotion.min_duel_rows,
            squared=self._definition.metric == "rmse",
        )

    def _followed(self, fit: Fit, file: int) -> Fitted:
        return self._obtain(fit, min(self._plan.files, file + self._plan.horizon))


def gated(policy: Policy) -> tuple[Policy, ...]:
    """A retraining policy with each of the gates."""
    return tuple(replace(policy, promotion=gate) for gate in ("duel", "duel+probation"))
