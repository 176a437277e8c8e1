"""Validation against arbitrary files: it never raises, and what it says is true."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import datetime

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.domain.definitions.definition import parse
from perennial.domain.judging.validation import Judgement, judge_bytes, to_parquet

DEFINITION = parse("""
name: visits
task: binary
columns:
  when: {type: timestamp, role: event_time}
  visit: {type: category, role: key}
  people: {type: integer, rules: [{range: [1, 20]}]}
  amount: {type: number, nullable: true}
  member: {type: boolean, nullable: true}
  channel: {type: category, nullable: true, rules: [{allowed: [web, shop]}]}
  note: {type: text, nullable: true, rules: [{pattern: '[^!]*'}]}
  bought: {type: category, role: label, classes: ["yes", "no"]}
training: {model: linear}
""")
NAMES = list(DEFINITION.columns)
GOOD = (
    ",".join(NAMES) + '\n2024-02-01,a1,2,12.5,true,web,"said ""no"", left",yes\n'
    "2024-02-02T10:30:00Z,a2,1,,0,shop,,no\n2024-02-03 09:00,a3,4,3e1,,,None,yes\n"
).encode()

CELLS = st.one_of(
    st.sampled_from([
        "", "0", "1", "-1", "7", "21", "2.5", "nan", "1e400", "99999999999999999999", "16777217",
        "true", "FALSE", "web", "fax", "yes", "no", "maybe", "None", "a1", "a2", "hi!", '"', ",",
        "2024-02-01", "2024-02-30", "9999-12-31T23:59:59-01:00", "\n", "\r\n", "x\ny", " ",
    ]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
)  # fmt: skip
ROW = st.tuples(*(CELLS for _ in NAMES))
PLAUSIBLE = st.tuples(
    st.sampled_from(["2024-02-01", "2024-02-02T10:00:00Z", "2024-02-03 10:00", "x", ""]),
    st.sampled_from(["a1", "a2", "a3", "a4", "a5", ""]),
    st.sampled_from(["1", "2", "20", "21", "x"]),
    st.sampled_from(["", "1.5", "-2", "warm"]),
    st.sampled_from(["", "true", "0", "perhaps"]),
    st.sampled_from(["", "web", "shop", "fax"]),
    st.sampled_from(["", "None", "two\nlines", 'a "quote"', "hi!"]),
    st.sampled_from(["yes", "no", "maybe"]),
)


def as_csv(rows: list[tuple[str, ...]], end: str = "\n") -> bytes:
    """Rows below the header, every cell quoted where it must be."""
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows([NAMES, *rows])
    return text.getvalue().encode()


def check_shape(judgement: Judgement) -> None:
    """What holds of every judgement."""
    for finding in judgement.findings:
        assert finding.message
        assert "\n" not in finding.rule
        assert len(finding.row_numbers) <= 10
        assert len(finding.samples) <= 10
        assert all(len(sample) <= 80 for sample in finding.samples)
        assert list(finding.row_numbers) == sorted(set(finding.row_numbers))
    if judgement.accepted:
        assert judgement.frame is not None
        assert judgement.frame.height == judgement.rows > 0


@given(st.binary(max_size=300), st.sampled_from(["x.csv", "x.csv.gz", "x.parquet", "x", ""]))
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_never_raise(data: bytes, name: str) -> None:
    """Whatever a disk, a proxy or a person makes of a file."""
    check_shape(judge_bytes(DEFINITION, name, data))


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_mutated_files_never_raise(data: st.DataObject) -> None:
    """A good file with a piece replaced, packed or not."""
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 20)))
    piece = data.draw(
        st.one_of(st.binary(max_size=12), st.sampled_from([b'"', b",", b"\n", b"\r"]))
    )
    packed = data.draw(st.booleans())

    content = GOOD[:start] + piece + GOOD[end:]
    judgement = judge_bytes(
        DEFINITION, "x.csv.gz" if packed else "x.csv", gzip.compress(content) if packed else content
    )

    check_shape(judgement)


@given(st.integers(0, 400), st.binary(max_size=4))
@settings(max_examples=200, deadline=None)
def test_mutated_gzip_never_raises(place: int, piece: bytes) -> None:
    """Cut, or with bytes exchanged."""
    packed = gzip.compress(GOOD)

    check_shape(judge_bytes(DEFINITION, "x.csv.gz", packed[:place] + piece))
    rest = packed[:place] + piece + packed[place + len(piece) :]
    check_shape(judge_bytes(DEFINITION, "x.csv.gz", rest))


@given(st.lists(ROW | PLAUSIBLE, max_size=8))
@settings(max_examples=300, deadline=None)
def test_usable_rows_obey_the_types(rows: list[tuple[str, ...]]) -> None:
    """The frame has the declared types, no null where none is allowed, and can be stored."""
    judgement = judge_bytes(DEFINITION, "x.csv", as_csv(rows))

    check_shape(judgement)
    frame = judgement.frame
    assert frame is not None
    assert frame.columns == NAMES
    for name, column in DEFINITION.columns.items():
        assert column.nullable or not frame[name].null_count()
    assert frame["amount"].drop_nulls().is_finite().all()
    assert set(frame["bought"]) <= {"yes", "no"}
    assert pl.read_parquet(to_parquet(frame)).equals(frame)


@given(st.lists(PLAUSIBLE, min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_accepted_files_obey_the_whole_definition(rows: list[tuple[str, ...]]) -> None:
    """Accepted is exactly what Python's own reading of the cells finds nothing wrong with."""

    def good(row: tuple[str, ...]) -> bool:
        when, visit, people, amount, member, channel, note, bought = row
        return (
            when not in ("", "x")
            and visit != ""
            and people in ("1", "2", "20")
            and amount != "warm"
            and member != "perhaps"
            and channel != "fax"
            and "!" not in note
            and bought in ("yes", "no")
        )

    keys = [row[1] for row in rows]
    expected = all(good(row) for row in rows) and len(set(keys)) == len(keys)

    judgement = judge_bytes(DEFINITION, "x.csv", as_csv(rows))

    assert judgement.accepted == expected, judgement.findings
    if expected:
        assert judgement.frame is not None
        assert judgement.frame["people"].to_list() == [int(row[2]) for row in rows]
        assert judgement.frame["note"].to_list() == [row[6] or None for row in rows]
        times = [datetime.fromisoformat(row[0]).replace(tzinfo=None) for row in rows]
        assert [time.replace(tzinfo=None) for time in judgement.frame["when"]] == times


