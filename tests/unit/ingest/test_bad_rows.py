"""A few bad rows keep only themselves out of an accepted file, where the definition bears them."""

from __future__ import annotations

import io
import json

import polars as pl
import pytest

from perennial.domain.definitions.definition import parse
from perennial.domain.judging.validation import Judgement, find_bad_rows, judge_bytes

COLUMNS = """
name: visits
task: binary
columns:
  when: {type: timestamp, role: event_time}
  visit: {type: category, role: key}
  people: {type: integer, rules: [{range: [1, 20]}, {range: [null, 900], severity: reject_file}]}
  note: {type: text, role: ignore, nullable: true}
  bought: {type: boolean, role: label}
rows: {max_bad_row_fraction: 0.5}
"""
HEADER = "when,visit,people,note,bought\n"
GOOD = "2024-02-01,{},2,,true\n"


def judged(*lines: str, text: str = COLUMNS, name: str = "a.csv") -> Judgement:
    return judge_bytes(parse(text), name, (HEADER + "".join(lines)).encode())


def good(*visits: str) -> list[str]:
    return [GOOD.format(visit) for visit in visits]


def kept(judgement: Judgement) -> list[str]:
    assert judgement.accepted, judgement.findings
    assert judgement.frame is not None
    return judgement.frame["visit"].to_list()


def rejected(judgement: Judgement) -> list[str]:
    assert not judgement.accepted
    assert (judgement.set_aside, judgement.bad_rows) == (0, b"")
    return [f.rule for f in judgement.findings if f.severity == "reject"]


def test_rows_that_break_rules_are_left_out_and_kept_as_they_stood() -> None:
    judgement = judged(
        *good("a1", "a2", "a3"),
        '2024-02-01,a4,99,"said ""no"", left",true\n',
        "2024-02-30,a5,many,=1+1,\n",
        "2024-02-01,a6\n",
        "2024-02-01,a7,2,,true,7\n",
        *good("a8", "a9"),
    )

    assert kept(judgement) == ["a1", "a2", "a3", "a8", "a9"]
    assert (judgement.rows, judgement.set_aside) == (9, 4)
    assert {f.severity for f in judgement.findings} == {"reject_row"}
    assert judgement.bad_rows.decode() == (
        "line,rules,when,visit,people,note,bought,field 6\n"
        '5,range,2024-02-01,a4,99,"said ""no"", left",true\n'
        "6,type null,2024-02-30,a5,many,=1+1,\n"
        "7,field_count,2024-02-01,a6\n"
        "8,field_count,2024-02-01,a7,2,,true,7\n"
    )


def test_without_a_policy_one_bad_row_keeps_the_file_out() -> None:
    text = COLUMNS.replace("rows: {max_bad_row_fraction: 0.5}\n", "")

    assert rejected(judged(*good("a1", "a2"), "2024-02-01,a4,99,,true\n", text=text)) == ["range"]


def test_a_file_with_more_bad_rows_than_that_is_kept_out_and_says_so() -> None:
    judgement = judged(*good("a1"), "2024-02-01,a4,99,,true\n", "2024-02-01,a5,0,,true\n")

    assert rejected(judgement) == ["range", "bad_rows"]
    assert judgement.findings[-1].message == (
        "expected at most 50.000% bad rows (rows.max_bad_row_fraction), found 66.667% (2 of 3 rows)"
    )
    assert judgement.frame is not None
    assert judgement.frame.height == 3, "a release takes every row that training can use"


@pytest.mark.parametrize(("rows", "bad"), [(100, 29), (100, 7), (1000, 3), (10, 1)])
def test_a_share_is_borne_that_is_met_exactly(rows: int, bad: int) -> None:
    text = COLUMNS.replace("0.5", repr(bad / rows))
    lines = [f"2024-02-01,a{n},{99 if n < bad else 2},,true\n" for n in range(rows)]

    assert len(kept(judged(*lines, text=text))) == rows - bad


