"""Rows that were learned are found again by their places, in the same order."""

from __future__ import annotations

import io
import random
from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perennial.adapters.memory import MemoryStore
from perennial.domain.definitions.definition import parse
from perennial.domain.names import FileId
from perennial.domain.verdict import VerdictSummary
from perennial.errors import NotTrainable
from perennial.workflows.rows import Rows, portions

DEFINITION = parse(
    "{name: few, task: regression, columns: {x: {type: integer}, "
    "y: {type: number, role: label, nullable: true}}}"
)
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def files() -> dict[str, VerdictSummary]:
    """Three files of twelve rows; in each, every fifth has no label."""
    found = (
        VerdictSummary(
            FileId(n, f"few/{n}.csv"), 1, "accepted", START, "", "", 12, f"rows/{n}", None, None
        )
        for n in range(3)
    )
    return {one.file.stem: one for one in found}


@pytest.fixture
def rows(files) -> Rows:
    store = MemoryStore("data")
    for n, file in enumerate(files.values()):
        table = pa.table({
            "x": [100 * n + place for place in range(12)],
            "y": [None if place % 5 == 0 else float(place) for place in range(12)],
        })  # fmt: skip
        data = io.BytesIO()
        pq.write_table(table, data)
        store.create(file.rows_object, data.getvalue())
    return Rows(store, DEFINITION)


def test_any_rows_in_any_order_come_back_alike(rows, files):
    whole = rows.of_all(list(files.values()))
    for seed in range(50):
        chance = random.Random(seed)
        kept = chance.sample(range(len(whole)), chance.randrange(1, len(whole)))
        part = whole.iloc[kept if seed % 2 else sorted(kept)]
        wanted = rows.portions(part)
        assert sum(one.rows for one in wanted) == len(part)
        pd.testing.assert_frame_equal(rows.take(files, wanted), part)


def test_whole_files_are_few_spans_which_leave_out_what_has_no_label(rows, files):
    (one, two, three) = rows.portions(rows.of_all(list(files.values())))
    assert one.spans == two.spans == three.spans == ((1, 5), (6, 10), (11, 12))
    assert [one.stem, two.stem, three.stem] == list(files)
    assert len({one.sha256, two.sha256, three.sha256}) == 3


def test_no_rows_are_no_portions(rows):
    assert portions(rows.of_all([]), {}) == ()


def test_a_place_without_a_row_is_refused(rows, files):
    wanted = rows.portions(rows.of_all(list(files.values())))
    lost = [type(wanted[0])(wanted[0].stem, ((0, 12),))]
    with pytest.raises(NotTrainable, match=r"few/0.csv has 9 labelled rows now, and lacks 3 of"):
        rows.take(files, lost)
