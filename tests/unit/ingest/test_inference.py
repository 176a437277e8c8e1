"""A first definition from samples: what it guesses, and what it says about its guesses."""

from __future__ import annotations

import io

import polars as pl
import pytest

from perennial.domain.definitions.definition import parse
from perennial.domain.definitions.inference import infer_definition
from perennial.domain.judging.validation import judge_bytes
from perennial.errors import DefinitionError


def as_parquet(columns: dict[str, list[object]]) -> bytes:
    """The bytes of a Parquet file."""
    out = io.BytesIO()
    pl.DataFrame(columns).write_parquet(out)
    return out.getvalue()


VISITS = """
id,when,people,amount,channel,code,member,comment,n_bags,birth,empty,bought
{rows}""".lstrip()


def visits(count: int = 40) -> bytes:
    """Visits with a column of every kind."""
    rows = (
        f"v{n:03d},{n % 28 + 1:02d}.02.2024 10:{n % 60:02d},{n % 4 + 1},{n * 0.5},"
        f"{'web' if n % 3 else 'shop'},0{n % 5},{'true' if n % 2 else 'false'},"
        f"comment number {n} of them,{n % 3},{1_000_000_000 + n},,{'yes' if n % 5 else 'no'}"
        for n in range(count)
    )
    return VISITS.format(rows="\n".join(rows) + "\n").encode()


TEXT = infer_definition("shop", [("a.csv", visits())], "bought")


def test_every_column_gets_a_type_and_a_role() -> None:
    """From all of its cells, and from its name where that is a hint."""
    columns = parse(TEXT).columns

    assert {name: (column.type, column.role) for name, column in columns.items()} == {
        "id": ("category", "ignore"),
        "when": ("timestamp", "event_time"),
        "people": ("integer", "feature"),
        "amount": ("number", "feature"),
        "channel": ("category", "feature"),
        "code": ("category", "feature"),
        "member": ("boolean", "feature"),
        "comment": ("text", "feature"),
        "n_bags": ("integer", "feature"),
        "birth": ("integer", "ignore"),
        "empty": ("text", "ignore"),
        "bought": ("category", "label"),
    }
    assert columns["when"].format == "%d.%m.%Y %H:%M"


def test_text_calls_for_a_linear_model() -> None:
    """And the definition says why."""
    assert parse(TEXT).training.model == "linear"
    assert "model: linear  # comment: only linear models read text" in TEXT


def test_a_label_with_two_values_is_binary_and_its_classes_are_written() -> None:
    """The task decides them."""
    definition = parse(TEXT)

    assert definition.task == "binary"
    assert definition.columns["bought"].classes == ("no", "yes")


def test_what_was_observed_only_warns() -> None:
    """Rules that reject come from type and sign: here, a count."""
    columns = parse(TEXT).columns
    rejecting = {
        name: [rule.range for rule in column.rules if rule.severity == "reject"]
        for name, column in columns.items()
    }

    assert {name: rules for name, rules in rejecting.items() if rules} == {"n_bags": [(0, None)]}
    assert [rule.observed for rule in columns["amount"].rules] == [(0, 19.5)]
    assert [rule.observed for rule in columns["channel"].rules] == [("shop", "web")]
    assert all(column.nullable for column in columns.values() if column.role == "feature")


def test_remarks_say_on_how_many_rows_they_rest() -> None:
    """So that a reader knows how much to trust them."""
    for remark in (
        "# Written by `perennial init` from 40 rows in 1 file",
        "id:  # different in all 40 rows",
        "when:  # %d.%m.%Y %H:%M fits every row",
        "code:  # digits with leading zeros: codes rather than numbers",
        "comment:  # 40 different texts with spaces in 40 rows",
        "birth:  # whole numbers too large for a model to hold exactly",
        "empty:  # empty in all 40 rows",
        "observed: [0.0, 19.5]  # the bounds in 40 rows",
        "observed: [shop, web]  # all that occurred in 40 rows",
    ):
        assert remark in TEXT


