"""What an ablation found, as the one JSON document from which all else is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perennial.domain.ablating.effects import Change, Effect, named
from perennial.domain.ablating.variants import Plan
from perennial.domain.definitions.definition import Definition
from perennial.domain.replaying.history import History

FORMAT = 1


def to_document(
    definition: Definition,
    history: History,
    plan: Plan,
    found: Sequence[Effect],
    together: Effect | None,
    cost: Mapping[str, Any],
    left_out: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    """Tell everything, ready for JSON.

    Args:
        definition: the recipe.
        history: the files.
        plan: what was left out in turn.
        found: what each of it does, the most helpful first.
        together: what leaving out all columns does that are not proven to help, if that was tried.
        cost: trainings and seconds.
        left_out: files that are no part of the history, with the reason.
    """
    rows = sum(len(history.proof([file])) for file in plan.scored)
    return {
        "format": FORMAT,
        "pipeline": definition.name,
        "task": definition.task,
        "metric": definition.metric,
        "history": {
            "files": history.files,
            "rows": len(history.frame),
            "left_out": [{"name": name, "reason": reason} for name, reason in left_out],
        },
        "scored": {
            "files": len(plan.scored),
            "rows": rows,
            "first": history.names[plan.scored[0]],
            "last": history.names[plan.scored[-1]],
            "learned_files": len(plan.learned[-1]),
        },
        "features": [_effect(one) for one in found if one.variant.kind == "feature"],
        "sources": [_effect(one) for one in found if one.variant.kind == "source"],
        "not_proven_to_help": named(found, "feature", ("unproven", "hurts")),
        "together": together
        and {**_effect(together), "name": None, "names": list(together.variant.names)},
        "sources_that_hurt": named(found, "source", ("hurts",)),
        "cost": dict(cost),
    }


def _effect(one: Effect) -> dict[str, Any]:
    told = {"name": one.name, "verdict": one.verdict, **_change(one.change)}
    if one.variant.kind == "source":
        own = one.by_source.get(one.name)
        told |= {"others": _change(one.others), "own": own and _change(own)}
    return told | {
        "by_source": [{"source": name, **_change(on)} for name, on in one.by_source.items()],
        "untrained": one.untrained,
        "seconds": round(one.seconds, 3),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "files": change.files,
        "rows": change.rows,
        "loss": change.whole,
        "difference": change.difference,
        "low": change.low,
        "high": change.high,
    }
