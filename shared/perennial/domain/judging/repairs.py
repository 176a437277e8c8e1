"""Repairs of text files that need no second file: from bytes to bytes, whatever else is in them.

A repair says what a CSV file is like (`delimiter=;`) or should be (`header=OLD:NEW`), and makes of
it what the definition declares. Other cells stay as they are, with their quotes and line ends.
`drop-bad-rows` leaves out every row that breaks a rule which rejects, whatever the row policy; it
works on JSON Lines, too.
"""

from __future__ import annotations

import codecs
import difflib
import gzip
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from perennial.domain.definitions.definition import Definition
from perennial.domain.definitions.files import Csv, text_encoding
from perennial.domain.formats.csv_table import raw_fields, rows_and_ends
from perennial.domain.formats.reading import format_of, unpacked
from perennial.domain.judging.validation import find_bad_rows
from perennial.domain.verdict import Finding
from perennial.domain.words import counted
from perennial.errors import RefusedError

KINDS = "encoding=ENC, delimiter=CHAR, decimal=comma, header=OLD:NEW or drop-bad-rows"
"""What can be repaired, in the order in which it is."""

_DROP = "drop-bad-rows"
_DIFF_LINES = 20
_COMPARED = 2000
_COMMA = re.compile(r"\s*[+-]?\d*,\d+\s*")
_UTF8 = ("utf-8", "utf-8-sig")


@dataclass(frozen=True, slots=True)
class Fixed:
    """A repaired file.

    Attributes:
        data: its bytes.
        summary: what was done, one sentence for each repair.
        diff: the first lines that changed, as a unified diff.
    """

    data: bytes
    summary: tuple[str, ...]
    diff: tuple[str, ...]


def fix(
    definition: Definition,
    name: str,
    data: bytes,
    kinds: Sequence[str],
    *,
    arrived: datetime | None = None,
    covered: datetime | None = None,
) -> Fixed:
    """Repair a file, step by step.

    Args:
        definition: what the file should be like.
        name: the object's name; its suffix states whether it is packed.
        data: the file's bytes.
        kinds: `encoding=ENC`, `delimiter=CHAR`, `decimal=comma`, `header=OLD:NEW`,
            `drop-bad-rows`, in this order whatever theirs is; several headers in the order given.
        arrived: when the file did (UTC); None where nobody knows.
        covered: through when earlier accepted files reach (UTC); None where nothing is late.

    Raises:
        RefusedError: when a kind is none, or the file has nothing of the kind.
    """
    stated = format_of(name, definition.files)
    if stated != "csv" and (stated != "jsonl" or set(kinds) != {_DROP}):
        able = "CSV or JSON Lines" if set(kinds) == {_DROP} else "CSV"
        raise RefusedError(f"expected a {able} file to repair, found {name}")
    packed = name.lower().endswith(".gz")
    plain = unpacked(name, data, definition.files.max_bytes)
    if isinstance(plain, Finding):
        raise RefusedError(plain.message)
    dialect = definition.files.csv
    changes = [_parsed(kind) for kind in kinds if kind != _DROP]
    steps = sorted(changes, key=lambda step: list(_KINDS).index(step[0]))
    written = dialect.encoding if stated == "csv" else "utf-8"
    encoding = next((value for kind, value in steps if kind == "encoding"), written)
    if encoding in _UTF8 or plain.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    try:
        text = _decoded(plain, encoding).encode()
    except UnicodeError:  # half a surrogate pair
        raise RefusedError(f"expected {encoding} text, found what is no text in it") from None
    summary = []
    for kind, value in steps:
        text, said = _KINDS[kind](definition, text, value)
        summary.append(said)
    repaired = _encoded(text, written)
    diff = _diff(plain.decode("utf-8", "backslashreplace"), repaired.decode(written))
    if _DROP in kinds:
        unpacked_name = name[: -len(".gz")] if packed else name
        bad = find_bad_rows(definition, unpacked_name, repaired, arrived=arrived, covered=covered)
        text, said, dropped = _without(text, dialect if stated == "csv" else None, bad)
        repaired = _encoded(text, written)
        summary.append(said)
        diff = [*(diff or _DIFF_HEAD), *dropped]
    return Fixed(
        gzip.compress(repaired, mtime=0) if packed else repaired, tuple(summary), tuple(diff)
    )


