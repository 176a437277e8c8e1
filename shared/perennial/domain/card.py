"""A version's card: what a person should know of a model before trusting it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from perennial.domain.definition import Definition
from perennial.domain.duel import CONSTANT
from perennial.domain.words import counted

_CARD = """\
# {name} {version}

Predicts `{label}` ({task}) with {model}, made on {created} UTC.

- **Duel:** {reason}.
- **Learned from:** {trained}.
- **Judged on:** {held_out} that neither it nor {rival} had learned.
- **{metric}:** {mine}; of {rival}: {theirs}.
- **Reads:** {features}; {when}.
- **Needs:** {needs}.

It knows nothing of what came after its last row, and was judged on the rows above only. Whether it
serves is in the registry: `perennial versions {name}`.
"""


def card(
    definition: Definition, version: str, created: datetime, evaluation: Mapping[str, Any]
) -> str:
    """The card as Markdown.

    Args:
        definition: the recipe.
        version: the version's name.
        created: when it was made (UTC).
        evaluation: the content of `evaluation.json`.
    """
    trained, held_out, duel = evaluation["trained"], evaluation["held_out"], evaluation["duel"]
    when = f"event time in {definition.event_time}" if definition.event_time else "no event time"
    return _CARD.format(
        name=definition.name,
        version=version,
        label=definition.label,
        task=definition.task,
        model=definition.training.model,
        created=f"{created:%Y-%m-%d %H:%M}",
        reason=evaluation["reason"],
        rival=evaluation["champion"] or CONSTANT,
        trained=f"{trained['rows']} rows{_span(trained)}",
        held_out=f"{held_out['rows']} rows{_span(held_out)}",
        metric=definition.metric,
        mine=_number(duel["challenger_loss"]),
        theirs=_number(duel["champion_loss"]),
        features=", ".join(definition.names("feature")) or "nothing else",
        when=when,
        needs=needs(evaluation.get("importance")),
    )


def needs(importance: Mapping[str, Any] | None) -> str:
    """Which columns help, and which are not proven to, in one sentence without its full stop.

    Args:
        importance: the part `importance` of `evaluation.json`; None when no rows were held out.
    """
    if importance is None:
        return "not measured, because no rows were held out"
    helpful = [
        f"{one['column']} ({importance['metric']} {one['rise']:+.3g} when it is shuffled)"
        for one in importance["columns"]
        if one["verdict"] == "helps"
    ]
    return (
        f"{', '.join(helpful) or 'nothing for certain'}; not proven to help: "
        f"{', '.join(importance['not_proven_to_help']) or 'none'} "
        f"(on {_used(importance)})"
    )


def _used(importance: Mapping[str, Any]) -> str:
    rows, held_out = importance["rows"], importance["held_out"]
    all_of_them = f"the {counted(rows, 'held-out row')}"
    return all_of_them if rows == held_out else f"the newest {rows:,} of {held_out:,} held-out rows"


def _span(facts: Mapping[str, Any]) -> str:
    return f", {facts['first'][:10]} to {facts['last'][:10]}" if "first" in facts else ""


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4g}"
