"""Instances from files and from the command line."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from perennial.cli.instances import Instance, parse_instances, read_instances
from perennial.errors import UserError

LONG = gzip.compress(b"a\n" + b"".join(b"%d\n" % (n * n) for n in range(50_000)))


def read(path: Path) -> list[Instance]:
    return list(read_instances(path).values)


def test_cells_stay_text_and_empty_ones_become_null(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('\ufeffa,b\n1,"x, y"\n\n,z\n')

    assert read(path) == [{"a": "1", "b": "x, y"}, {"a": None, "b": "z"}]


def test_lines_of_json_keep_their_types(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1, "b": null}\n\n{"a": true}\n')

    assert read(path) == [{"a": 1, "b": None}, {"a": True}]


def test_compressed_files_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"a\n1\n", mtime=0))

    assert read(path) == [{"a": "1"}]


def test_a_line_end_inside_a_json_string_is_none_of_the_files(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes('{"a": "x\u2028y\x85z"}\r\n{"a": "w"}\r\n'.encode())

    assert read(path) == [{"a": "x\u2028y\x85z"}, {"a": "w"}]


def test_every_row_is_known_by_the_line_at_which_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('a,b\n1,"x\ny"\n\n2,z\n')
    given = read_instances(path)

    assert [given.place(number) for number in range(2)] == [f"{path}, line 2", f"{path}, line 5"]
    lines = tmp_path / "rows.jsonl"
    lines.write_text('{"a": 1}\n\n{"a": 2}\n')
    assert read_instances(lines).place(1) == f"{lines}, line 3"


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("short.csv", b"a,b\n1,2\n3\n", "line 3: expected 2 fields, found 1"),
        ("long.csv", b'a,b\n"1\n1",2,3\n', "line 2: expected 2 fields, found 3"),
        ("quote.csv", b'a\n"1\n', "line 2: unexpected end of data"),
        ("empty.csv", b"a,b\n", "has no rows"),
        ("semicolons.csv", b"a;b\n1,5;2\n", "line 1: expected fields .* found semicolons"),
        ("tabs.csv", b"\na\tb\n1\t2\n", "line 2: expected fields .* commas, found tabs"),
        ("utf16.csv", "a\n1\n".encode("utf-16"), "line 1: expected UTF-8 text, found UTF-16"),
        ("latin1.csv", b"a\n1\ncaf\xe9\n", "line 3: expected UTF-8 text, found the byte 0xe9"),
        ("mark.csv", b"\xef\xbb\xbfa\n\xe9\n", "line 2: expected UTF-8 .* byte 0xe9"),
        ("text.csv.gz", b"a\n1\n", "line 1: expected sound gzip data"),
        (
            "cut.csv.gz",
            gzip.compress(b"a\n1\n", mtime=0)[:-9],
            "line 3: expected a whole gzip file",
        ),
        ("flipped.csv.gz", LONG[:40_000] + b"\0\0" + LONG[40_002:], "expected sound gzip data"),
        (
            "checksum.csv.gz",
            gzip.compress(b"a\n", mtime=0)[:-8] + b"\0" * 8,
            "expected sound gzip data",
        ),
        ("latin1.csv.gz", gzip.compress(b"a\n\xe9\n", mtime=0), "line 2: expected UTF-8 text"),
        ("rows.jsonl", b'{"a": 1}\n{]\n', "line 2: not JSON: .* at character 2"),
        ("list.jsonl", b"\n[1]\n", r"line 2: expected an object .*, found \[1\]"),
        ("nan.jsonl", b'{"a": NaN}\n', "line 1: NaN is not a JSON value"),
        ("rows.xlsx", b"", r"expected a \.csv or \.jsonl file"),
    ],
)
def test_what_cannot_be_read_is_named_by_file_and_line(
    tmp_path: Path, name: str, content: bytes, complaint: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(UserError, match=complaint) as raised:
        read_instances(path)
    assert str(raised.value).startswith(str(path))
    assert len(str(raised.value).splitlines()) == 1


def test_a_gzip_file_that_breaks_off_tells_how_far_it_could_be_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(LONG[: len(LONG) // 2])

    with pytest.raises(UserError) as raised:
        read_instances(path)
    found = re.search(r"line (\d+): expected a whole gzip file", str(raised.value))
    assert found
    assert 10_000 < int(found[1]) < 45_000


def test_one_instance_or_several_may_be_given() -> None:
    assert parse_instances('{"a": 1}').values == [{"a": 1}]
    assert parse_instances('[{"a": 1}, {}]').values == [{"a": 1}, {}]
    assert parse_instances("[{}, {}]").place(1) == "instance 2"


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "3", "[3]", '{"a": NaN}'])
def test_instances_are_objects(text: str) -> None:
    with pytest.raises(UserError, match="--instances"):
        parse_instances(text)
