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


QUARANTINED = 3
"""The exit code of a drop that leaves files in quarantine."""

HTML = b"<!DOCTYPE html>\n<html><body><h1>502 Bad Gateway</h1></body></html>\n"

# kind: (file name, what is done to a good file, rule, words that the report must say)
BAD: dict[str, tuple[str, Callable[[bytes], bytes], str, list[str]]] = {
    "empty": ("a.csv", lambda d: b"", "empty", ["empty"]),
    "header only": ("a.csv", lambda d: _lines(d)[0], "row_count", ["only the header"]),
    "truncated gzip": ("a.csv.gz", lambda d: gzip.compress(d)[:-200], "gzip", ["ends early"]),
    "HTML page": ("a.csv", lambda d: HTML, "content", ["HTML"]),
    "wrong delimiter": ("a.csv", lambda d: d.replace(b",", b";"), "delimiter", ["semicolons"]),
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
def dropped(cloud, bike, tmp_path_factory):
    """Every bad file, dropped on a pipeline that serves; the status before and after."""
    folder = tmp_path_factory.mktemp("bad")
    definition = folder / "bike.yaml"
    cloud.run("init", "bike", "--sample", str(bike[0]), "--label", "cnt", "-o", str(definition))
    edited = yaml.safe_load(definition.read_text())
    edited["columns"]["hr"]["rules"] = [{"range": [0, 23]}]
    edited["columns"]["season"]["rules"] = [{"allowed": [1, 2, 3, 4]}]
    edited["columns"]["hum"]["nullable"] = False
    definition.write_text(yaml.safe_dump(edited, sort_keys=False))
    cloud.run("apply", str(definition))
    cloud.run("drop", "bike", str(bike[0]), "--wait")
    before = cloud.json("status", "bike")
    good = bike[1].read_bytes()
    paths = {kind: folder / f"{kind.replace(' ', '_')}_{bad[0]}" for kind, bad in BAD.items()}
    for kind, path in paths.items():
        path.write_bytes(BAD[kind][1](good))
    done = cloud.json("drop", "bike", *map(str, paths.values()), "--wait", code=QUARANTINED)
    return {
        "files": dict(zip(BAD, done["files"], strict=True)),
        "paths": paths,
        "runs": done["runs"],
        "before": before,
        "after": cloud.json("status", "bike"),
    }


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_quarantined_with_a_report_that_names_what_is_wrong(
    cloud, dropped, tmp_path, kind
):
    _, _, rule, words = BAD[kind]
    file = dropped["files"][kind]
    assert file["verdict"] == "quarantined"
    original = tmp_path / "original"
    shown = cloud.json(
        "quarantine", "show", "bike", str(file["generation"]), "--original", str(original)
    )
    finding = next(f for f in shown["findings"] if f["rule"] == rule)
    for word in words:
        assert word in finding["message"], finding
    assert original.read_bytes() == dropped["paths"][kind].read_bytes()


def test_bad_files_start_no_run_and_move_nothing(dropped):
    assert dropped["runs"] == []
    for key in ("champion", "progressive", "trained_through"):
        assert dropped["after"][key] == dropped["before"][key]
    assert dropped["after"]["counts"] == {"accepted": 1, "quarantined": len(BAD)}