def test_reject_file_keeps_the_file_out_whatever_the_policy() -> None:
    judgement = judged(*good("a1", "a2", "a3"), "2024-02-01,a4,901,,true\n")

    assert rejected(judgement) == ["range", "range"]


def test_rows_that_are_the_same_are_learned_once() -> None:
    judgement = judged(*good("a1", "a2", "a3", "a1", "a1"))

    assert kept(judgement) == ["a1", "a2", "a3"]
    assert b"\n5,key," in judgement.bad_rows
    assert b"\n6,key," in judgement.bad_rows


def test_of_rows_that_differ_under_one_key_nobody_knows_which_is_right() -> None:
    judgement = judged(*good("a1", "a2", "a3"), "2024-02-01,a1,3,,true\n")

    assert kept(judgement) == ["a2", "a3"]
    assert judgement.set_aside == 2


@pytest.mark.parametrize("unique", ["role: key", "rules: [{unique: true}]"])
@pytest.mark.parametrize("bad", ["2024-02-01,a1,99,,true\n", "2024-02-30,a1,2,,true\n"])
def test_a_row_that_is_bad_by_itself_says_nothing_against_a_good_one(bad: str, unique: str) -> None:
    """Wherever it stands, and however often."""
    text = COLUMNS.replace("role: key", unique)

    for lines in ([*good("a1", "a2", "a3"), bad, bad], [bad, *good("a1", "a2", "a3")]):
        judgement = judged(*lines, text=text)
        assert kept(judgement) == ["a1", "a2", "a3"]
        assert {finding.rule for finding in judgement.findings} <= {"range", "type"}
    contested = judged(bad, *good("a1", "a2", "a3", "a4"), "2024-02-01,a1,3,,true\n", text=text)
    assert kept(contested) == ["a2", "a3", "a4"]


def test_unique_values_are_told_apart_like_keys() -> None:
    text = COLUMNS.replace("visit: {type: category, role: key}",
                           "visit: {type: category, rules: [{unique: true}]}")  # fmt: skip

    assert kept(judged(*good("a1", "a2", "a3", "a1"), text=text)) == ["a1", "a2", "a3"]
    assert kept(judged(*good("a2", "a3", "a1"), "2024-02-02,a1,2,,true\n", text=text)) == [
        "a2",
        "a3",
    ]


def test_the_fewest_rows_are_counted_without_the_bad_ones() -> None:
    judgement = judged(
        *good("a1", "a2"), "2024-02-01,a4,99,,true\n", text=COLUMNS + "files: {min_rows: 3}\n"
    )

    assert rejected(judgement) == ["row_count", "range"]
    assert judgement.findings[0].message == "expected at least 3 rows, found 2 beside 1 bad row"


@pytest.mark.parametrize("last", ["2024-02-01,a4", "2024-02-01,a4,2,,tr", "2024-02-01,a4,2,,"])
def test_a_bad_last_row_without_a_line_end_is_a_file_that_was_cut_off(last: str) -> None:
    assert "truncated" in rejected(judged(*good("a1", "a2", "a3"), last))
    assert kept(judged(*good("a1", "a2", "a3"), last + "\n")) == ["a1", "a2", "a3"]


def test_what_an_open_quote_swallowed_counts_by_its_lines() -> None:
    """Two stray quotes make one row of all between them."""
    swallowed = ['2024-02-01,"a5,2,,true\n', *good(*"bcdefgh"), '2024-02-01,a6,"2,,true\n']

    judgement = judged(*good("a1", "a2", "a3"), *swallowed)

    assert "bad_rows" in rejected(judgement)
    assert judgement.findings[-1].message == (
        "expected at most 50.000% bad rows (rows.max_bad_row_fraction), found such that take "
        "75.000% (9 of 12 lines): does a quote stand open?"
    )


