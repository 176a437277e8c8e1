"""A row is known again in whatever frame it stands, and only where rows have names."""

from __future__ import annotations

import pandas as pd

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.repeats import row_hashes, seen_before, tells_rows_apart


def definition(**columns) -> Definition:
    return Definition.model_validate({
        "name": "shop",
        "task": "regression",
        "columns": {
            "visits": {"type": "integer", "nullable": True},
            "member": {"type": "boolean", "nullable": True},
            "room": {"type": "category", "nullable": True},
            "y": {"type": "number", "role": "label"},
            **columns,
        },
    })  # fmt: skip


TIMED = definition(at={"type": "timestamp", "role": "event_time"})
ROWS = pd.DataFrame({
    "visits": [1, 2], "member": [True, False], "room": ["a", None], "y": [1.0, 2.0],
    "at": pd.to_datetime(["2026-01-01", "2026-01-02"], utc=True),
})  # fmt: skip
GAP = ROWS.iloc[:1].assign(visits=None, member=None)


def test_a_row_beside_a_gap_is_the_same_row():
    together = pd.concat([ROWS, GAP], ignore_index=True)
    assert together["visits"].dtype != ROWS["visits"].dtype
    assert row_hashes(TIMED, together)[:2].tolist() == row_hashes(TIMED, ROWS).tolist()


def test_rows_that_came_before_are_seen_and_others_are_not():
    known = row_hashes(TIMED, ROWS.iloc[:1])
    assert seen_before(TIMED, ROWS, known).tolist() == [True, False]


def test_a_key_alone_names_a_row_where_there_is_one():
    keyed = definition(id={"type": "text", "role": "key"})
    rows = ROWS.assign(id=["x", "y"])
    changed = rows.assign(y=[9.0, 9.0], visits=[7, 7])
    assert seen_before(keyed, changed, row_hashes(keyed, rows)).all()


def test_without_key_and_time_equal_rows_may_be_two():
    plain = definition()
    assert not tells_rows_apart(plain)
    assert not seen_before(plain, ROWS, row_hashes(plain, ROWS)).any()