def test_later_files_may_differ_in_what_was_observed() -> None:
    """New categories, other bounds, empty cells: warnings."""
    later = VISITS.format(rows="v1,01.03.2024 10:00,900,-40.5,fax,99,,hi,7,1,x,yes\n").encode()

    judgement = judge_bytes(parse(TEXT), "shop/later.csv", later)

    assert judgement.accepted
    assert {(f.column, f.rule) for f in judgement.findings} == {
        ("people", "observed"), ("amount", "observed"), ("channel", "observed"),
        ("code", "observed"), ("n_bags", "observed"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        ([0, 1, 1, 0], "binary", (0, 1)),
        ([1, 1, 1, 1], "binary", (0, 1)),
        (["true", "true", "true", "true"], "binary", (False, True)),
        (["a", "b", "c", "a"] * 5, "multiclass", None),
        ([1, 2, 3] * 20, "multiclass", None),
        ([1, 2, 3], "regression", None),
        (list(range(30)), "regression", None),
        ([0.5, 1, 2], "regression", None),
    ],
)
def test_the_label_decides_the_task(
    values: list[object], task: str, classes: tuple[object, ...] | None
) -> None:
    """Two classes are known by their type, or by what was seen; amounts are a regression."""
    rows = "".join(f"{n % 3},{value}\n" for n, value in enumerate(values))

    definition = parse(infer_definition("p", [("a.csv", f"x,y\n{rows}".encode())], "y"))

    assert definition.task == task
    assert definition.columns["y"].classes == classes


def test_names_and_values_may_be_anything() -> None:
    """YAML has opinions about colons, hashes, `no` and line breaks."""
    odd = b'"a: b #c","two\nlines",no,y\n"yes: 1","- x\n",no,1\nnull,~,off,0\n'

    definition = parse(infer_definition("p", [("a.csv", odd)], "y"))

    assert list(definition.columns) == ["a: b #c", "two\nlines", "no", "y"]


def test_an_event_time_may_be_named() -> None:
    """Else it is the first column of times."""
    sample = b"made,sold,y\n2024-01-01,2024-02-01,1\n2024-01-02,2024-02-02,0\n"

    assert parse(infer_definition("p", [("a.csv", sample)], "y")).event_time == "made"
    assert parse(infer_definition("p", [("a.csv", sample)], "y", "sold")).event_time == "sold"


def test_day_and_month_that_cannot_be_told_apart_are_said_to_be() -> None:
    """The person must choose."""
    text = infer_definition("p", [("a.csv", b"t,x,y\n01/02/2024,1,0\n03/04/2024,2,1\n")], "y")

    assert "t:  # %m/%d/%Y fits every row, and so does %d/%m/%Y: choose" in text


@pytest.mark.parametrize(
    ("samples", "label", "message"),
    [
        ([], "y", "at least one sample file is needed"),
        ([("a.csv", b"")], "y", "a.csv: expected a CSV file, found an empty one (0 bytes)"),
        ([("a.csv", b"x,y\n")], "y", "a.csv: expected rows to learn from, found only the header"),
        ([("a.csv", b"x,x\n1,2\n")], "x", "a.csv: expected each column once, found 'x' again"),
        ([("a.csv", b"x,\n1,2\n")], "x",
         "a.csv: expected a name for every column, found an empty one"),
        ([("a.csv", b"x,y\n1,2\n"), ("b.csv", b"x;y\n1;2\n")], "y",
         ("b.csv: expected fields separated by commas, found semicolons (;): "
          "save the file with commas, or declare files.csv.delimiter")),
        ([("a.tsv", b"x\ty\n1\t2\n")], "y",
         ("a.tsv: expected a name that ends in .csv, .csv.gz, .jsonl, .jsonl.gz or .parquet, "
          "found .tsv; save it as CSV, with commas")),
        ([("a.csv", "x,y\nBlüte,2\n".encode()), ("b.csv", "x,y\nBlüte,2\n".encode("latin-1"))],
         "y", "b.csv: expected utf-8 text as in a.csv, found cp1252: save all samples alike"),
        ([("a.csv", b"x,y\n1\n")], "y",
         "a.csv: expected 2 fields in every row, found 1 in line 2 (1 row)"),
        ([("a.csv", b"x,price\n1,2\n")], "prize",
         "expected a column 'prize' as the label, found none; did you mean price?"),
        ([("a.csv", b"x,y\n1,2\n"), ("b.csv", b"x,z\n1,2\n")], "y",
         "b.csv: expected the columns of a.csv, found a difference in 'y', 'z'"),
        ([("a.csv", b"x,y\n1,a b c d\n2,e f g h\n")], "y",
         ("y: expected a number, true or false, or a few classes as the label, "
         "found text with 2 different values in 2 rows")),
    ],
)  # fmt: skip
def test_samples_that_give_no_definition_say_why(
    samples: list[tuple[str, bytes]], label: str, message: str
) -> None:
    """In the words of a report."""
    with pytest.raises(DefinitionError) as error:
        infer_definition("p", samples, label)

    assert str(error.value) == message


