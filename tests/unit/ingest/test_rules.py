"""Every rule on rows, with the exact words of its finding."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perennial.domain.judging.validation import Judgement

HEADER = "when,visit,people,amount,member,channel,note,bought\n"
GOOD = "2024-02-01,a1,2,12.5,true,web,,true\n"

Judge = Callable[..., Judgement]

CASES = [
    pytest.param(
        "2024-02-01,a2,2,warm,true,web,,true\n", (),
        "type", "reject", "amount: expected a number, found 'warm' in line 3 (1 row)",
        [3], ["warm"],
        id="text in a number",
    ),
    pytest.param(
        "2024-02-01,a2,2.5,1,true,web,,true\n2024-02-01,a3,two,1,true,web,,true\n", (),
        "type", "reject",
        "people: expected an integer, found '2.5', 'two' in lines 3, 4 (2 rows)",
        [3, 4], ["2.5", "two"], id="two texts in an integer",
    ),
    pytest.param(
        "2024-02-01,a2,2,1,maybe,web,,true\n", (),
        "type", "reject",
        "member: expected true or false (or 1 or 0), found 'maybe' in line 3 (1 row)",
        [3], ["maybe"], id="neither true nor false",
    ),
    pytest.param(
        "02/01/2024,a2,2,1,true,web,,true\n", (),
        "type", "reject",
        "when: expected a time in ISO 8601, such as 2025-02-14T09:30:00Z, "
        "found '02/01/2024' in line 3 (1 row)",
        [3], ["02/01/2024"], id="another form of time",
    ),
    pytest.param(
        "2024-02-01,a2,2,NaN,true,web,,true\n", (),
        "type", "reject", "amount: expected a number, found 'NaN' in line 3 (1 row)", [3], ["NaN"],
        id="not a number",
    ),
    pytest.param(
        "2024-02-01,a2,,1,true,web,,true\n", (),
        "null", "reject",
        "people: expected a value, found an empty cell in line 3 (1 row); "
        "nullable: true would allow it",
        [3], [""], id="an empty cell",
    ),
    pytest.param(
        '2024-02-01,a2,2,1,true,web,,""\n', (),
        "null", "reject",
        "bought: expected a value, found an empty cell in line 3 (1 row); "
        "nullable: true would allow it",
        [3], [""], id="an empty quoted cell",
    ),
    pytest.param(
        "2024-02-01,a2,0,1,true,web,,true\n",
        (("people: {type: integer}", "people: {type: integer, rules: [{range: [1, 20]}]}"),),
        "range", "reject", "people: expected a value from 1 to 20, found '0' in line 3 (1 row)",
        [3], ["0"], id="below a range",
    ),
    pytest.param(
        "2024-02-01,a2,2,-0.5,true,web,,true\n",
        (("amount: {type: number,", "amount: {type: number, rules: [{range: [0, null]}],"),),
        "range", "reject", "amount: expected at least 0, found '-0.5' in line 3 (1 row)",
        [3], ["-0.5"], id="below a half-open range",
    ),
    pytest.param(
        "2024-02-01,a2,2,12500.5,true,web,,true\n",
        (("amount: {type: number,",
          "amount: {type: number, rules: [{range: [null, 12500], severity: warn}],"),),
        "range", "warn", "amount: expected at most 12,500, found '12500.5' in line 3 (1 row)",
        [3], ["12500.5"], id="above a range that warns",
    ),
    pytest.param(
        "2024-02-01,a2,2,1,true,fax,,true\n",
        (("channel: {type: category,",
          "channel: {type: category, rules: [{allowed: [web, shop]}],"),),
        "allowed", "reject",
        "channel: expected one of 'web', 'shop', found 'fax' in line 3 (1 row)",
        [3], ["fax"], id="a category that a person did not list",
    ),
    pytest.param(
        "2024-02-01,a2,9,1,true,web,,true\n",
        (("people: {type: integer}", "people: {type: integer, rules: [{allowed: [1, 2]}]}"),),
        "allowed", "reject", "people: expected one of '1', '2', found '9' in line 3 (1 row)",
        [3], ["9"], id="an integer that a person did not list",
    ),
    pytest.param(
        "2024-02-01,A2b,2,1,true,web,,true\n",
        (("visit: {type: category,",
          "visit: {type: category, rules: [{pattern: '(?!b)[a-z]\\d+'}],"),),
        "pattern", "reject",
        "visit: expected text that matches (?!b)[a-z]\\d+, found 'A2b' in line 3 (1 row)",
        [3], ["A2b"], id="another pattern",
    ),
    pytest.param(
        "2024-02-01,a2,2,1,true,web,,perhaps\n",
        (("bought: {type: boolean,", "bought: {type: category, classes: ['true', 'false'],"),),
        "class", "reject",
        "bought: expected one of the classes 'true', 'false', found 'perhaps' in line 3 (1 row)",
        [3], ["perhaps"], id="an unknown class",
    ),
    pytest.param(
        "2024-02-01,a2,16777217,1,true,web,,true\n", (),
        "precision", "reject",
        "people: expected an integer between -16,777,216 and 16,777,216, which a model holds "
        "exactly, found '16777217' in line 3 (1 row); give an identifier role key or ignore, and "
        "a time type timestamp",
        [3], ["16777217"], id="an integer that float32 rounds",
    ),
    pytest.param(
        "2024-02-01,a2,2,1300000001,true,web,,true\n", (),
        "precision", "warn",
        "amount: expected no whole number beyond 16,777,216, which a model rounds, "
        "found '1300000001' in line 3 (1 row); give an identifier role key or ignore, and a time "
        "type timestamp",
        [3], ["1300000001"], id="a whole number that float32 rounds",
    ),
    pytest.param(
        "2024-02-01,a2,2,1e39,true,web,,true\n", (),
        "precision", "reject",
        "amount: expected a number within the range of float32, in which a model computes, "
        "found '1e39' in line 3 (1 row)",
        [3], ["1e39"], id="a number that float32 makes infinite",
    ),
    pytest.param(
        "2024-02-01,a2,2,1,true,web,,true\n2024-02-01,a1,2,1,true,web,,true\n", (),
        "key", "reject",
        "visit: expected every key once in a file, found 'a1' in line 4 (1 row)",
        [4], ["a1"], id="a key that comes again",
    ),
    pytest.param(
        "2024-02-01,a2,2,1,true,web,true\n", (),
        "field_count", "reject",
        "expected 8 fields in every row, found 7 in line 3 (1 row)",
        [3], ["2024-02-01,a2,2,1,true,web,true"], id="a short row",
    ),
    pytest.param(
        "2024-02-01,a2,2,1,true,web,,true,\n", (),
        "field_count", "reject",
        "expected 8 fields in every row, found 9 in line 3 (1 row)",
        [3], ["2024-02-01,a2,2,1,true,web,,true,"], id="a long row",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "edits", "rule", "severity", "message", "lines", "samples"), CASES
)
def test_a_broken_rule_is_named_with_its_rows(
    judge: Judge,
    rows: str,
    edits: tuple[tuple[str, str], ...],
    rule: str,
    severity: str,
    message: str,
    lines: list[int],
    samples: list[str],
) -> None:
    """Expected, found, where: and nothing else is reported."""
    judgement = judge(HEADER + GOOD + rows, *edits)

    assert [finding.message for finding in judgement.findings] == [message]
    [finding] = judgement.findings
    assert (finding.rule, finding.severity) == (rule, severity)
    assert list(finding.row_numbers) == lines
    assert list(finding.samples) == samples
    assert finding.rows == len(lines)
    assert judgement.accepted == (severity == "warn")


@pytest.mark.parametrize(
    ("value", "column"), [("16777216", "people"), ("-16777216", "people"), ("3.4e38", "amount")]
)
def test_what_float32_holds_is_no_finding(judge: Judge, value: str, column: str) -> None:
    """Up to 2**24 every integer is exact; beyond it, whole numbers are merely warned about."""
    people, amount = (value, "1") if column == "people" else ("1", value)

    judgement = judge(HEADER + f"2024-02-01,a1,{people},{amount},,,,true\n")

    assert judgement.accepted


@pytest.mark.parametrize("role", ["key", "ignore", "label"])
def test_precision_is_asked_of_features_only(judge: Judge, role: str) -> None:
    """Identifiers may be as long as 64 bits allow."""
    edits = [("people: {type: integer}", f"people: {{type: integer, role: {role}}}")]
    if role == "label":
        edits += [
            ("task: binary", "task: regression"),
            ("bought: {type: boolean, role: label}", "bought: {type: boolean}"),
        ]

    assert judge(HEADER + "2024-02-01,a1,9007199254740993,1,,,,true\n", *edits).accepted


def test_keys_together_name_a_row(judge: Judge) -> None:
    """Two key columns must only differ as a pair; an empty part compares with nothing."""
    edit = ("channel: {type: category,", "channel: {type: category, role: key,")
    rows = (
        "2024-02-01,a1,1,,,web,,true\n2024-02-01,a1,1,,,shop,,true\n"
        "2024-02-01,a1,1,,,,,true\n2024-02-01,a1,1,,,,,true\n"
    )
    assert judge(HEADER + rows, edit).accepted

    [finding] = judge(HEADER + rows + "2024-02-01,a1,1,,,shop,,true\n", edit).findings

    assert finding.message == (
        "visit + channel: expected every key once in a file, found 'a1, shop' in line 6 (1 row)"
    )


def test_many_rows_are_counted_and_few_are_named(judge: Judge) -> None:
    """At most ten rows are named, three in the sentence, and long text is cut."""
    rows = "".join(f"2024-02-01,a{n},{'x' * 100}{n},1,,,,true\n" for n in range(1234))

    [finding] = judge(HEADER + rows).findings

    assert finding.rows == 1234
    assert finding.row_numbers == tuple(range(2, 12))
    assert len(finding.samples) == 10
    assert {len(sample) for sample in finding.samples} == {80}
    assert finding.message == (
        f"people: expected an integer, found '{'x' * 79}…' in lines 2, 3, 4, … (1,234 rows)"
    )


def test_every_column_reports_in_the_definitions_order(judge: Judge) -> None:
    """One look tells everything that is wrong, not only the first thing."""
    judgement = judge(HEADER + "x,a1,y,z,,,,\n")

    assert [(f.column, f.rule) for f in judgement.findings] == [
        ("when", "type"), ("people", "type"), ("amount", "type"), ("bought", "null"),
    ]  # fmt: skip


def test_usable_rows_remain_for_a_release(judge: Judge) -> None:
    """Rows that cannot be typed are left out; rows that break other rules stay."""
    edit = ("people: {type: integer}", "people: {type: integer, rules: [{range: [1, 20]}]}")

    judgement = judge(
        HEADER + "2024-02-01,a1,0,1,,,,true\n2024-02-01,a1,x,1,,,,true\n2024-02-01,a3,1,1,,,,\n",
        edit,
    )

    assert not judgement.accepted
    assert judgement.frame is not None
    assert judgement.frame["people"].to_list() == [0]
    assert judgement.rows == 3


@pytest.mark.parametrize(
    ("edit", "rows", "message"),
    [
        ("{min_rows: 3}", 2, "expected at least 3 rows, found 2"),
        ("{max_rows: 1}", 2, "expected at most 1 rows, found 2"),
        ("{}", 0, "expected at least 1 row, found only the header"),
    ],
)
def test_the_number_of_rows_is_bounded(judge: Judge, edit: str, rows: int, message: str) -> None:
    """As `files` declares; no row at all is never enough."""
    lines = "".join(f"2024-02-01,a{n},1,1,,,,true\n" for n in range(rows))

    [finding] = judge(HEADER + lines, ("task: binary", f"task: binary\nfiles: {edit}")).findings

    assert (finding.rule, finding.message) == ("row_count", message)
