"""What counts as late, and for whom."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from perennial.domain.definitions.definition import parse
from perennial.domain.judging.lateness import (
    covered_before,
    covered_still,
    earliest,
    watermark_of,
)
from perennial.domain.judging.validation import judge_bytes
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict, VerdictSummary
from perennial.domain.versioning.registry import Head, Watermark
from perennial.errors import DefinitionError

DEFINITION = """
name: taps
task: binary
columns:
  at: {type: timestamp, role: event_time}
  heat: {type: number}
  open: {type: integer, role: label, classes: [0, 1]}
"""
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def accepted(arrived: datetime, last: datetime | None) -> VerdictSummary:
    file = FileId(int(arrived.timestamp() * 1e6), "taps/a.csv")
    return VerdictSummary(file, 1, "accepted", arrived, "", "", 1, "rows", last, last)


def said(limit: float | None, *times: str, covered: datetime | None = NOON) -> list[str]:
    text = DEFINITION if limit is None else f"{DEFINITION}rows: {{max_lateness_days: {limit}}}\n"
    lines = "\n".join(["at,heat,open", *(f"{time},1.5,{n % 2}" for n, time in enumerate(times))])
    judgement = judge_bytes(parse(text), "a.csv", lines.encode(), covered=covered)
    assert {finding.rule for finding in judgement.findings} <= {"lateness"}
    return [finding.message for finding in judgement.findings]


def test_rows_before_the_limit_are_named_with_what_was_expected_and_found() -> None:
    [message] = said(2, "2026-03-08T11:59:59", "2026-03-08T12:00:00", "2026-03-11T00:00:00")

    assert message == (
        "at: expected a time from 2026-03-08 12:00 UTC on, found '2026-03-08T11:59:59' in line 2 "
        "(1 row); rows.max_lateness_days says how long before the end of what was accepted "
        "already a row may have happened"
    )


def test_any_time_is_fine_by_default_and_where_nothing_was_accepted_before() -> None:
    assert said(None, "1999-01-01") == []
    assert said(0, "1999-01-01", covered=None) == []
    assert said(1e6, "1999-01-01") == []  # before the first year there is


@pytest.mark.parametrize("limit", ["-1", "soon"])
def test_the_limit_is_a_number_of_days(limit: str) -> None:
    with pytest.raises(DefinitionError, match="max_lateness_days"):
        parse(f"{DEFINITION}rows: {{max_lateness_days: {limit}}}\n")


def test_accepted_files_reach_as_far_as_the_latest_of_them_and_none_beyond_its_arrival() -> None:
    week = timedelta(days=7)
    first, last = accepted(NOON + week, NOON + week), accepted(NOON + 2 * week, NOON)
    mistyped = accepted(NOON, NOON + 100 * week)

    assert watermark_of([first, last, mistyped]) == Watermark(NOON + week, first.file.generation)
    assert watermark_of([last, mistyped]) == Watermark(NOON, mistyped.file.generation)
    assert watermark_of([accepted(NOON, None)]) is None
    assert watermark_of([]) is None


def test_a_file_is_not_late_for_one_that_was_dropped_after_it() -> None:
    mark = Watermark(NOON, 500)

    assert covered_before(mark, FileId(501, "a")) == NOON
    assert covered_before(mark, FileId(499, "a")) is None
    assert covered_before(None, FileId(501, "a")) is None


def test_judged_again_a_file_is_no_later_than_it_was_and_recalled_files_count_no_more() -> None:
    later, sooner = NOON + timedelta(days=9), NOON - timedelta(days=9)

    assert covered_still(Watermark(later, 1), NOON) == NOON
    assert covered_still(Watermark(sooner, 1), NOON) == sooner
    assert covered_still(Watermark(later, 1), None) is None
    assert covered_still(None, NOON) is None


def test_a_limit_that_reaches_before_the_calendar_is_none() -> None:
    assert earliest(datetime(1, 1, 2, tzinfo=UTC), 2) is None
    assert earliest(NOON, 0) == NOON


def test_heads_and_verdicts_keep_it_and_those_without_stay_readable() -> None:
    head = Head("taps", watermark=Watermark(NOON, 7))
    assert Head.from_json(head.to_json()) == head
    verdict = Verdict("taps", FileId(7, "a"), "accepted", NOON, covered=NOON)
    assert Verdict.from_json(verdict.to_json()) == verdict

    document = json.loads(verdict.to_json())
    del document["covered"]
    assert Verdict.from_json(json.dumps(document).encode()).covered is None
