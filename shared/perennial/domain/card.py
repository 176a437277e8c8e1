"""A version's card: what a person should know of a model before trusting it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from perennial.domain.definition import Definition


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
    rival = evaluation["champion"] or "a constant predictor"
    lines = [
        f"# {definition.name} {version}",
        "",
        f"Predicts `{definition.label}` ({definition.task}) with {definition.training.model}, "
        f"made on {created:%Y-%m-%d %H:%M} UTC.",
        "",
        f"- **Status:** {evaluation['status']}. {evaluation['reason']}",
        f"- **Learned from:** {trained['rows']} rows{_span(trained)}.",
        f"- **Judged on:** {held_out['rows']} rows that neither it nor {rival} had learned"
        f"{_span(held_out)}.",
        f"- **{definition.metric}:** {_number(duel['challenger_loss'])}; {rival}: "
        f"{_number(duel['champion_loss'])}.",
        f"- **Reads:** {', '.join(definition.names('feature'))}"
        + (f", and the parts of {definition.event_time}" if definition.event_time else "")
        + ".",
        "",
        "It knows nothing of what came after its last row, and was judged on the rows above only.",
        "",
    ]
    return "\n".join(lines)


def _span(facts: Mapping[str, Any]) -> str:
    return f", {facts['first'][:10]} to {facts['last'][:10]}" if "first" in facts else ""


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4g}"
