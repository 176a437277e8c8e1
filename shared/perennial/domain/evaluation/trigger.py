"""When accepted files lead to a training run."""

from __future__ import annotations

from collections.abc import Sequence

from perennial.domain.definitions.recipe import Trigger
from perennial.domain.verdict import VerdictSummary


def due(
    trigger: Trigger,
    fresh: Sequence[VerdictSummary],
    *,
    at_least: int = 0,
    rows: int | None = None,
) -> bool:
    """Whether a run is due.

    Args:
        trigger: every so many files, or rows.
        fresh: accepted files that no run has considered yet, or only one that found too few rows.
        at_least: fewest rows that a run can use: `training.min_rows` while there is no champion,
            else 0.
        rows: of everything that was accepted, all of which a first version learns from; those of
            the fresh files when None.
    """
    new = sum(file.rows for file in fresh)
    if not fresh or (new if rows is None else rows) < at_least:
        return False
    if trigger.files is not None:
        return len(fresh) >= trigger.files
    return new >= (trigger.rows or 0)