def _parsed(kind: str) -> tuple[str, str]:
    name, _, value = kind.partition("=")
    if name not in _KINDS or not value:
        raise RefusedError(f"expected {KINDS}, found {kind!r}")
    if name == "encoding" and text_encoding(value) is None:
        raise RefusedError(f"expected an encoding such as latin-1, found {kind!r}")
    return name, value


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise RefusedError(
            f"expected {encoding} text, found the byte 0x{data[error.start]:02X}: say which "
            "encoding it is with encoding=…"
        ) from None


def _encoded(text: bytes, encoding: str) -> bytes:
    try:
        return text.decode().encode(encoding)
    except UnicodeEncodeError as error:
        found = error.object[error.start : error.start + 1]
        raise RefusedError(
            f"expected characters that {encoding} has, as files.csv.encoding declares it, "
            f"found {found!r}"
        ) from None


def _encoding(definition: Definition, text: bytes, value: str) -> tuple[bytes, str]:
    """The text was decoded by it already."""
    return text, f"{value} text written as {definition.files.csv.encoding}"


def _delimiter(definition: Definition, text: bytes, value: str) -> tuple[bytes, str]:
    declared = definition.files.csv
    value = {"\\t": "\t", "tab": "\t"}.get(value, value)
    if len(value) != 1 or value in (declared.delimiter, declared.quote):
        raise RefusedError(f"expected one mark other than the declared one, found {value!r}")
    try:
        there = Csv(delimiter=value, quote=declared.quote, decimal="." if value == "," else ",")
    except ValidationError:
        raise RefusedError(f"expected a mark such as ; or |, found {value!r}") from None
    changed = 0

    def rewritten(fields: list[str]) -> list[str]:
        nonlocal changed
        changed += len(fields) > 1
        return [_enclosed(field, declared) for field in fields]

    text = _each_row(text, there, declared.delimiter, rewritten)
    if not changed:
        raise RefusedError(f"expected fields between {value!r}, found none")
    said = f"{value!r} between fields became {declared.delimiter!r} in {counted(changed, 'row')}"
    return text, said


def _decimal(definition: Definition, text: bytes, value: str) -> tuple[bytes, str]:
    dialect = definition.files.csv
    if value != "comma" or dialect.decimal == ",":
        raise RefusedError("expected decimal=comma where the definition declares a point")
    numbers = {name for name, column in definition.columns.items() if column.type == "number"}
    places: list[int] | None = None
    changed = 0

    def rewritten(fields: list[str]) -> list[str]:
        nonlocal places, changed
        if places is None:
            places = [i for i, f in enumerate(fields) if _plain(f, dialect) in numbers]
            return fields
        for place in places:
            if place < len(fields) and _COMMA.fullmatch(cell := _plain(fields[place], dialect)):
                fields[place] = cell.replace(",", ".")
                changed += 1
        return fields

    text = _each_row(text, dialect, dialect.delimiter, rewritten)
    if not changed:
        raise RefusedError("expected numbers with a decimal comma, found none")
    return text, f"a comma became a point in {counted(changed, 'number')}"


def _header(definition: Definition, text: bytes, value: str) -> tuple[bytes, str]:
    old, _, new = value.partition(":")
    dialect = definition.files.csv
    first = True

    def rewritten(fields: list[str]) -> list[str]:
        nonlocal first
        if not first:
            return fields
        first = False
        plain = [_plain(field, dialect) for field in fields]
        if plain.count(old) != 1 or not new:
            raise RefusedError(f"expected header=OLD:NEW with one column OLD, found {value!r}")
        if new in plain:
            raise RefusedError(f"expected a name that no column has, found {new!r}")
        fields[plain.index(old)] = _enclosed(new, dialect)
        return fields

    return _each_row(text, dialect, dialect.delimiter, rewritten), f"column {old} became {new}"


