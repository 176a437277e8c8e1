"""Files that are bad, and files that only look it: each with the verdict of a fair expert.

Made from a real file of each stream: `bike` (hourly rentals, 168 rows) and `ytspam` (comments,
40 rows). The definition is the one that `perennial init` writes from the stream's first files.
"""

from __future__ import annotations

import io
import pickle
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.corpus.tables import Sheet, packed

GOOD = "accepted"


@dataclass(frozen=True, slots=True)
class Case:
    """One file.

    Attributes:
        title: what is the matter with it.
        name: of the object; its suffix states the format.
        data: its bytes.
        expected: the rule that rejects it, or one of several that a fair expert may name;
            `accepted` for a file that is odd and good.
        warns: a rule that must at least warn, where it is accepted.
    """

    title: str
    name: str
    data: bytes
    expected: frozenset[str]
    warns: str = ""

    @property
    def good(self) -> bool:
        return GOOD in self.expected


def _case(title: str, data: bytes, *rules: str, name: str = "week.csv", warns: str = "") -> Case:
    return Case(title, name, data, frozenset(rules), warns)


def bike_cases(sheet: Sheet, other: Sheet, seed: int) -> Iterator[Case]:
    """Cases from a week of bike; `other` is another week."""
    chance = random.Random(seed)
    data, lines = sheet.csv(), sheet.text().splitlines()
    features = ["temp", "atemp", "hum", "windspeed"]
    yield _case("as it came", data, GOOD)
    yield from _odd_but_good(sheet, chance)
    yield from _not_csv(data)
    yield from _broken_text(data, lines)
    yield from _headers(sheet, lines)

    for text in ("warm", "1.5.2", "0,24", "12:30", "$3", "50%", "1 000", "#REF!", "N/A", "--"):
        yield _case(f"{text!r} as a number", sheet.put("temp", text).csv(), "type", "field_count")
    yield _case("a fraction as a count", sheet.put("cnt", "12.5").csv(), "type")
    yield _case("a formula in a cell", sheet.put("hr", "=SUM(A1:A9)").csv(), "type")
    yield _case("not a number", sheet.put("hum", "nan").csv(), "type")
    yield _case("infinity", sheet.put("hum", "inf").csv(), "type", "precision")
    yield _case("beyond 64 bits", sheet.put("cnt", "9" * 30).csv(), "type", "precision")
    yield _case("an epoch as a feature", sheet.put("hr", "1700000000").csv(), "precision")
    yield _case("a negative count", sheet.put("cnt", "-4").csv(), "range")
    yield _case("no label", sheet.put("cnt", "").csv(), "null")
    yield _case("no label anywhere", sheet.mapped("cnt", lambda _: "").csv(), "null")
    yield _case("no event time", sheet.put("event_time", "").csv(), "null")
    yield _case("a 30 February", sheet.put("event_time", "2011-02-30 01:00:00").csv(), "type")
    yield _case("epoch as time", sheet.put("event_time", "1296000000").csv(), "type")
    yield _case(
        "days first", sheet.mapped("event_time", lambda t: f"{t[8:10]}.{t[5:7]}.{t[:4]}").csv(),
        "type",
    )  # fmt: skip
    future = (datetime.fromisoformat("2031-01-01") + timedelta(hours=3)).isoformat(" ")
    yield _case("a row from the future", sheet.put("event_time", future).csv(), "future")
    late = sheet.mapped("event_time", lambda t: f"2092{t[4:]}")
    yield _case("a week from the future", late.csv(), "future")
    yield _case("the label in a feature", sheet.copied("cnt", "hum").csv(), "leakage")
    yield _case("one label everywhere", sheet.mapped("cnt", lambda _: "17").csv(), "constant_label")
    for factor in (10, 100, 1000):
        scaled = sheet
        for column in ("hum", "temp"):
            scaled = scaled.mapped(column, lambda t, f=factor: f"{float(t) * f:g}")
        yield _case(f"temperatures times {factor}", scaled.csv(), "unit_change")
    twice = replace(sheet, rows=sheet.rows * 2)
    yield _case("every row twice", twice.csv(), "duplicate_row")
    some = replace(sheet, rows=(*sheet.rows, *sheet.rows[:3]))
    yield _case("three rows twice", some.csv(), GOOD, warns="duplicate_row")
    yield _case("two files in one", sheet.csv() + other.csv(), "type")
    empty = sheet.mapped("hum", lambda _: "")
    yield _case("a feature is empty", empty.csv(), GOOD, "null_fraction", warns="empty_column")
    shuffled = list(sheet.rows)
    chance.shuffle(shuffled)
    yield _case("rows in another order", replace(sheet, rows=tuple(shuffled)).csv(), GOOD)
    for column in features:
        half = sheet.mapped(column, lambda t: "" if chance.random() < 0.02 else t)
        yield _case(f"a few empty cells in {column}", half.csv(), GOOD)


