"""What a replay advises: physics or fashion, how often, on what, behind which gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from perennial.domain.replaying.decay import Decay
from perennial.domain.replaying.effects import Effect, effects
from perennial.domain.replaying.policies import STATIC, Plan, Policy
from perennial.domain.replaying.ranking import Ranked
from perennial.domain.replaying.trials import Trial
from perennial.domain.words import counted

_SURE, _LIKELY = 0.95, 0.8
_PLAUSIBLE = 0.05  # a window that is the best in fewer resamples is not named
_STATIC_LINES = "training:\n  mode: static\n"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a static model suffices.

    Attributes:
        answer: `physics` where a model stays as good as it was, `fashion` where it ages.
        confidence: share of resamples that say so, from .5 to 1.
        sentence: the answer with its numbers.
    """

    answer: Literal["physics", "fashion"]
    confidence: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What to write into the definition, and why.

    Attributes:
        policy: mode, cadence and window; for physics the static one.
        confidence: share of resamples in which it was within the tolerance of the best.
        windows: those that were the best in some of the resamples, with the share.
        sentence: the advice with its uncertainty.
        gates: what each of them costs or saves.
        lines: for the definition, as YAML.
    """

    policy: Policy
    confidence: float
    windows: tuple[tuple[int | None, float], ...]
    sentence: str
    gates: tuple[Effect, ...]
    lines: str

    @property
    def promotion(self) -> str:
        """What the gates cost or save, in sentences; empty where none was tried."""
        return " ".join(gate.sentence for gate in self.gates)


def judge(decay: Decay, metric: str, tolerance: float) -> Verdict:
    """Decide between physics and fashion, by how models age."""
    fashion = decay.surely >= 0.5
    confidence = decay.surely if fashion else 1 - decay.surely
    sure = "surely" if confidence >= _SURE else "likely" if confidence >= _LIKELY else "perhaps"
    oldest = decay.curve[-1].age if decay.curve else 0
    found = (
        f"up to {counted(oldest, 'file')} of age cost {decay.excess:+.1%} {metric} on average "
        f"(95 % interval {decay.low:+.1%} to {decay.high:+.1%}), compared with models that learned "
        f"as many files just before"
    )
    said = "retraining pays" if fashion else "a static model suffices"
    side = "above" if fashion else "not above"
    return Verdict(
        "fashion" if fashion else "physics",
        confidence,
        f"{'Fashion' if fashion else 'Physics'}, {sure}: {said}; {found}; {confidence:.0%} of "
        f"resamples are {side} the tolerance of {tolerance:.1%}.",
    )


def best_retrained(ranked: Sequence[Ranked]) -> Ranked:
    """The best policy that retrains, without a gate."""
    choices = [r for r in ranked if r.trial.policy.every and r.trial.policy.promotion == "none"]
    return min(choices, key=lambda one: one.loss)


def choose(ranked: Sequence[Ranked], tolerance: float) -> Ranked:
    """The best window at the slowest cadence that costs no more than the tolerance."""
    best = best_retrained(ranked)
    return min(
        (
            one
            for one in ranked
            if one.trial.policy.promotion == "none"
            and one.trial.policy.every is not None
            and one.trial.policy.window == best.trial.policy.window
            and one.loss <= best.loss * (1 + tolerance)
        ),
        key=lambda one: (one.trial.trainings, one.loss),
    )


def advise(
    plan: Plan,
    verdict: Verdict,
    ranked: Sequence[Ranked],
    gated: Sequence[Trial],
    rows: NDArray[np.float64],
    *,
    metric: str,
    tolerance: float,
    seed: int,
) -> Advice:
    """Recommend a mode, a cadence, a window and a gate.

    Args:
        plan: what was tried.
        verdict: physics or fashion.
        ranked: every policy.
        gated: the chosen retraining policy behind each gate.
        rows: rows that count of each scored file.
        metric: the loss.
        tolerance: the relative difference that does not matter.
        seed: of the resampling.
    """
    chosen = choose(ranked, tolerance)
    static = next(one for one in ranked if one.trial.policy == STATIC)
    gates = effects(chosen.trial, gated, rows, squared=metric == "rmse", seed=seed)
    windows = _windows(ranked)
    if verdict.answer == "physics":
        sentence = _static_sentence(plan, static, tolerance, metric)
        return Advice(STATIC, verdict.confidence, windows, sentence, gates, _STATIC_LINES)
    policy = chosen.trial.policy
    window = "all" if policy.window is None else f"{{files: {policy.window}}}"
    lines = f"training:\n  window: {window}\n  trigger: {{files: {policy.every}}}\n"
    if any(gate.promotion == "duel+probation" and gate.is_advised for gate in gates):
        lines += "promotion:\n  probation: return\n"
    sentence = (
        f"Retrain {_said(policy)}: {metric} {chosen.loss:.4g} against "
        f"{static.loss:.4g} of a static model; within {tolerance:.1%} of the best of "
        f"{len(plan.policies)} policies in {chosen.near_share:.0%} of resamples"
        f"{_others(windows, policy.window)}."
    )
    return Advice(policy, chosen.near_share, windows, sentence, gates, lines)


def _said(policy: Policy) -> str:
    often, span = policy.name.split(", ")
    return f"{often} on {span.replace('last', 'the last')}"


def _static_sentence(plan: Plan, static: Ranked, tolerance: float, metric: str) -> str:
    if static.difference <= tolerance:
        return (
            f"Train once: {metric} {static.loss:.4g} of a model of the first "
            f"{counted(plan.first, 'file')} is {static.difference:.1%} above the best policy's "
            f"(95 % interval {static.low:+.1%} to {static.high:+.1%})."
        )
    return (
        f"Train once, on all {counted(plan.files, 'file')}: the model of the first {plan.first} is "
        f"{static.difference:.1%} behind the best policy (95 % interval {static.low:+.1%} to "
        f"{static.high:+.1%}) because it has seen too few rows, not because it has aged."
    )


def _windows(ranked: Sequence[Ranked]) -> tuple[tuple[int | None, float], ...]:
    shares: dict[int | None, float] = {}
    for one in ranked:
        policy = one.trial.policy
        if policy.promotion == "none" and policy.every is not None:
            shares[policy.window] = shares.get(policy.window, 0.0) + one.best_share
    return tuple((window, share) for window, share in shares.items() if share >= _PLAUSIBLE)


def _others(windows: Sequence[tuple[int | None, float]], chosen: int | None) -> str:
    others = [
        f"{'all history' if window is None else counted(window, 'file')} in {share:.0%}"
        for window, share in windows
        if window != chosen
    ]
    if not others:
        return "; no other window was the best in more than a few of them"
    return f"; the best window was another in some of them ({', '.join(others)})"