def test_an_event_time_that_is_none_is_refused() -> None:
    """Better than a pipeline without an order."""
    with pytest.raises(DefinitionError, match="x: expected a time in ISO 8601"):
        infer_definition("p", [("a.csv", b"x,y\n1,2\n")], "y", "x")


def test_other_delimiters_may_stand_in_the_names_of_columns() -> None:
    """What commas separate is not looked at twice."""
    text = infer_definition("p", [("a.csv", b'"a;b;c|d",y\n1,0\n2,1\n')], "y")

    assert list(parse(text).columns) == ["a;b;c|d", "y"]


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_another_delimiter_is_declared(mark: str) -> None:
    text = infer_definition("p", [("a.csv", "x,y\n1,2\n3,4\n".replace(",", mark).encode())], "y")

    assert parse(text).files.csv.delimiter == mark


def test_a_decimal_comma_is_declared_where_no_number_has_a_point() -> None:
    definition = parse(infer_definition("p", [("a.csv", b"x;y\n1,5;2\n3;4\n")], "y"))

    assert (definition.files.csv.delimiter, definition.files.csv.decimal) == (";", ",")
    assert definition.columns["x"].type == "number"
    assert definition.columns["x"].rules[0].observed == (1.5, 3)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", b'{"x": 1, "c": "None", "y": 0}\n{"x": 2.5, "c": "b", "y": 1}\n'),
        ("a.parquet", as_parquet({"x": [1.0, 2.5], "c": ["None", "b"], "y": [0, 1]})),
    ],
)
def test_other_formats_are_samples_too(name: str, data: bytes) -> None:
    definition = parse(infer_definition("p", [(name, data)], "y"))

    assert [c.type for c in definition.columns.values()] == ["number", "category", "integer"]
    assert definition.columns["c"].rules[0].observed == ("None", "b")


def test_a_feature_that_equals_the_label_is_ignored() -> None:
    rows = "".join(f"{n % 7},{n % 2},{n % 2}\n" for n in range(60))

    text = infer_definition("p", [("a.csv", f"x,copy,y\n{rows}".encode())], "y")

    assert parse(text).columns["copy"].role == "ignore"
    assert "copy:  # equals the label in every row: a copy of it?" in text


def test_repeated_rows_are_limited_only_where_the_samples_have_none() -> None:
    alike = "".join(f"{n % 3},{n % 2}\n" for n in range(60))
    different = "".join(f"{n},{n % 2}\n" for n in range(60))

    free, limited = (
        parse(infer_definition("p", [("a.csv", f"x,y\n{rows}".encode())], "y"))
        for rows in (alike, different)
    )

    assert free.checks.duplicate_rows.reject is None
    assert limited.checks.duplicate_rows.reject == 0.3


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", "{encoding: utf-16}  # as in the samples\n"),
        ("utf-16-be", "{encoding: utf-16-be}  # as in the samples\n"),
        ("utf-32", "{encoding: utf-32}  # as in the samples\n"),
        ("windows-1252",
         ("{encoding: cp1252}  # as in the samples; the encoding is a guess: they are not UTF-8, "
          "and no more is known\n")),
    ],
)  # fmt: skip
def test_the_encoding_of_samples_is_declared(encoding: str, written: str | None) -> None:
    """As far as it can be known; what else is not UTF-8 is Windows-1252 more often than not."""
    rows = "".join(f"{n},{'Blüte' if n % 2 else 'Café'} {n % 3},{n % 2}\n" for n in range(40))
    data = ("price,plant,sold\n" + rows).encode(encoding)

    text = infer_definition("shop", [("a.csv", data)], "sold")

    assert ("csv: " in text) == (written is not None)
    assert written is None or f"csv: {written}" in text
    frame = judge_bytes(parse(text), "b.csv", data).frame
    assert frame is not None
    assert frame["plant"][0] == "Café 0"
