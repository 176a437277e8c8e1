"""Line numbers are those an editor shows, whatever stands between the rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perennial.domain.csv_table import Table, read_header, split
from perennial.domain.validation import Judgement, to_parquet

HEADER = "when,visit,people,amount,member,channel,note,bought\n"

Judge = Callable[..., Judgement]


def row(number: int, people: str = "2", note: str = "") -> str:
    return f"2024-02-01,a{number},{people},1,true,web,{note},true\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_quoted_line_ends_and_blank_lines_are_counted(judge: Judge, end: str) -> None:
    """The bad rows stand in lines 6 and 12."""
    text = HEADER + row(1, note='"two\nlines"') + "\n\n" + row(2, people="x")
    text += row(3, note='"a\n\n\nb ""c"""') + "\n" + row(4, people="y")

    [finding] = judge(text.replace("\n", end)).findings

    assert finding.row_numbers == (6, 12)


def test_rows_with_another_number_of_fields_do_not_shift_the_others(judge: Judge) -> None:
    """Even if they have line ends of their own."""
    text = HEADER + row(1) + '1,"x\ny"\n' + row(2, people="x") + "1\n" + row(3, people="y")

    misfits, bad = judge(text).findings

    assert misfits.row_numbers == (3, 6)
    assert misfits.samples == ('1,"x\ny"', "1")
    assert misfits.message == "expected 8 fields in every row, found 2, 1 in lines 3, 6 (2 rows)"
    assert bad.row_numbers == (5, 7)


@pytest.mark.parametrize("rest", ['"', '"never closed', '"it\n2024-02-01,a2,2,1,,,,true\n', '"a""'])
def test_an_open_quote_at_the_end_is_found_where_it_opens(judge: Judge, rest: str) -> None:
    """It swallows the rest of the file, and may do so with the right number of fields."""
    judgement = judge(HEADER + row(1) + "2024-02-01,a2,2,1,true,web,x," + rest)

    [finding] = judgement.findings
    assert finding.rule == "quote"
    assert finding.message == (
        "expected a closing quote, found none for the field that opens in line 3"
    )
    assert judgement.frame is not None
    assert judgement.frame.height == 1


def test_an_open_quote_with_too_few_fields_is_found_too(judge: Judge) -> None:
    """Not as a short row, which would mislead."""
    [finding] = judge(HEADER + row(1) + '2024-02-01,"a2,2,1\n' + row(3)).findings

    assert (finding.rule, finding.row_numbers) == ("quote", (3,))


def test_quotes_inside_a_field_are_characters(judge: Judge) -> None:
    """Only a quote that begins a field opens it."""
    assert judge(HEADER + row(1, note='5" pipe') + row(2, note='""')).accepted


def test_rows_longer_than_a_block_are_read(judge: Judge) -> None:
    """Arrow reads blocks of a mebibyte; a comment may be longer."""
    text = HEADER + row(1, note='"' + "long, \n" * 500_000 + '"') + row(2, people="x") + "1\n"

    misfit, bad = judge(text).findings

    assert bad.row_numbers == (500_003,)
    assert misfit.row_numbers == (500_004,)


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        (b"a", ["a"]),
        (b"a,", ["a", ""]),
        (b",", ["", ""]),
        (b'"a,b",c', ["a,b", "c"]),
        (b'"a""b",""', ['a"b', ""]),
        (b'"a"b,c"d"', ["ab", 'c"d"']),
    ],
)
def test_a_header_is_split_as_the_rows_are(record: bytes, fields: list[str]) -> None:
    """Two readers, one dialect."""
    table = Table(record + b"\n" + record, [str(n) for n in range(len(fields))], ["0"])

    [cells] = table.batches()

    assert split(record) == fields
    assert not table.misfits
    assert cells["0"].to_list() == [fields[0] or None]


def test_the_header_is_the_first_row_that_is_not_blank() -> None:
    """And there may be none."""
    assert read_header(b'\n\r\n"a\nb",c\n1,2\n') == b'"a\nb",c'
    assert read_header(b"\n\n") == b""


def test_a_file_of_many_batches_is_judged_like_one_of_a_single_batch(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts, rows, lines, keys across batches and an open quote at the end."""
    rows = [row(n, people="x" if n % 7 == 0 else "2", note='"a\nb"') for n in range(300)]
    rows[150] = "1,2\n"
    rows[200] = row(3)
    text = HEADER + "".join(rows) + '2024-02-01,last,2,"'

    whole = judge(text)
    monkeypatch.setattr("perennial.domain.validation.BLOCK", 256)
    in_batches = judge(text)

    assert in_batches.findings == whole.findings
    assert [f.rule for f in whole.findings] == ["quote", "field_count", "type", "key"]
    assert whole.frame is not None
    assert in_batches.frame is not None
    assert in_batches.frame.equals(whole.frame)
    assert (in_batches.rows, in_batches.statistics) == (whole.rows, whole.statistics)
    assert to_parquet(in_batches.frame) == to_parquet(whole.frame)
