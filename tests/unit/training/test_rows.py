"""History is read once, many files at a time, and no further back than the window."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from threading import Barrier

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perennial.adapters.memory import MemoryStore
from perennial.domain.definitions.definition import parse
from perennial.domain.names import FileId
from perennial.domain.verdict import VerdictSummary
from perennial.errors import NotTrainable, ObjectNotFound
from perennial.workflows import at_once
from perennial.workflows.rows import Rows

DEFINITION = parse(
    "{name: few, task: regression, columns: {at: {type: timestamp, role: event_time}, "
    "x: {type: integer, nullable: true}, new: {type: boolean, nullable: true}, "
    "kind: {type: category}, y: {type: number, role: label, nullable: true}}}"
)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Reads(MemoryStore):
    """Counts reads, and lets them wait for each other."""

    def __init__(self) -> None:
        super().__init__("data")
        self.names: list[str] = []
        self.together: Barrier | None = None

    def read(self, name, *, generation=None):
        self.names.append(name)
        if self.together:
            self.together.wait(timeout=60)
        return super().read(name, generation=generation)


def store(data: MemoryStore, number: int, **columns) -> VerdictSummary:
    """A file as an earlier definition may have written it; these columns replace the usual ones."""
    usual = {
        "at": [START] * 4,
        "x": [number, 2, 3, 4],
        "kind": ["a", "b", "a", f"c{number}"],
        "y": [1.0, None, 3.0, float("nan")],
    }
    kept = {name: values for name, values in (usual | columns).items() if values is not None}
    buffer = io.BytesIO()
    pq.write_table(pa.table(kept), buffer)
    data.create(f"rows/{number}", buffer.getvalue())
    return VerdictSummary(
        FileId(number, f"few/{number}.csv"), 1, "accepted", START, "", "", 4, f"rows/{number}",
        None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    "second",
    [
        {},
        {"x": [None, 2, 3, 4]},
        {"x": None},
        {"new": [True, False, None, True]},
        {"y": [None] * 4},
        {"dropped": ["p", None, "q", "r"]},
        {"dropped": [1, 2, 3, 4]},
    ],
    ids=str,
)
def test_one_frame_of_all_files_is_what_one_frame_of_each_would_give(second) -> None:
    data = Reads()
    files = [store(data, 1), store(data, 2, **second), store(data, 3, dropped=[5.5, 6.5, 7.5, 8.5])]
    rows = Rows(data, DEFINITION)

    whole = rows.of_all(files)

    apart = pd.concat({file.file.stem: rows.of(file) for file in files})
    assert list(whole.index) == list(apart.index)
    assert whole.index.nlevels == 2
    for name in DEFINITION.stored_columns:
        pd.testing.assert_series_equal(whole[name], apart[name], check_dtype=name != "new")
    # What an earlier champion may still read; nothing but the kind of its missing values differs.
    assert (whole["dropped"].isna() == apart["dropped"].isna()).all()
    assert whole["dropped"].dropna().tolist() == apart["dropped"].dropna().tolist()


def test_every_object_is_read_once() -> None:
    data = Reads()
    files = [store(data, number) for number in range(1, 6)]
    rows = Rows(data, DEFINITION)

    rows.of(files[2])
    rows.of_all(files[1:])
    rows.of_all(files)
    rows.digest(files[0])

    assert sorted(data.names) == [f"rows/{number}" for number in range(1, 6)]


def test_many_are_read_at_a_time_and_no_more_than_that(monkeypatch) -> None:
    monkeypatch.setattr(at_once, "AT_ONCE", 4)
    data = Reads()
    files = [store(data, number) for number in range(1, 9)]
    data.together = Barrier(4)  # whoever reads one after the other waits for ever

    whole = Rows(data, DEFINITION).of_all(files)

    assert whole["x"].iloc[::2].tolist() == list(range(1, 9))


def test_the_first_file_that_cannot_be_had_is_named() -> None:
    data = Reads()
    files = [store(data, number) for number in range(1, 6)]
    data.delete("rows/4")
    with pytest.raises(ObjectNotFound, match="rows/4"):
        Rows(data, DEFINITION).of_all(files)


def test_values_of_an_old_type_that_do_not_fit_name_their_file() -> None:
    data = Reads()
    files = [store(data, 1), store(data, 2, x=["one", "two", "3", "4"])]
    with pytest.raises(NotTrainable, match=r"few/2\.csv was accepted when x had another type"):
        Rows(data, DEFINITION).of_all(files)


def test_a_run_reads_what_it_and_the_champion_learn_once_and_no_file_before_it(
    taps, monkeypatch
) -> None:
    for _ in range(4):
        taps.drop()
    taps.apply(taps.text + "  window: {files: 2}\n")
    taps.train()
    taps.drop()
    read, reading = [], taps.trainer.buckets.data.read

    def noted(name, **options):
        read.append(name)
        return reading(name, **options)

    monkeypatch.setattr(taps.trainer.buckets.data, "read", noted)
    taps.train()

    objects = [name for name in read if "/rows/" in name]
    # The new one, of which a part is held out and the rest learned; the one before it; and the one
    # before that, which the champion has learned: rows that came again would prove nothing.
    assert len(objects) == len(set(objects)) == 3
    # Of verdicts only the new file's, whose statistics go into the reference.
    assert len([name for name in read if "/verdicts/" in name]) == 1
