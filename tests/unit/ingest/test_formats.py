"""Dialects of CSV, JSON Lines and Parquet: the same rows, the same judgement."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perennial.domain.definitions.definition import Definition, parse
from perennial.domain.judging.validation import Judgement, judge_bytes
from perennial.errors import DefinitionError

COLUMNS = """
name: shop
task: binary
columns:
  when: {type: timestamp, role: event_time}
  people: {type: integer, nullable: true}
  amount: {type: number, nullable: true}
  channel: {type: category, nullable: true}
  bought: {type: boolean, role: label}
training: {min_rows: 2}
"""
TEXT = (
    "when,people,amount,channel,bought\n"
    "2024-02-01T10:00:00Z,2,12.5,web,true\n2024-02-02T10:00:00Z,,-3,None,false\n"
)
PLAIN = judge_bytes(parse(COLUMNS), "a.csv", TEXT.encode())


def declared(files: str = "{}") -> Definition:
    return parse(f"{COLUMNS}files: {files}\n")


def rules(judgement: Judgement) -> list[str]:
    return [finding.rule for finding in judgement.findings]


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def as_table() -> pa.Table:
    """The rows with the types of a program that knows them."""
    assert PLAIN.frame is not None
    return PLAIN.frame.to_arrow()


@pytest.mark.parametrize(
    ("files", "data"),
    [
        ('{csv: {delimiter: ";"}}', TEXT.replace(",", ";").encode()),
        ('{csv: {delimiter: "\\t"}}', TEXT.replace(",", "\t").encode()),
        ('{csv: {delimiter: ";", decimal: ","}}',
         TEXT.replace(",", ";").replace(".5", ",5").encode()),
        ("{csv: {quote: \"'\"}}", TEXT.replace("web", "'web'").encode()),
        ("{csv: {encoding: utf-16}}", TEXT.encode("utf-16")),
        ("{csv: {encoding: utf-16-le}}", TEXT.encode("utf-16-le")),
        ("{csv: {encoding: windows-1252}}", TEXT.encode()),
        ("{csv: {encoding: windows-1252}}", b"\xef\xbb\xbf" + TEXT.encode()),
        ("{csv: {null_words: [n/a]}}", TEXT.replace(",,", ",n/a,").encode()),
    ],
)  # fmt: skip
def test_a_declared_dialect_is_read_like_plain_csv(files: str, data: bytes) -> None:
    judgement = judge_bytes(declared(files), "a.csv", data)

    assert (judgement.findings, judgement.rows) == ((), 2)
    assert judgement.frame is not None
    assert judgement.frame.equals(PLAIN.frame)


def test_a_word_is_null_only_where_it_is_declared() -> None:
    data = TEXT.replace("web", "NA").encode()

    for files, channel in (("{}", ["NA", "None"]), ("{csv: {null_words: [NA]}}", [None, "None"])):
        frame = judge_bytes(declared(files), "a.csv", data).frame
        assert frame is not None
        assert frame["channel"].to_list() == channel


def test_a_quoted_null_word_is_a_word() -> None:
    data = TEXT.replace("web", '"NA"').encode()

    frame = judge_bytes(declared("{csv: {null_words: [NA]}}"), "a.csv", data).frame

    assert frame is not None
    assert frame["channel"][0] == "NA"


@pytest.mark.parametrize(
    ("files", "data", "message"),
    [
        ('{csv: {delimiter: ";"}}', TEXT.encode(),
         ("expected fields separated by semicolons (;), found commas: save the file with "
          "semicolons (;), or declare files.csv.delimiter")),
        ("{csv: {encoding: ascii}}", TEXT.replace("web", "wéb").encode(),
         ("expected ascii text (files.csv.encoding), found the byte 0xC3 in line 2, which is none; "
          "it is UTF-8: save it as ascii, or declare files.csv.encoding: utf-8")),
        ("{csv: {encoding: windows-1252}}", TEXT.encode("utf-16"),
         ("expected cp1252 text, found UTF-16 (little-endian): save it as cp1252, or declare "
          "files.csv.encoding: utf-16")),
        ('{csv: {delimiter: ";", decimal: ","}}', TEXT.replace(",", ";").encode(),
         "amount: expected a number, found '12.5' in line 2 (1 row)"),
        ("{formats: [parquet]}", TEXT.encode(),
         "expected a name that ends in .parquet, found .csv"),
        ("{max_line_bytes: 30}", TEXT.encode(),
         ("expected lines of at most 30 bytes (files.max_line_bytes), found a longer one: line 1")),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_declaration_is_named(files: str, data: bytes, message: str) -> None:
    (finding,) = judge_bytes(declared(files), "a.csv", data).findings

    assert (finding.severity, finding.message) == ("reject", message)


def test_json_lines_are_read_like_csv() -> None:
    """Numbers and words as such; a missing key is an empty cell; escapes are text."""
    lines = (
        '{"bought": true, "when": "2024-02-01T10:00:00Z", "people": 2, "amount": 1.25e1, '
        '"channel": "w\\u0065b"}\r\n\n'
        '{"when": "2024-02-02T10:00:00Z", "amount": "-3", "channel": "None", "bought": "false"}'
    )

    judgement = judge_bytes(declared(), "a.jsonl", lines.encode())

    assert judgement.findings == ()
    assert judgement.frame is not None
    assert judgement.frame.equals(PLAIN.frame)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "a JSON object in every line"),
        ("[1]", "a JSON object in every line"),
        ("[" * 100_000, "a JSON object in every line"),
        ('{"a": 1, "a": 2}', "every key once in a line"),
        ('{"\\ud83c": 1}', "text in whole characters"),
    ],
)
def test_a_line_that_is_no_row_is_named(line: str, expected: str) -> None:
    good = '{"when": "2024-02-01", "people": 1, "amount": 1, "channel": "x", "bought": 1}'

    (finding,) = judge_bytes(declared(), "a.jsonl", f"{good}\n{line}\n{good}\n".encode()).findings

    assert (finding.rule, finding.row_numbers, finding.rows) == ("json", (2,), 1)
    assert finding.message.startswith(f"expected {expected}, found ")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("NaN", "numbers that JSON knows: neither NaN nor Infinity"),
        ("[1]", "text, a number, true, false or null: no list or object"),
        ('{"a": 1}', "text, a number, true, false or null: no list or object"),
        ('"\\ud83c"', "text in whole characters"),
    ],
)
def test_a_json_value_that_is_no_cell_matters_in_declared_columns_only(
    value: str, expected: str
) -> None:
    good = '{"when": "2024-02-01", "people": 1, "amount": 1, "channel": "x", "bought": 1}'
    other = good.replace("}", f', "more": {value}}}')
    bad = good.replace('"x"', value)

    warned = judge_bytes(declared(), "a.jsonl", f"{good}\n{other}\n".encode())
    (finding,) = judge_bytes(declared(), "a.jsonl", f"{good}\n{bad}\n".encode()).findings

    assert warned.accepted
    assert rules(warned) == ["extra_column"]
    assert (finding.rule, finding.column, finding.row_numbers) == ("json", "channel", (2,))
    assert finding.message.startswith(f"channel: expected {expected}, found ")


def test_a_json_array_is_told_from_json_lines() -> None:
    row = {"when": "2024-02-01", "bought": True}

    for text in (json.dumps([row, row]), json.dumps([row, row], indent=1), "[]"):
        (finding,) = judge_bytes(declared(), "a.jsonl", text.encode()).findings
        assert finding.rule == "json"
        assert "found one JSON array: write each of its objects in a line" in finding.message


def test_keys_without_end_are_refused_before_they_fill_the_memory() -> None:
    lines = "".join(f'{{"when": "2024-02-01", "k{n}": 1}}\n' for n in range(30_000))

    (finding,) = judge_bytes(declared(), "a.jsonl", lines.encode()).findings

    assert finding.message == (
        "expected at most 10,000 different keys, found more by line 10,000, such as 'k9999': are "
        "the keys data?"
    )


def test_a_bad_value_in_json_lines_is_named_with_its_line() -> None:
    good = '{"when": "2024-02-01", "people": 1, "amount": 1, "channel": "x", "bought": 1}'
    bad = good.replace('"people": 1', '"people": 1.5')

    (finding,) = judge_bytes(declared(), "a.jsonl", f"{good}\n\n{bad}\n".encode()).findings

    assert finding.message == "people: expected an integer, found '1.5' in line 3 (1 row)"


def test_parquet_is_read_like_csv() -> None:
    judgement = judge_bytes(declared(), "a.parquet", parquet(as_table()))

    assert judgement.findings == ()
    assert judgement.frame is not None
    assert judgement.frame.equals(PLAIN.frame)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("when", pa.array(["2024-02-01 10:00", "2024-02-02 10:00"]).cast(pa.timestamp("ns"))),
        ("when", pa.array(["2024-02-01 10:00Z", "2024-02-02 10:00Z"])
         .cast(pa.timestamp("s", "+05:00"))),
        ("people", pa.array([2.0, None])),  # pandas keeps whole numbers with gaps so
        ("people", pa.array([2.0, None], pa.float16())),
        ("people", pa.array([2, None], pa.uint8())),
        ("people", pa.array([Decimal("2.00"), None])),
        ("people", pa.array([Decimal("2.00"), None], pa.decimal256(50, 2))),
        ("people", pa.array(["2", None])),
        ("amount", pa.array([Decimal("12.50"), Decimal("-3.00")])),
        ("amount", pa.array([Decimal("12.5"), Decimal(-3)], pa.decimal256(60, 20))),
        ("channel", pa.array(["web", "None"]).dictionary_encode()),
        ("channel", pa.array(["web", "None"], pa.large_string())),
        ("channel", pa.array([b"web", b"None"])),
        ("bought", pa.array(["true", "false"])),
        ("bought", pa.array([1, 0])),
        ("bought", pa.array([1.0, 0.0])),
    ],
)  # fmt: skip
def test_parquet_may_hold_the_values_in_other_types(column: str, values: pa.Array) -> None:
    table = as_table()
    table = table.set_column(table.schema.get_field_index(column), column, values)

    judgement = judge_bytes(declared(), "a.parquet", parquet(table))

    assert judgement.findings == ()
    assert judgement.frame is not None
    assert judgement.frame.equals(PLAIN.frame)
    assert judgement.first_event == datetime(2024, 2, 1, 10, tzinfo=UTC)


def test_times_of_parquet_need_no_format() -> None:
    """A format says how times are written; these are not."""
    definition = parse(COLUMNS.replace("type: timestamp,", "type: timestamp, format: '%d.%m.%Y',"))
    table = as_table()
    dates = table.set_column(0, "when", table["when"].cast(pa.date32(), safe=False))

    whole, day = (judge_bytes(definition, "a.parquet", parquet(t)) for t in (table, dates))

    assert whole.findings == day.findings == ()
    assert whole.frame is not None
    assert whole.frame.equals(PLAIN.frame)
    assert day.first_event == datetime(2024, 2, 1, tzinfo=UTC)


def test_whole_numbers_of_json_may_have_a_fraction_of_zero() -> None:
    lines = (
        '{"when": "2024-02-01T10:00:00Z", "people": 2.0, "amount": 12.5, "channel": "web", '
        '"bought": 1.0}\n'
        '{"when": "2024-02-02T10:00:00Z", "amount": -3.0, "channel": "None", "bought": 0}'
    )

    judgement = judge_bytes(declared(), "a.jsonl", lines.encode())

    assert judgement.findings == ()
    assert judgement.frame is not None
    assert judgement.frame.equals(PLAIN.frame)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("people", pa.array([2.5, 1.0]),
         "people: expected an integer, found '2.5' in row 1 (1 row)"),
        ("people", pa.array([Decimal("2.50"), Decimal("1.00")]),
         "people: expected an integer, found '2.50' in row 1 (1 row)"),
        ("people", pa.array([[1], [2]]),
         ("people: expected text, numbers, true and false, dates or times, found lists or "
          "structures: list<element: int64>")),
        ("people", pa.array([1, 2], pa.duration("s")),
         ("people: expected text, numbers, true and false, dates or times, found another type: "
          "duration[s]")),
        ("channel", pa.array([b"web", b"\xff"]),
         "channel: expected sound values, found"),
        ("when", pa.array([2**40, 0], pa.timestamp("s")),
         ("when: expected a time in ISO 8601, such as 2025-02-14T09:30:00Z, found 'a time outside "
          "the years 1 to 9999' in row 1 (1 row)")),
        ("when", pa.array([2**60, 0], pa.timestamp("ms")), "when: expected sound values, found"),
        ("bought", pa.array([True, None]),
         ("bought: expected a value, found an empty cell in row 2 (1 row); "
          "nullable: true would allow it")),
    ],
)  # fmt: skip
def test_a_bad_value_in_parquet_is_named(column: str, values: pa.Array, message: str) -> None:
    table = as_table()
    table = table.set_column(table.schema.get_field_index(column), column, values)

    (finding,) = judge_bytes(declared(), "a.parquet", parquet(table)).findings

    assert finding.message.startswith(message)


def test_text_that_is_no_utf8_in_parquet_is_named() -> None:
    """The file says text, and holds other bytes."""
    bad = pa.Array.from_buffers(
        pa.string(),
        2,
        [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0\4\0\0\0"), pa.py_buffer(b"ab\xff\xfe")],
    )
    for values in (bad, pa.DictionaryArray.from_arrays(pa.array([0, 1]), bad, safe=False)):
        table = as_table()
        table = table.set_column(table.schema.get_field_index("channel"), "channel", values)
        (finding,) = judge_bytes(declared(), "a.parquet", parquet(table)).findings
        assert (finding.rule, finding.column) == ("type", "channel")


def test_columns_of_parquet_are_judged_as_a_header_is() -> None:
    """Without lines, because there are none."""
    table = as_table()
    twice = pa.Table.from_arrays([*table.columns, table["people"]], [*table.column_names, "people"])
    others = table.rename_columns(["a", "b", "c", "d", "e"])

    double, *_ = judge_bytes(declared(), "a.parquet", parquet(twice)).findings
    (none,) = judge_bytes(declared(), "a.parquet", parquet(others)).findings
    (empty,) = judge_bytes(declared(), "a.parquet", parquet(table.slice(0, 0))).findings

    assert (double.rule, double.column, double.row_numbers) == ("duplicate_column", "people", ())
    assert "in the file, found 'a', 'b'" in none.message
    assert empty.message == "expected at least 1 row, found none"


def test_damaged_parquet_is_quarantined_unread() -> None:
    data = parquet(as_table())

    for bad in (data[:-30], b"PAR1" + data[40:], b"", TEXT.encode(), data[:20] + data[60:]):
        judgement = judge_bytes(declared(), "a.parquet", bad)
        assert not judgement.accepted
        assert set(rules(judgement)) <= {"content", "type", "null"}


def test_a_name_that_is_no_text_at_any_place_of_parquet_is_damage() -> None:
    """A column's name stands in the schema, and with each of its chunks."""
    data = parquet(as_table())
    places = [match.start() for match in re.finditer(b"people", data)]
    assert len(places) > 1

    for place in places:
        judgement = judge_bytes(
            declared(), "a.parquet", data[: place + 5] + b"\xa0" + data[place + 6 :]
        )
        assert not judgement.accepted


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["x" * 1000] * 5000),  # one word, and five thousand references to it
        pa.array(["x" * 1000] * 5000).dictionary_encode(),
        pa.array([7] * 50_000),
    ],
)
def test_parquet_that_unpacks_to_too_much_is_not_read(column: pa.Array) -> None:
    when = pa.array(["2024-02-01"] * len(column))
    data = parquet(pa.table({"when": when, "channel": column, "bought": [True] * len(column)}))
    assert len(data) < 20_000

    findings = judge_bytes(declared("{max_bytes: 140000}"), "a.parquet", data).findings

    assert [finding.rule for finding in findings] == ["too_large"]
    assert "expected at most 140,000 bytes once unpacked (files.max_bytes)" in findings[0].message