def test_rows_of_many_lines_are_no_more_than_rows() -> None:
    """Where all of them take as many, a bad one is one bad row."""
    note = '"' + "well,\n" * 5 + '"'
    lines = [
        f"2024-02-01,a{n},{99 if n < 2 else 2},{note},true\n{'' if n % 2 else chr(10)}"
        for n in range(10)
    ]

    assert len(kept(judged(*lines, text=COLUMNS.replace("0.5", "0.2")))) == 8
    assert "bad_rows" in rejected(judged(*lines, text=COLUMNS.replace("0.5", "0.1")))


def test_a_file_whose_last_quote_stays_open_is_kept_out() -> None:
    assert "quote" in rejected(judged(*good("a1", "a2", "a3"), '2024-02-01,"a4,2,,true\n'))


def test_bad_rows_do_not_hide_what_is_wrong_with_the_whole_file() -> None:
    lines = [f"2024-02-{1 + n % 28:02d},a{n},2,,{str(n % 2 == 0).lower()}\n" for n in range(60)]
    text = COLUMNS + "checks: {duplicate_rows: {reject: 0.1}}\n"
    text = text.replace("role: key", "role: ignore")
    same = good("a") * 30

    judgement = judged(*lines, *same, "2024-02-01,b,99,,true\n", text=text)

    assert rejected(judgement) == ["range", "duplicate_row"]


def test_lines_of_json_that_are_no_rows_are_bad_rows() -> None:
    one = {"when": "2024-02-01", "visit": "a1", "people": 2, "note": None, "bought": True}
    lines = [json.dumps(one), "", "{broken", json.dumps(one | {"visit": "a2"}),
             json.dumps(one | {"visit": "a3", "people": 99})]  # fmt: skip
    data = "".join(f"{line}\n" for line in lines).encode()

    judgement = judge_bytes(parse(COLUMNS), "a.jsonl", data)

    assert kept(judgement) == ["a1", "a2"]
    assert (judgement.rows, judgement.set_aside) == (4, 2)
    assert judgement.bad_rows.decode() == (
        "line,rules,when,visit,people,note,bought\n3,json,{broken\n5,range,2024-02-01,a3,99,,true\n"
    )
    data += "".join(f"{json.dumps(one | {'visit': visit})}\n" for visit in ("a4", "a5")).encode()
    assert "truncated" in rejected(judge_bytes(parse(COLUMNS), "a.jsonl", data + b'{"when": "2'))


def test_rows_of_parquet_are_named_by_their_numbers() -> None:
    frame = pl.DataFrame(
        {"when": ["2024-02-01"] * 3, "visit": ["a1", "a2", "a3"], "people": [2, 99, 3],
         "note": [None, "x", "y"], "bought": [True, False, True]}
    )  # fmt: skip
    frame.write_parquet(file := io.BytesIO())

    judgement = judge_bytes(parse(COLUMNS), "a.parquet", file.getvalue())

    assert kept(judgement) == ["a1", "a3"]
    assert judgement.bad_rows.endswith(b"\n2,range,2024-02-01,a2,99,x,false\n")


def test_a_row_longer_than_a_block_can_be_set_aside() -> None:
    judgement = judged(
        *good("a1", "a2"), f"2024-02-01,a3,99,{'x' * 5_000_000},true\n", *good("a4"),
        text=COLUMNS + "files: {max_line_bytes: 9000000}\n",
    )  # fmt: skip

    assert kept(judgement) == ["a1", "a2", "a4"]


def test_bad_rows_are_found_whatever_the_policy_and_by_their_places() -> None:
    """For whoever takes them out of the file: blank lines are no rows, the header is the first."""
    text = COLUMNS.replace("0.5", "0")
    lines = [*good("a1"), "\n", "2024-02-01,a2,99,,true\n", "x\n", "2024-02-01,a3,0,,\n"]

    found = find_bad_rows(parse(text), "a.csv", (HEADER + "".join(lines)).encode())

    assert dict(found) == {3: ("range",), 4: ("field_count",), 5: ("range", "null")}
    assert find_bad_rows(parse(text), "a.csv", b"") == {}