@given(st.lists(PLAUSIBLE, min_size=1, max_size=8), st.sampled_from([0.2, 0.5, 1.0]))
@settings(max_examples=300, deadline=None)
def test_what_a_row_policy_accepts_obeys_the_whole_definition(
    rows: list[tuple[str, ...]], most: float
) -> None:
    """What is kept is accepted without a policy, too, and the rest lies in the other file."""
    judgement = judge_bytes(DEFINITION.bearing(most), "x.csv", as_csv(rows))

    if not judgement.accepted:
        assert judgement.set_aside == 0
        return
    frame = judgement.frame
    assert frame is not None
    assert frame.height + judgement.set_aside == judgement.rows == len(rows)
    assert judgement.set_aside <= most * len(rows) + 1e-9
    aside = list(csv.DictReader(io.StringIO(judgement.bad_rows.decode(), newline="")))
    assert len(aside) == judgement.set_aside
    left = [tuple(row[name] for name in NAMES) for row in aside]
    kept = list(rows)
    for row in left:
        kept.remove(row)
    again = judge_bytes(DEFINITION, "x.csv", as_csv(kept))
    assert again.accepted
    assert again.frame is not None
    assert sorted(again.frame.rows(), key=repr) == sorted(frame.rows(), key=repr)


@given(st.lists(PLAUSIBLE, max_size=12), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=300, deadline=None)
def test_row_numbers_are_those_of_the_file(rows: list[tuple[str, ...]], end: str) -> None:
    """Python's own reader, which knows its line, agrees."""
    data = as_csv(rows, end)
    reader = csv.reader(io.StringIO(data.decode(), newline=""))
    next(reader)
    lines = []
    line = reader.line_num + 1
    for row in reader:
        if row[2] == "x":
            lines.append(line)
        line = reader.line_num + 1

    findings = judge_bytes(DEFINITION, "x.csv", data).findings

    found = [f for f in findings if (f.column, f.rule) == ("people", "type")]
    assert [number for f in found for number in f.row_numbers] == lines[:10]
    assert sum(f.rows for f in found) == len(lines)
