"""When accepted files lead to a run."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from perennial.domain.definitions.recipe import Trigger
from perennial.domain.evaluation.trigger import due
from perennial.domain.names import FileId
from perennial.domain.verdict import VerdictSummary


def accepted(*rows: int) -> list[VerdictSummary]:
    """One accepted file for each number of rows."""
    now = datetime(2024, 2, 1, tzinfo=UTC)
    return [
        VerdictSummary(FileId(n, f"p/{n}.csv"), 1, "accepted", now, "", "", count, "", None, None)
        for n, count in enumerate(rows)
    ]


@pytest.mark.parametrize(
    ("trigger", "rows", "expected"),
    [
        (Trigger(files=1), (), False),
        (Trigger(files=1), (1,), True),
        (Trigger(files=3), (9, 9), False),
        (Trigger(files=3), (9, 9, 9), True),
        (Trigger(rows=20), (9, 9), False),
        (Trigger(rows=20), (9, 9, 2), True),
    ],
)
def test_a_trigger_counts_files_or_rows(
    trigger: Trigger, rows: tuple[int, ...], expected: bool
) -> None:
    """Of the files that no run has considered."""
    assert due(trigger, accepted(*rows)) == expected


def test_a_first_version_also_waits_for_its_rows() -> None:
    """A run that cannot train is not worth its start."""
    assert not due(Trigger(files=1), accepted(30), at_least=40)
    assert due(Trigger(files=1), accepted(30, 10), at_least=40)


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [(Trigger(files=1), True), (Trigger(files=2), False), (Trigger(rows=11), False)],
)
def test_a_first_version_learns_from_all_that_was_accepted(
    trigger: Trigger, expected: bool
) -> None:
    """But what another first version was made of does not count again towards the trigger."""
    assert due(trigger, accepted(10), at_least=40, rows=40) == expected
    assert not due(trigger, accepted(10), at_least=40, rows=39)
    assert not due(trigger, (), at_least=40, rows=40)
