"""What bytes are when they are not CSV text, said in words."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable

import pytest

from perennial.domain.formats.reading import unpacked
from perennial.domain.judging.validation import Judgement
from perennial.domain.verdict import Finding

HEADER = "when,visit,people,amount,member,channel,note,bought\n"
TEXT = HEADER + "2024-02-01,a1,2,12.5,true,café,,true\n"
PACKED = gzip.compress(TEXT.encode(), mtime=0)

Judge = Callable[..., Judgement]


@pytest.mark.parametrize(
    ("name", "data", "rule", "message"),
    [
        ("x.csv", b"", "empty", "expected a CSV file, found an empty one (0 bytes)"),
        ("x.csv.gz", gzip.compress(b"", mtime=0), "empty",
         "expected a CSV file, found nothing in the gzip file"),
        ("x.csv", b"\n\r\n\n", "empty", "expected a CSV file, found only blank lines"),
        ("x.csv.gz", PACKED[:-12], "gzip",
         "expected a whole gzip file, found one that ends early: send it again"),
        ("x.csv.gz", PACKED[:5], "gzip",
         "expected a whole gzip file, found one that ends early: send it again"),
        ("x.csv.gz", TEXT.encode(), "gzip",
         "expected gzip data because the name ends in .gz, found something else"),
        ("x.csv", PACKED, "content",
         "expected CSV text, found a gzip file; its name should end in .csv.gz"),
        ("x.csv", b" \n<!doctype HTML><title>502 Bad Gateway</title>", "content",
         "expected CSV text, found an HTML page, perhaps an error page of a server"),
        ("x.csv", b"<html lang=en>", "content",
         "expected CSV text, found an HTML page, perhaps an error page of a server"),
        ("x.csv.gz", gzip.compress(b"\xef\xbb\xbf<HTML>", mtime=0), "content",
         "expected CSV text, found an HTML page, perhaps an error page of a server"),
        ("x.csv", b"<?xml version='1.0'?><rows/>", "content", "expected CSV text, found XML"),
        ("x.csv", b"PK\x03\x04rest", "content",
         "expected CSV text, found a zip archive or an Excel workbook; save it as CSV"),
        ("x.csv", b"PAR1rest", "content", "expected CSV text, found a Parquet file"),
        ("x.csv", TEXT.encode("utf-16"), "encoding",
         ("expected UTF-8 text, found UTF-16 (little-endian): save it as UTF-8, "
          "or declare files.csv.encoding: utf-16")),
        ("x.csv", TEXT.encode("utf-16-le"), "encoding",
         ("expected UTF-8 text, found UTF-16 (little-endian): save it as UTF-8, "
          "or declare files.csv.encoding: utf-16-le")),
        ("x.csv", TEXT.encode("utf-16-be"), "encoding",
         ("expected UTF-8 text, found UTF-16 (big-endian): save it as UTF-8, "
          "or declare files.csv.encoding: utf-16-be")),
        ("x.csv", TEXT.encode("utf-32"), "encoding",
         ("expected UTF-8 text, found UTF-32 (little-endian): save it as UTF-8, "
          "or declare files.csv.encoding: utf-32")),
        ("x.csv", TEXT.encode("latin-1"), "encoding",
         ("expected UTF-8 text, found the byte 0xE9 in line 2: save the file as UTF-8, or declare "
          "files.csv.encoding (it may be Windows-1252 or Latin-1)")),
        ("x.csv", TEXT.encode().replace(b"web", b"w\0b").replace(b"a1", b"a\0"), "nul",
         "expected text, found a NUL byte in line 2: the file is binary or damaged"),
        ("x.jsonl.gz", b"{}", "gzip",
         "expected gzip data because the name ends in .gz, found something else"),
        ("x.jsonl", b"", "empty", "expected a JSON Lines file, found an empty one (0 bytes)"),
        ("x.jsonl", b"\n \n", "empty", "expected JSON Lines, found only blank lines"),
        ("x.csv", b"\x80\x04\x95", "content",
         "expected CSV text, found a Python pickle, which is never loaded"),
        ("x.csv", b"x" * 2_000_000, "line_length",
         ("expected lines of at most 1,048,576 bytes (files.max_line_bytes), found a longer one: "
          "line 1")),
        ("x.xlsx", b"PK", "format",
         "expected a name that ends in .csv, .csv.gz, .jsonl, .jsonl.gz or .parquet, found .xlsx"),
        ("folder.d/x", b"", "format",
         ("expected a name that ends in .csv, .csv.gz, .jsonl, .jsonl.gz or .parquet, "
          "found no suffix")),
    ],
)  # fmt: skip
def test_the_finding_says_what_it_is(
    judge: Judge, name: str, data: bytes, rule: str, message: str
) -> None:
    """One finding, in words that need no manual."""
    judgement = judge(data, name=f"visits/{name}")

    assert [(f.rule, f.severity, f.message) for f in judgement.findings] == [
        (rule, "reject", message)
    ]
    assert judgement.frame is None


def test_damaged_gzip_is_said_to_be_damaged(judge: Judge) -> None:
    """A flipped byte breaks the stream or the checksum, both in one form of words."""
    for place in (len(PACKED) // 2, len(PACKED) - 6):
        damaged = bytearray(PACKED)
        damaged[place] ^= 0xFF

        [finding] = judge(bytes(damaged), name="visits/x.csv.gz").findings

        assert finding.rule == "gzip"
        assert finding.message.startswith("expected a sound gzip file, found a damaged one (")


def test_a_gzip_bomb_is_not_unpacked_to_its_end() -> None:
    bomb = gzip.compress(bytes(64 * 2**20), mtime=0)
    tracemalloc.start()
    try:
        found = unpacked("x.csv.gz", bomb, 1000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert isinstance(found, Finding)
    assert found.rule == "too_large"
    assert peak < 8 * 2**20


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
def test_files_are_bounded_packed_and_unpacked(judge: Judge, name: str) -> None:
    data = HEADER.encode() + b"\n" * 5_000_000
    packed = gzip.compress(data) if name.endswith(".gz") else data

    [finding] = judge(
        packed, ("task: binary", "task: binary\nfiles: {max_bytes: 1000000}"), name=f"visits/{name}"
    ).findings

    assert finding.rule == "too_large"
    assert "expected at most 1,000,000 bytes" in finding.message


def test_a_character_across_two_pieces_of_the_file_is_no_mistake(judge: Judge) -> None:
    """The text is decoded a mebibyte at a time."""
    filling = "x" * ((1 << 20) - len(HEADER) - len("2024-02-01,a1,2,1,,") - 1)

    judgement = judge(HEADER + f"2024-02-01,a1,2,1,,{filling}é,,true\n")

    assert judgement.accepted


def test_short_cells_that_take_too_much_memory_are_refused(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell of one byte is a value of eight, or sixteen."""
    monkeypatch.setattr("perennial.domain.formats.keeping.LEAST_BYTES", 0)
    monkeypatch.setattr("perennial.domain.formats.opening.BLOCK", 4096)
    rows = HEADER + "2024-02-01,a,2,1,1,w,,1\n" * 1000
    declared = ("task: binary", f"task: binary\nfiles: {{max_bytes: {len(rows)}}}")

    (finding,) = judge(rows, declared).findings

    assert finding.rule == "too_large"
    assert finding.message.startswith(
        f"expected values that take at most {2 * len(rows):,} bytes of memory (twice "
        "files.max_bytes), found more in the first "
    )
