"""The first row must name the declared columns."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perennial.domain.judging.validation import Judgement

HEADER = "when,visit,people,amount,member,channel,note,bought"
ROW = "2024-02-01,a1,2,12.5,true,web,,true\n"

Judge = Callable[..., Judgement]


def findings(judgement: Judgement) -> list[tuple[str, str, str]]:
    return [(f.rule, f.severity, f.message) for f in judgement.findings]


def test_a_missing_column_is_named_with_the_nearest_one(judge: Judge) -> None:
    """And what stands there instead is reported as undeclared."""
    judgement = judge(HEADER.replace("amount", " Ammount") + "\n" + ROW)

    assert findings(judgement) == [
        ("missing_column", "reject",
         "amount: expected a column with this name, found ' Ammount' as the nearest"),
        ("extra_column", "warn",
         ("expected only the declared columns, found ' Ammount' too; what is not declared is not "
         "used")),
    ]  # fmt: skip
    assert judgement.frame is None


def test_the_other_columns_are_judged_all_the_same(judge: Judge) -> None:
    """So that one look at the report is enough to repair the file."""
    judgement = judge("when,visit,people,amount,member,channel,note\n2024-02-01,a1,two,1,,,\n")

    assert findings(judgement) == [
        ("missing_column", "reject", "bought: expected a column with this name, found none"),
        ("type", "reject", "people: expected an integer, found 'two' in line 2 (1 row)"),
    ]


def test_a_repeated_column_is_ambiguous(judge: Judge) -> None:
    """Whether it is declared or not."""
    judgement = judge(HEADER + ",amount\n" + ROW.replace("\n", ",3\n"))

    assert findings(judgement) == [
        ("duplicate_column", "reject", "amount: expected this column once, found it 2 times"),
    ]
    assert judgement.frame is None
    assert not judge(HEADER + ",new,new\n" + ROW.replace("\n", ",3,4\n")).accepted


@pytest.mark.parametrize(("severity", "accepted"), [("warn", True), ("reject", False)])
def test_extra_columns_are_what_the_definition_says(
    judge: Judge, severity: str, accepted: bool
) -> None:
    """By default they are ignored with a warning."""
    judgement = judge(
        HEADER + ",new,\n" + ROW.replace("\n", ",3,4\n"),
        ("task: binary", f"task: binary\nfiles: {{extra_columns: {severity}}}"),
    )

    assert findings(judgement) == [
        ("extra_column", severity,
         ("expected only the declared columns, found 'new', '' too; what is not declared is not "
         "used"))
    ]  # fmt: skip
    assert judgement.accepted == accepted
    assert judgement.frame is not None
    assert "new" not in judgement.frame.columns


@pytest.mark.parametrize(
    ("delimiter", "what"), [(";", "semicolons (;)"), ("\t", "tabs"), ("|", "vertical bars (|)")]
)
def test_another_delimiter_is_recognised(judge: Judge, delimiter: str, what: str) -> None:
    """One finding, not one for each missing column."""
    judgement = judge((HEADER + "\n" + ROW).replace(",", delimiter))

    assert findings(judgement) == [
        ("delimiter", "reject",
         (f"expected fields separated by commas, found {what}: save the file with commas, or "
          "declare files.csv.delimiter"))
    ]  # fmt: skip


def test_a_file_without_a_header_says_what_stands_there(judge: Judge) -> None:
    """Long lists are cut."""
    judgement = judge(ROW)

    assert findings(judgement) == [
        ("header", "reject",
         ("expected the columns 'when', 'visit', 'people', 'amount', 'member', 'channel', 'note', "
         "'bought' in the first row, found '2024-02-01', 'a1', '2', '12.5', 'true', 'web', '', "
         "'true'"))
    ]  # fmt: skip


def test_an_endless_header_is_refused(judge: Judge) -> None:
    """Before a table with that many columns is made."""
    [finding] = judge("a" + "," * 500_000).findings

    assert finding.message == "expected at most 10,000 columns, found 500,001"
