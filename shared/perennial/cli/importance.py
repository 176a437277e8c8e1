"""How `perennial versions --explain` shows what each column is to a version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from perennial.cli.output import table
from perennial.domain.words import counted

_WORDS = {"helps": "helps", "unproven": "not proven to help", "hurts": "hurts"}


def importance_lines(importance: Mapping[str, Any] | None) -> Iterator[str]:
    """The part `importance` of an evaluation as a table; nothing where it was not measured."""
    if importance is None:
        return
    metric, rows, held_out = importance["metric"], importance["rows"], importance["held_out"]
    of = "" if rows == held_out else f" (the newest of {held_out:,})"
    yield (
        f"columns    each shuffled {importance['permutations']} times among "
        f"{counted(rows, 'held-out row')}{of}, where the challenger's {metric} is "
        f"{importance['loss']:.4g}"
    )
    yield table(
        ("column", f"{metric} rises by", "95 % interval", "verdict"),
        (
            (
                one["column"],
                f"{one['rise']:+.4g}",
                f"{one['low']:+.4g} to {one['high']:+.4g}",
                _WORDS[one["verdict"]],
            )
            for one in importance["columns"]
        ),
    )
    if unproven := importance["not_proven_to_help"]:
        yield f"not proven to help: {', '.join(unproven)}"