def row_policy_cases(sheet: Sheet) -> Iterator[Case]:
    """Cases from a week of bike under a definition that bears one bad row in fifty."""
    lines = sheet.text().splitlines(keepends=True)
    header, rows = lines[0], lines[1:]
    few = sheet.put("temp", "warm", row=3).put("cnt", "", row=9).put("cnt", "-4", row=20)
    yield _case("three bad rows", few.csv(), GOOD)
    many = sheet.mapped("temp", lambda _: "warm", at=slice(0, 5))
    yield _case("five bad rows", many.csv(), "bad_rows", "type")
    yield _case("no bad row", sheet.csv(), GOOD)
    short = [*rows[:5], "total,12\n", *rows[5:]]
    yield _case("a line of totals", "".join([header, *short]).encode(), GOOD)
    yield _case("a second header", "".join([header, *rows[:9], header, *rows[9:]]).encode(), GOOD)
    whole = sheet.csv()
    yield _case("cut in a row", whole[: whole.rindex(b",")], "truncated")
    yield _case("cut before the label", whole[: whole.rindex(b",") + 1], "truncated")
    opened = [*rows[:5], '"' + rows[5], *rows[6:60], '"' + rows[60], *rows[61:]]
    yield _case("two stray quotes", "".join([header, *opened]).encode(), "bad_rows", "field_count")
    yield _case("an open quote", "".join([header, *rows[:-1], '"' + rows[-1]]).encode(), "quote",
                "field_count")  # fmt: skip
    without = [name for name in sheet.header if name != "hum"]
    yield _case("a column is missing", few.picked(without).csv(), "missing_column")
    yield _case("another unit", few.mapped("hum", lambda t: f"{float(t) * 100:g}").csv(),
                "unit_change")  # fmt: skip
    jsonl = few.jsonl(set(sheet.header) - {"event_time", "temp"})
    yield _case("JSON Lines with bad rows", jsonl, GOOD, name="week.jsonl")
    yield _case("JSON Lines cut in a line", sheet.jsonl(set())[:-9], "truncated", name="week.jsonl")


