"""What an accepted file becomes: typed rows, their time span and their statistics."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perennial.domain.judging.validation import Judgement, to_parquet

HEADER = "when,visit,people,amount,member,channel,note,bought\n"
FILE = (
    HEADER + "2024-02-01T09:00:00Z,a1,2,12.5,true,web,,true\n"
    '2024-02-02 10:30,a2,1,,false,shop,"said ""no"", left",false\n'
    "2024-02-03,a3,4,3e1,,,None,true\n"
)

Judge = Callable[..., Judgement]


def test_rows_are_typed_and_ignored_columns_left_out(judge: Judge) -> None:
    """The frame holds the stored columns in the definition's order."""
    judgement = judge(FILE)

    assert judgement.findings == ()
    assert judgement.frame is not None
    assert judgement.frame.schema == {
        "when": pl.Datetime("us", "UTC"),
        "visit": pl.String,
        "people": pl.Int64,
        "amount": pl.Float64,
        "member": pl.Boolean,
        "channel": pl.String,
        "bought": pl.Boolean,
    }
    assert judgement.frame.drop("when").rows() == [
        ("a1", 2, 12.5, True, "web", True),
        ("a2", 1, None, False, "shop", False),
        ("a3", 4, 30.0, None, None, True),
    ]
    assert judgement.rows == 3


def test_columns_may_come_in_any_order(judge: Judge) -> None:
    """The header decides where a column is, the definition in which order it is stored."""
    shuffled = "bought,people,when,visit,amount,member,channel,note\ntrue,2,2024-02-01,a1,1,,,\n"

    judgement = judge(shuffled)

    assert judgement.accepted
    assert judgement.frame is not None
    assert judgement.frame.columns[:3] == ["when", "visit", "people"]
    assert judgement.frame["people"].to_list() == [2]


@pytest.mark.parametrize(
    "data",
    [
        FILE.encode("utf-8-sig"),
        FILE.replace("\n", "\r\n").encode(),
        FILE.replace("\n", "\n\n").encode(),
        FILE.removesuffix("\n").encode(),
    ],
    ids=["byte order mark", "CRLF", "blank lines", "no last line end"],
)
def test_dialects_of_one_file_give_the_same_rows(judge: Judge, data: bytes) -> None:
    """A byte order mark, line ends and blank lines change nothing."""
    judgement, plain = judge(data), judge(FILE)

    assert judgement.accepted
    assert judgement.frame is not None
    assert plain.frame is not None
    assert judgement.frame.equals(plain.frame)


def test_gzip_gives_the_same_rows_in_one_member_or_several(judge: Judge) -> None:
    """`cat a.gz b.gz` is a gzip file, and a suffix may be in capitals."""
    first, rest = FILE[:100], FILE[100:]
    packed = gzip.compress(first.encode()) + gzip.compress(rest.encode())

    judgement = judge(packed, name="visits/X.CSV.GZ")

    assert judgement.accepted
    assert judgement.rows == 3


def test_span_of_event_time_is_in_utc(judge: Judge) -> None:
    """Times with an offset are converted, times without one are UTC."""
    judgement = judge(
        HEADER + "2024-02-02T01:00:00+02:00,a1,2,,,,,true\n2024-02-02 00:00:00,a2,2,,,,,true\n"
    )

    assert judgement.first_event == datetime(2024, 2, 1, 23, tzinfo=UTC)
    assert judgement.last_event == datetime(2024, 2, 2, tzinfo=UTC)


def test_statistics_of_every_stored_column(judge: Judge) -> None:
    """Counts, sums and the most frequent values: what merges across files."""
    assert judge(FILE).statistics == {
        "when": {
            "count": 3, "nulls": 0,
            "min": "2024-02-01T09:00:00+00:00", "max": "2024-02-03T00:00:00+00:00",
        },
        "visit": {"count": 3, "nulls": 0, "distinct": 3},
        "people": {
            "count": 3, "nulls": 0, "min": 1, "max": 4, "sum": 7.0, "sum_of_squares": 21.0,
            "quantiles": [1.0] * 5 + [2.0] * 7 + [4.0] * 5,
        },
        "amount": {
            "count": 2, "nulls": 1, "min": 12.5, "max": 30.0, "sum": 42.5,
            "sum_of_squares": 1056.25, "quantiles": [12.5] * 9 + [30.0] * 8,
        },
        "member": {"count": 2, "nulls": 1, "distinct": 2, "top": {"false": 1, "true": 1}},
        "channel": {"count": 2, "nulls": 1, "distinct": 2, "top": {"shop": 1, "web": 1}},
        "bought": {"count": 3, "nulls": 0, "distinct": 2, "top": {"true": 2, "false": 1}},
    }  # fmt: skip


def test_parquet_holds_the_types_that_training_reads(judge: Judge) -> None:
    """The stored form, read by pyarrow: int64, float64, bool, string, UTC microseconds."""
    frame = judge(FILE).frame
    assert frame is not None

    table = pq.read_table(io.BytesIO(to_parquet(frame)))

    assert [str(field.type).removeprefix("large_") for field in table.schema] == [
        "timestamp[us, tz=UTC]", "string", "int64", "double", "bool", "string", "bool",
    ]  # fmt: skip
    assert table.column("channel").cast(pa.string()).to_pylist() == ["web", "shop", None]


def test_parquet_of_the_same_rows_has_the_same_bytes(judge: Judge) -> None:
    """So that writing them twice is writing them once."""
    first, second = judge(FILE).frame, judge(FILE).frame
    assert first is not None
    assert second is not None

    assert to_parquet(first) == to_parquet(second)
