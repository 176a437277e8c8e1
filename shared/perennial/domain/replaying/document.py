"""What a replay found, as the one JSON document from which all else is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.repeats import tells_rows_apart
from perennial.domain.replaying.advice import Advice, Verdict
from perennial.domain.replaying.decay import Decay
from perennial.domain.replaying.effects import Effect
from perennial.domain.replaying.history import History
from perennial.domain.replaying.policies import STATIC, Plan, Policy
from perennial.domain.replaying.ranking import Ranked
from perennial.domain.replaying.trials import scored_rows

FORMAT = 1


def to_document(
    definition: Definition,
    history: History,
    plan: Plan,
    ranked: Sequence[Ranked],
    decay: Decay,
    verdict: Verdict,
    advice: Advice,
    cost: Mapping[str, Any],
    left_out: Sequence[tuple[str, str]],
    late: int = 0,
) -> dict[str, Any]:
    """Tell everything, ready for JSON.

    Args:
        definition: the recipe.
        history: the files.
        plan: what was tried.
        ranked: every policy.
        decay: how models age.
        verdict: physics or fashion.
        advice: what to write into the definition.
        cost: trainings and seconds.
        left_out: files that are no part of the history, with the reason.
        late: files that came after some whose rows are newer.
    """
    rows = scored_rows(plan, history)
    return {
        "format": FORMAT,
        "pipeline": definition.name,
        "task": definition.task,
        "metric": definition.metric,
        "label": definition.label,
        "tolerance": definition.promotion.tolerance,
        "history": {
            "files": history.files,
            "rows": len(history.frame),
            "first": history.names[0],
            "last": history.names[-1],
            "late_files": late,
            "left_out": [{"name": name, "reason": reason} for name, reason in left_out],
        },
        "scored": {
            "after_files": plan.first,
            "files": len(plan.scored),
            "rows": int(rows.sum()),
            "repeated_rows": int(history.repeated[history.starts[plan.first] :].sum()),
            "rows_told_apart": tells_rows_apart(definition),
        },
        "verdict": {
            "answer": verdict.answer,
            "confidence": verdict.confidence,
            "sentence": verdict.sentence,
            "excess": decay.excess,
            "low": decay.low,
            "high": decay.high,
        },
        "recommendation": {
            "mode": "static" if advice.policy == STATIC else "dynamic",
            "every": advice.policy.every,
            "window": advice.policy.window,
            "confidence": advice.confidence,
            "windows": [{"window": w, "best_share": share} for w, share in advice.windows],
            "sentence": advice.sentence,
            "promotion": advice.promotion,
            "definition": advice.lines,
        },
        "policies": [_policy(one) for one in ranked],
        "gates": [_gate(one) for one in advice.gates],
        "decay": {
            "window": decay.window,
            "curve": [
                {
                    "age": one.age, "files": one.files, "loss": one.loss, "fresh_loss": one.fresh,
                    "excess": one.excess, "low": one.low, "high": one.high,
                }
                for one in decay.curve
            ],
        },
        "course": _course(definition, history, plan, ranked, advice.policy),
        "cost": dict(cost),
    }  # fmt: skip


def _policy(one: Ranked) -> dict[str, Any]:
    policy = one.trial.policy
    return {
        "policy": policy.name,
        "every": policy.every,
        "window": policy.window,
        "promotion": policy.promotion,
        "loss": one.loss,
        "difference": one.difference,
        "low": one.low,
        "high": one.high,
        "best_share": one.best_share,
        "near_share": one.near_share,
        "trainings": one.trial.trainings,
        "failed": one.trial.failed,
        "rejected": one.trial.rejected,
        "returns": len(one.trial.returns),
        "seconds": round(one.trial.seconds, 3),
    }


def _gate(one: Effect) -> dict[str, Any]:
    return asdict(one) | {"answer": one.answer, "sentence": one.sentence}


def _course(
    definition: Definition,
    history: History,
    plan: Plan,
    ranked: Sequence[Ranked],
    chosen: Policy,
) -> list[dict[str, Any]]:
    """File by file, the static policy beside the best of the others."""
    static = next(one.trial for one in ranked if one.trial.policy == STATIC)
    others = [one for one in ranked if one.trial.policy.promotion == "none"]
    moving = next(
        (one.trial for one in others if one.trial.policy == chosen and chosen.every), None
    )
    if moving is None:
        moving = min((o for o in others if o.trial.policy.every), key=lambda o: o.loss).trial
    rows = scored_rows(plan, history)
    root = definition.metric == "rmse"
    course = []
    for place, file in enumerate(plan.scored):
        means = [
            float(np.sqrt(mean) if root else mean)
            for mean in (trial.sums[place] / max(rows[place], 1.0) for trial in (static, moving))
        ]
        course.append({
            "file": history.names[file], "rows": int(rows[place]),
            "static": means[0] if rows[place] else None,
            "retrained": means[1] if rows[place] else None,
            "policy": moving.policy.name,
        })  # fmt: skip
    return course