def test_what_nobody_declared_in_parquet_is_not_decoded() -> None:
    table = as_table().append_column("blob", pa.array([[b"x" * 200_000], None]))

    judgement = judge_bytes(declared("{max_bytes: 100000}"), "a.parquet", parquet(table))

    assert judgement.accepted
    assert rules(judgement) == ["extra_column"]


def test_parquet_of_many_batches_is_read_in_order() -> None:
    """Text whose dictionary grows too large, so that the file holds both words and references."""
    rows = 150_000
    table = pa.table({
        "when": pa.array([datetime(2024, 2, 1, tzinfo=UTC)] * rows),
        "people": pa.array(range(rows)).cast(pa.float64()),
        "channel": pa.array([f"channel {n % 70_000}" for n in range(rows)]),
        "amount": pa.nulls(rows),
        "bought": pa.array([n % 2 for n in range(rows)]),
    })  # fmt: skip
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=40_000, dictionary_pagesize_limit=100_000)

    frame = judge_bytes(declared(), "a.parquet", out.getvalue()).frame

    assert frame is not None
    assert frame["people"].to_list() == list(range(rows))
    assert frame["channel"].to_list() == table["channel"].to_pylist()


@pytest.mark.parametrize(
    "encoding",
    ["base64", "rot13", "hex", "zlib", "punycode", "idna", "undefined", "unicode_escape", "a\0b"],
)
def test_an_encoding_that_is_none_of_text_files_is_refused(encoding: str) -> None:
    with pytest.raises(DefinitionError, match="expected an encoding such as utf-8"):
        parse(f"{COLUMNS}files: {{csv: {{encoding: {json.dumps(encoding)}}}}}\n")
