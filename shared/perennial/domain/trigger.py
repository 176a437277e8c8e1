"""When accepted files lead to a training run."""

from __future__ import annotations

from collections.abc import Sequence

from perennial.domain.definition import Trigger
from perennial.domain.verdict import VerdictSummary


def due(trigger: Trigger, waiting: Sequence[VerdictSummary], *, at_least: int = 0) -> bool:
    """Whether a run is due.

    Args:
        trigger: every so many files, or rows.
        waiting: accepted files that no run has considered yet.
        at_least: fewest rows that a run can use: `training.min_rows` while there is no champion,
            else 0.
    """
    rows = sum(file.rows for file in waiting)
    if not waiting or rows < at_least:
        return False
    if trigger.files is not None:
        return len(waiting) >= trigger.files
    return rows >= (trigger.rows or 0)
