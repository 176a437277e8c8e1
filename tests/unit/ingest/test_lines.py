"""Line numbers are those an editor shows, whatever stands between the rows."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from perennial.domain.formats.csv_table import CsvTable, read_header, split
from perennial.domain.judging.validation import Judgement, to_parquet

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


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("before", "between", "lines"),
    [("", "", (2, 3)), ("\n", "", (3, 4)), ("", "\n", (2, 4)), ("\n", "\n\n", (3, 6))],
)
def test_blank_lines_are_counted_where_nothing_is_quoted(
    judge: Judge, end: str, before: str, between: str, lines: tuple[int, ...]
) -> None:
    """Only without them is the number of a row that of its line."""
    text = before + HEADER + row(1, people="x") + between + row(2, people="y")

    [finding] = judge(text.replace("\n", end)).findings

    assert finding.row_numbers == lines


def test_blank_lines_are_counted_where_line_ends_are_mixed(judge: Judge) -> None:
    """A blank line may end in another way than the row before it."""
    text = HEADER + row(1) + "\r\n" + row(2) + "\r" + row(3, people="x")

    [finding] = judge(text).findings

    assert finding.row_numbers == (6,)


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
    """Arrow reads blocks of some mebibytes; a comment may be longer, where that is declared."""
    text = HEADER + row(1, note='"' + "long, \n" * 700_000 + '"') + row(2, people="x") + "1\n"
    declared = ("task: binary", "task: binary\nfiles: {max_line_bytes: 5000000}")

    misfit, bad = judge(text, declared).findings

    assert bad.row_numbers == (700_003,)
    assert misfit.row_numbers == (700_004,)


@pytest.mark.parametrize("lines", [200_000, 700_000])
def test_a_row_of_many_lines_is_no_longer_than_one_of_a_single_line(
    judge: Judge, lines: int
) -> None:
    """Whether or not it fits into a block."""
    text = HEADER + row(1) + row(2, note='"' + "long, \n" * lines + '"') + row(3)

    (finding,) = judge(text).findings

    assert finding.message == (
        "expected rows of at most 1,048,576 bytes (files.max_line_bytes), found a longer one: "
        "line 3"
    )


def test_an_open_quote_before_megabytes_is_still_an_open_quote(judge: Judge) -> None:
    """Not a row that is too long, though it is that, too."""
    text = HEADER + row(1) + '2024-02-01,a2,2,1,true,web,"x,true\n' + row(3) * 200_000

    (finding,) = judge(text).findings

    assert (finding.rule, finding.row_numbers) == ("quote", (3,))


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
    table = CsvTable(record + b"\n" + record, [str(n) for n in range(len(fields))], ["0"])

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
    monkeypatch.setattr("perennial.domain.formats.opening.BLOCK", 256)
    in_batches = judge(text)

    assert in_batches.findings == whole.findings
    assert [f.rule for f in whole.findings] == [
        "quote",
        "field_count",
        "type",
        "key",
        "constant_label",
    ]
    assert whole.frame is not None
    assert in_batches.frame is not None
    assert in_batches.frame.equals(whole.frame)
    assert (in_batches.rows, in_batches.statistics) == (whole.rows, whole.statistics)
    assert to_parquet(in_batches.frame) == to_parquet(whole.frame)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("seed", range(5))
def test_rows_are_found_again_whatever_is_passed_over_on_the_way(end: str, seed: int) -> None:
    """Long plain stretches, blank lines, quoted line ends, quotes that are characters."""
    chance = random.Random(seed)
    kinds = ["a,b", 'a,"b"', 'a,"b\n\nc"', "", "", '5" pipe,b', '"a""\n",b', "x"]
    weights = [chance.choice((0, 1, 100)) for _ in kinds]
    rows = [chance.choices(kinds, [n + (not sum(weights)) for n in weights])[0] for _ in range(400)]
    rows = ["a,b", *rows, "a,b"]
    lines = [1 + sum(1 + row.count("\n") for row in rows[:place]) for place in range(len(rows))]
    there = [(line, row) for line, row in zip(lines, rows, strict=True) if row]
    text = "\n".join(rows).replace("\n", end).encode()
    table = CsvTable(text, ["a", "b"], ["a"])

    every = list(range(1, len(there) + 1))
    for some in (every, chance.sample(every, len(every) // 20 + 1), [len(there)], []):
        expected = {number: there[number - 1] for number in some}
        found = {
            row.record: (row.line, row.cells, row.lines)
            for row in table.rows_at(dict.fromkeys(some))
        }
        assert found == {
            number: (
                line,
                tuple(split(row.replace("\n", end).encode())),
                1 + row.count("\n"),
            )
            for number, (line, row) in expected.items()
        }
        assert table.lines_of(some) == {number: line for number, (line, _) in expected.items()}