def _odd_but_good(sheet: Sheet, chance: random.Random) -> Iterator[Case]:
    text = sheet.text()
    yield _case("a byte-order mark", b"\xef\xbb\xbf" + text.encode(), GOOD)
    yield _case("line ends of Windows", sheet.text(end="\r\n").encode(), GOOD)
    yield _case("line ends of old Macs", sheet.text(end="\r").encode(), GOOD)
    yield _case("no line end at the end", text.rstrip("\n").encode(), GOOD)
    yield _case("blank lines at the end", (text + "\n\n\n").encode(), GOOD)
    yield _case("every cell quoted", sheet.text(every=True).encode(), GOOD)
    backwards = sheet.picked(list(reversed(sheet.header)))
    yield _case("columns in another order", backwards.csv(), GOOD)
    yield _case("one more column", sheet.added("note", "x").csv(), GOOD, warns="extra_column")
    yield _case("packed", packed(text.encode()), GOOD, name="week.csv.gz")
    yield _case("in two gzip members", packed(text[:99].encode()) + packed(text[99:].encode()),
                GOOD, name="week.csv.gz")  # fmt: skip
    yield _case("an upper-case suffix", text.encode(), GOOD, name="WEEK.CSV")
    yield _case("a hostile name", text.encode(), GOOD, name="../../a\n;rm -rf '$(x)' é.csv")
    yield _case("scientific notation", sheet.put("temp", "2.4e-1").csv(), GOOD)
    yield _case("ISO times", sheet.mapped("event_time", lambda t: t.replace(" ", "T") + "Z").csv(),
                GOOD)  # fmt: skip
    offset = sheet.mapped("event_time", lambda t: t.replace(" ", "T") + "-05:00")
    yield _case("times with an offset", offset.csv(), GOOD)
    numbers = set(sheet.header) - {"event_time"}
    yield _case("JSON Lines", sheet.jsonl(numbers), GOOD, name="week.jsonl")
    yield _case("packed JSON Lines", packed(sheet.jsonl(numbers)), GOOD, name="week.jsonl.gz")
    nested = sheet.jsonl(numbers).replace(b"{", b'{"tags": [1, {"a": "\\ud83c"}], ')
    yield _case("JSON Lines with more than was declared", nested, GOOD, name="week.jsonl",
                warns="extra_column")  # fmt: skip
    yield _case("Parquet", sheet.parquet(), GOOD, name="week.parquet")
    yield _case("a quiet week", replace(sheet, rows=sheet.rows[:1]).csv(), GOOD)


