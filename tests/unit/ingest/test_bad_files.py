"""Kinds of bad file as they occur, made from a week of real rentals."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from perennial.domain.definitions.definition import Definition, parse
from perennial.domain.judging.validation import judge_bytes

STREAM = Path(__file__).parents[4] / "shared" / "data" / "bike" / "files"

BIKE = """
name: bike
task: regression
columns:
  event_time: {type: timestamp, role: event_time}
  season: {type: integer}
  mnth: {type: integer}
  hr: {type: integer, rules: [{range: [0, 23]}]}
  holiday: {type: boolean}
  weekday: {type: category, rules: [{allowed: ['0', '1', '2', '3', '4', '5', '6']}]}
  workingday: {type: boolean}
  weathersit: {type: integer}
  temp: {type: number, rules: [{range: [0, 1]}]}
  atemp: {type: number}
  hum: {type: number}
  windspeed: {type: number}
  cnt: {type: integer, role: label}
"""

HTML = b"<!DOCTYPE html>\n<html><head><title>503 Service Unavailable</title></head></html>\n"


def edit(line: int, column: str, value: str) -> Callable[[bytes], bytes]:
    """Write `value` into a cell; lines count from 1, the header's."""

    def change(data: bytes) -> bytes:
        rows = [row.split(",") for row in data.decode().splitlines()]
        rows[line - 1][rows[0].index(column)] = value
        return "".join(",".join(row) + "\n" for row in rows).encode()

    return change


def cut_row(data: bytes) -> bytes:
    rows = data.splitlines(keepends=True)
    return b"".join([*rows[:9], rows[9].rsplit(b",", 2)[0] + b"\n", *rows[10:]])


def drop_column(data: bytes) -> bytes:
    return b"".join(row.rsplit(b",", 1)[0] + b"\n" for row in data.splitlines())


BAD = {
    "empty": (lambda _: b"", "empty", "expected a CSV file, found an empty one (0 bytes)"),
    "header only": (
        lambda data: data.splitlines(keepends=True)[0],
        "row_count",
        "expected at least 1 row, found only the header",
    ),
    "truncated gzip": (
        lambda data: gzip.compress(data)[:-100],
        "gzip",
        "expected a whole gzip file, found one that ends early: send it again",
    ),
    "HTML page": (
        lambda _: HTML,
        "content",
        "expected CSV text, found an HTML page, perhaps an error page of a server",
    ),
    "wrong delimiter": (
        lambda data: data.replace(b",", b";"),
        "delimiter",
        (
            "expected fields separated by commas, found semicolons (;): save the file with commas, "
            "or declare files.csv.delimiter"
        ),
    ),
    "UTF-16": (
        lambda data: data.decode().encode("utf-16"),
        "encoding",
        (
            "expected UTF-8 text, found UTF-16 (little-endian): save it as UTF-8, or declare "
            "files.csv.encoding: utf-16"
        ),
    ),
    "missing column": (
        drop_column,
        "missing_column",
        "cnt: expected a column with this name, found none",
    ),
    "text in a number": (
        edit(7, "temp", "warm"),
        "type",
        "temp: expected a number, found 'warm' in line 7 (1 row)",
    ),
    "out of a written range": (
        edit(5, "temp", "20.5"),
        "range",
        "temp: expected a value from 0 to 1, found '20.5' in line 5 (1 row)",
    ),
    "unknown category": (
        edit(3, "weekday", "Monday"),
        "allowed",
        (
            "weekday: expected one of '0', '1', '2', '3', '4', '5', '6', "
            "found 'Monday' in line 3 (1 row)"
        ),
    ),
    "duplicated header": (
        edit(1, "hum", "temp"),
        "duplicate_column",
        "temp: expected this column once, found it 2 times",
    ),
    "short row": (
        cut_row,
        "field_count",
        "expected 13 fields in every row, found 11 in line 10 (1 row)",
    ),
    "long row": (
        lambda data: data.replace(b"\n", b",0\n", 3).replace(b",0\n", b"\n", 2),
        "field_count",
        "expected 13 fields in every row, found 14 in line 3 (1 row)",
    ),
    "broken UTF-8": (
        lambda data: data.replace(b"\n2", b"\n\xe9", 3).replace(b"\n\xe9", b"\n2", 2),
        "encoding",
        (
            "expected UTF-8 text, found the byte 0xE9 in line 4: save the file as UTF-8, or "
            "declare files.csv.encoding (it may be "
            "Windows-1252 or Latin-1)"
        ),
    ),
    "zeros of a crashed disk": (
        lambda data: data[:5000] + bytes(200) + data[5200:],
        "nul",
        "expected text, found a NUL byte in line 83: the file is binary or damaged",
    ),
}


@pytest.fixture(scope="module")
def week() -> bytes:
    """A real file."""
    if not STREAM.is_dir():
        pytest.skip(f"the real stream is absent: {STREAM}")
    return sorted(STREAM.iterdir())[1].read_bytes()


@pytest.fixture(scope="module")
def bike() -> Definition:
    return parse(BIKE)


def test_the_file_itself_is_good(week: bytes, bike: Definition) -> None:
    """So that what follows is bad for its own reason."""
    assert judge_bytes(bike, "bike/week.csv", week).findings == ()


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_rejected_in_words_that_a_stranger_understands(
    week: bytes, bike: Definition, kind: str
) -> None:
    """What was expected, what was found, and where."""
    spoil, rule, message = BAD[kind]
    name = "bike/week.csv.gz" if kind == "truncated gzip" else "bike/week.csv"

    judgement = judge_bytes(bike, name, spoil(week))

    assert not judgement.accepted
    first = next(f for f in judgement.findings if f.severity == "reject")
    assert (first.rule, first.message) == (rule, message)
