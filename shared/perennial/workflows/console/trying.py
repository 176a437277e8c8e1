"""One instance, typed into a form: from its texts to what `predict` takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perennial.domain.versioning.manifest import Input

_TRUTHS = {"true": True, "false": False}


def instance_of(inputs: Sequence[Input], typed: Mapping[str, str]) -> dict[str, Any]:
    """The instance; what is no number stays text, and `predict` says what is wrong with it.

    Args:
        inputs: the columns that the model reads.
        typed: a text for each; an empty one is a missing value.
    """
    return {one.name: _value(one, typed.get(one.name, "").strip()) for one in inputs}


def _value(column: Input, text: str) -> Any:
    if not text:
        return None
    if column.type == "boolean":
        return _TRUTHS.get(text.casefold(), text)
    if column.type in ("integer", "number"):
        for read in (int, float):
            try:
                return read(text)
            except ValueError:
                continue
    return text