def _not_csv(data: bytes) -> Iterator[Case]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(zipfile.ZipInfo("xl/workbook.xml"), data)
    yield _case("nothing", b"", "empty")
    yield _case("blank lines", b"\n\n\r\n", "empty")
    yield _case("a zip archive", archive.getvalue(), "content")
    yield _case("a pickle", pickle.dumps({"rows": [1]}, protocol=4), "content", "nul", "encoding")
    yield _case("a PDF", b"%PDF-1.7\n1 0 obj", "content")
    yield _case("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "content", "nul", "encoding")
    yield _case("an error page", b"<!DOCTYPE html><html><body>503</body></html>", "content")
    yield _case("an error in XML", b'<?xml version="1.0"?><Error/>', "content")
    yield _case("an error in JSON", b'{"error": "quota exceeded"}\n', "content", "header")
    yield _case("gzip without its suffix", packed(data), "content")
    yield _case("text with the suffix of gzip", data, "gzip", name="week.csv.gz")
    yield _case("half a gzip file", packed(data)[:-40], "gzip", name="week.csv.gz")
    damaged = bytearray(packed(data))
    damaged[len(damaged) // 2] ^= 0xFF
    yield _case("a damaged gzip file", bytes(damaged), "gzip", name="week.csv.gz")
    yield _case("nothing, packed", packed(b""), "empty", name="week.csv.gz")
    yield _case("CSV called Parquet", data, "content", name="week.parquet")
    yield _case("CSV called JSON Lines", data, "content", "json", name="week.jsonl")
    yield _case("a JSON array", b'[{"hr": 1},\n{"hr": 2}]\n', "json", name="week.jsonl")
    yield _case("half of a JSON line", b'{"hr": 1,\n', "content", "json", name="week.jsonl")
    yield _case("a spreadsheet's suffix", data, "format", name="week.xlsx")
    yield _case("no suffix", data, "format", name="week")
    yield _case("a bomb", packed(b"0" * 300_000_000), "too_large", "line_length", "bomb",
                name="week.csv.gz")  # fmt: skip


def _broken_text(data: bytes, lines: list[str]) -> Iterator[Case]:
    text = data.decode()
    yield _case("UTF-16", b"\xff\xfe" + text.encode("utf-16-le"), "encoding")
    yield _case("UTF-16 without a mark", text.encode("utf-16-le"), "encoding")
    yield _case("a NUL byte", data[:200] + b"\0" + data[200:], "nul")
    yield _case("cut in a row", data[: data.rindex(b",")], "field_count", "quote")
    yield _case("a field too many", "\n".join([*lines[:5], lines[5] + ",1", *lines[6:]]).encode(),
                "field_count")  # fmt: skip
    yield _case("a row of one field", "\n".join([*lines[:5], "total", *lines[5:]]).encode(),
                "field_count")  # fmt: skip
    yield _case("a quote that never closes", data.replace(b",", b',"', 30), "quote", "field_count",
                "header", "missing_column")  # fmt: skip
    yield _case("the header once more", "\n".join([*lines[:9], lines[0], *lines[9:]]).encode(),
                "type")  # fmt: skip
    yield _case("a line of 20 MB", data + b"1" * 20_000_000, "line_length", "field_count")


def _headers(sheet: Sheet, lines: list[str]) -> Iterator[Case]:
    yield _case("semicolons", sheet.text(delimiter=";").encode(), "delimiter")
    yield _case("tabs", sheet.text(delimiter="\t").encode(), "delimiter")
    yield _case("no header", "\n".join(lines[1:]).encode(), "header")
    yield _case("only the header", lines[0].encode(), "row_count")
    yield _case("another file altogether", b"a,b\n1,2\n", "header")
    yield _case("a title above the header", ("Rentals\n" + sheet.text()).encode(), "header")
    without = [name for name in sheet.header if name != "hum"]
    yield _case("a column is missing", sheet.picked(without).csv(), "missing_column")
    yield _case("no label column", sheet.picked(list(sheet.header[:-1])).csv(), "missing_column")
    yield _case("a column renamed", sheet.renamed("hum", "humidity").csv(), "missing_column")
    yield _case("a column in upper case", sheet.renamed("hum", "HUM").csv(), "missing_column")
    yield _case("a space before a name", sheet.renamed("hum", " hum").csv(), "missing_column")
    yield _case("a name twice", sheet.renamed("atemp", "temp").csv(), "duplicate_column")
    swapped = sheet.renamed("event_time", "?").renamed("cnt", "event_time").renamed("?", "cnt")
    yield _case("two names swapped", swapped.csv(), "type")


def ytspam_cases(sheet: Sheet) -> Iterator[Case]:
    """Cases from comments: text, categories and classes."""
    yield _case("as it came", sheet.csv(), GOOD)
    for word in ("None", "NA", "null", "nan", "NaN"):
        odd = sheet.put("content", word).put("video", word)
        yield _case(f"the word {word}", odd.csv(), GOOD, warns="observed")
    for text in (
        'said "hi", left',
        "two\nlines",
        "=1+1",
        "Ünïcödé 🌼",
        "<b>bold</b>",
        "a" * 30_000,
    ):
        yield _case(f"the text {text[:20]!r}", sheet.put("content", text).csv(), GOOD)
    yield _case("a class that does not exist", sheet.put("spam", "2").csv(), "class")
    yield _case("words for classes", sheet.mapped("spam", lambda t: ["no", "yes"][int(t)]).csv(),
                "type", "class")  # fmt: skip
    latin = sheet.put("content", "café").text().encode("cp1252", "replace")
    yield _case("Windows-1252", latin, "encoding")
    yield _case(
        "a new video", sheet.mapped("video", lambda _: "Adele").csv(), GOOD, warns="observed"
    )
    yield _case("the label in a feature", sheet.copied("spam", "n_urls").csv(), "leakage")
    yield _case("a negative count", sheet.put("n_words", "-1").csv(), "range")
    yield _case("JSON Lines", sheet.jsonl({"n_words", "n_chars", "spam"}), GOOD, name="c.jsonl")