_KINDS: dict[str, Callable[[Definition, bytes, str], tuple[bytes, str]]] = {
    "encoding": _encoding,
    "delimiter": _delimiter,
    "decimal": _decimal,
    "header": _header,
}


def _without(
    text: bytes, csv: Csv | None, bad: Mapping[int, Sequence[str]]
) -> tuple[bytes, str, list[str]]:
    """A text without its bad rows, what was done, and these as a diff.

    Args:
        text: UTF-8.
        csv: the dialect; None where it is JSON Lines.
        bad: the rules that each bad row breaks; see `find_bad_rows`.
    """
    kept: list[bytes] = []
    diff: list[str] = []
    rows, line, gone, shown = 0, 1, 0, 0
    for record, row in _records(text, csv):
        rows += record is not None
        lines = row.splitlines()
        if record not in bad:
            kept.append(row)
        else:
            if shown < _DIFF_LINES:
                shown += 1
                size = f",{len(lines)}" if len(lines) > 1 else ""
                diff.append(f"@@ -{line}{size} +{line - gone - 1},0 @@")
                diff += (f"-{dropped.decode()}" for dropped in lines[:_DIFF_LINES])
            gone += len(lines)
        line += len(lines)
    rows -= csv is not None  # the header
    if not bad:
        raise RefusedError("expected rows that break a rule by themselves, found none")
    if len(bad) >= rows:
        raise RefusedError(
            f"expected rows that break no rule, found none in {counted(rows, 'row')}"
        )
    if (left := len(bad) - _DIFF_LINES) > 0:
        diff.append(f"… and {left:,} more rows")
    broken = Counter(rule for rules in bad.values() for rule in rules)
    told = ", ".join(f"{rule} {count:,}" for rule, count in broken.most_common())
    return b"".join(kept), f"{len(bad):,} of {counted(rows, 'row')} dropped: {told}", diff


def _records(text: bytes, csv: Csv | None) -> Iterator[tuple[int | None, bytes]]:
    """Every row with its line end, and its place as `find_bad_rows` counts; None for blank ones."""
    if csv is None:
        for number, line in enumerate(io.BytesIO(text), start=1):
            yield number if line.strip() else None, line
        return
    record = 0
    for row, end in rows_and_ends(text, csv):
        record += bool(row)
        yield record if row else None, row + end


def _each_row(
    text: bytes, dialect: Csv, delimiter: str, change: Callable[[list[str]], list[str]]
) -> bytes:
    return b"".join(
        (delimiter.join(change(raw_fields(row, dialect))).encode() if row else b"") + end
        for row, end in rows_and_ends(text, dialect)
    )


def _plain(field: str, dialect: Csv) -> str:
    quote = dialect.quote
    if quote and len(field) > 1 and field.startswith(quote) and field.endswith(quote):
        return field[1:-1].replace(quote * 2, quote)
    return field


def _enclosed(field: str, dialect: Csv) -> str:
    """A field as it stands, in quotes if it holds the delimiter and has none."""
    quote = dialect.quote
    if dialect.delimiter not in field or (quote and field.startswith(quote)):
        return field
    if quote is None:
        raise RefusedError(f"expected no {dialect.delimiter!r} in a cell, found {field[:40]!r}")
    return f"{quote}{field.replace(quote, quote * 2)}{quote}"


_DIFF_HEAD = ("--- original", "+++ repaired")


def _diff(before: str, after: str) -> list[str]:
    old, new = before.splitlines(), after.splitlines()
    changed = [i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b]
    if not changed:
        return []
    end = min(changed[:_DIFF_LINES][-1] + 1, _COMPARED)
    lines = difflib.unified_diff(old[:end], new[:end], "original", "repaired", lineterm="", n=0)
    left = len(changed) - _DIFF_LINES
    return [*lines, *([f"… and {left:,} more lines"] if left > 0 else [])]
