"""Twelve kinds of bad file: quarantined, explained, kept byte for byte, and without effect."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
import yaml


def _lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def _cell(data: bytes, line: int, column: str, text: bytes) -> bytes:
    lines = _lines(data)
    place = lines[0].decode().strip().split(",").index(column)
    cells = lines[line - 1].strip().split(b",")
    cells[place] = text
    lines[line - 1] = b",".join(cells) + b"\n"
    return b"".join(lines)


def _without_column(data: bytes, column: str) -> bytes:
    rows = [line.split(b",") for line in data.splitlines()]
    place = rows[0].index(column.encode())
    return b"".join(b",".join(row[:place] + row[place + 1 :]) + b"\n" for row in rows)


HTML = b"<!DOCTYPE html>\n<html><body><h1>502 Bad Gateway</h1></body></html>\n"

# kind: (file name, what is done to a good file, rule, words that the report must say)
BAD: dict[str, tuple[str, Callable[[bytes], bytes], str, list[str]]] = {
    "empty": ("a.csv", lambda d: b"", "empty", ["empty"]),
    "header only": ("a.csv", lambda d: _lines(d)[0], "row_count", ["0"]),
    "truncated gzip": ("a.csv.gz", lambda d: gzip.compress(d)[:-200], "gzip", ["truncated"]),
    "HTML page": ("a.csv", lambda d: HTML, "html", ["HTML"]),
    "wrong delimiter": ("a.csv", lambda d: d.replace(b",", b";"), "delimiter", [";"]),
    "UTF-16": ("a.csv", lambda d: d.decode().encode("utf-16"), "encoding", ["UTF-16"]),
    "missing column": ("a.csv", lambda d: _without_column(d, "hum"), "missing_column", ["hum"]),
    "text in a number": (
        "a.csv", lambda d: _cell(d, 7, "temp", b"warm"), "type", ["temp", "warm", "7"],
    ),
    "out of a written range": (
        "a.csv", lambda d: _cell(d, 9, "hr", b"31"), "range", ["hr", "31", "9"],
    ),
    "unknown category": (
        "a.csv", lambda d: _cell(d, 5, "season", b"7"), "allowed", ["season", "7", "5"],
    ),
    "duplicated header": (
        "a.csv", lambda d: d.replace(b"atemp", b"temp", 1), "duplicate_column", ["temp"],
    ),
    "short row": (
        "a.csv",
        lambda d: d + _lines(d)[-1].rsplit(b",", 2)[0] + b"\n",
        "field_count",
        ["11", "13"],
    ),
    "null": ("a.csv", lambda d: _cell(d, 4, "hum", b""), "null", ["hum", "4"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def pipeline(cloud, bike, tmp_path_factory):
    """Bike with three rules that a person wrote, and a champion."""
    path = tmp_path_factory.mktemp("bad") / "bike.yaml"
    cloud.run("init", "bike", "--sample", str(bike[0]), "--label", "cnt", "-o", str(path))
    definition = yaml.safe_load(path.read_text())
    definition["columns"]["hr"]["rules"] = [{"range": [0, 23]}]
    definition["columns"]["season"]["rules"] = [{"allowed": [1, 2, 3, 4]}]
    definition["columns"]["hum"]["nullable"] = False
    path.write_text(yaml.safe_dump(definition, sort_keys=False))
    cloud.run("apply", str(path))
    cloud.run("drop", "bike", str(bike[0]), "--wait")
    return "bike"


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_quarantined_with_a_report_and_moves_nothing(
    cloud, pipeline, bike, tmp_path, kind
):
    suffix, spoil, rule, words = BAD[kind]
    bad = tmp_path / f"{kind.replace(' ', '_')}_{suffix}"
    bad.write_bytes(spoil(bike[1].read_bytes()))
    before = cloud.json("status", pipeline)

    dropped = cloud.json("drop", pipeline, str(bad), "--wait")

    (file,) = dropped["files"]
    assert file["verdict"] == "quarantined"
    assert dropped["runs"] == []
    shown = cloud.json("quarantine", "show", pipeline, str(file["generation"]))
    finding = next(f for f in shown["findings"] if f["rule"] == rule)
    for word in words:
        assert word in finding["message"], finding
    original = tmp_path / "original"
    cloud.run("quarantine", "show", pipeline, str(file["generation"]), "--original", str(original))
    assert original.read_bytes() == bad.read_bytes()
    after = cloud.json("status", pipeline)
    for key in ("champion", "progressive", "trained_through"):
        assert after[key] == before[key]
