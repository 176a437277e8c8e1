"""Instances from files and from the command line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from perennial.cli.instances import parse_instances, read_instances
from perennial.errors import UserError


def test_cells_stay_text_and_empty_ones_become_null(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('\ufeffa,b\n1,"x, y"\n\n,z\n')

    assert read_instances(path) == [{"a": "1", "b": "x, y"}, {"a": None, "b": "z"}]


def test_lines_of_json_keep_their_types(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1, "b": null}\n\n{"a": true}\n')

    assert read_instances(path) == [{"a": 1, "b": None}, {"a": True}]


def test_compressed_files_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"a\n1\n"))

    assert read_instances(path) == [{"a": "1"}]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("short.csv", b"a,b\n1,2\n3\n", "line 3: expected 2 fields, found 1"),
        ("quote.csv", b'a\n"1\n', "line 2: unexpected end of data"),
        ("empty.csv", b"a,b\n", "has no rows"),
        ("rows.csv", b"\xff\xfe1", "cannot be read"),
        ("rows.csv.gz", b"a\n1\n", "cannot be read"),
        ("rows.jsonl", b"{]", "cannot be read"),
        ("rows.xlsx", b"", r"expected a \.csv or \.jsonl file"),
    ],
)
def test_what_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes, complaint: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(UserError, match=complaint):
        read_instances(path)


def test_one_instance_or_several_may_be_given() -> None:
    assert parse_instances('{"a": 1}') == [{"a": 1}]
    assert parse_instances('[{"a": 1}, {}]') == [{"a": 1}, {}]


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "3", "[3]"])
def test_instances_are_objects(text: str) -> None:
    with pytest.raises(UserError, match="--instances"):
        parse_instances(text)
