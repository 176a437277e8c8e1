"""JSON Lines as a table of text cells: an object in every line that is not blank.

Values become text as a CSV file would hold them, so that one set of rules reads them all: true and
false, numbers in decimal notation, whole ones without a fraction. Text stays as it is. What is in
columns that nobody asked for is not looked at.
"""

from __future__ import annotations

import io
import json
import re
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from perennial.domain.formats.tables import JSON_LINES, MAX_FIELDS, Misfit, Row, UnreadableError
from perennial.domain.judging.findings import MAX_NAMED, file_finding, listed, rows_finding
from perennial.domain.verdict import Finding

_SHOWN = 200
_CHUNK_ROWS = 16_384
_WHOLE_FLOAT = 2.0**53
"""Up to here a float of a whole number is that number and no other."""

_ARRAY = re.compile(rb"\s*\[\s*(?:[{\]]|\Z)")


class JsonLines:
    """The rows of a JSON Lines file, parsed; see `open_json_lines`.

    Attributes:
        columns: the names that occur, in the order in which they do.
        fields: how many they are.
        rows: how many rows there are, lines that are none included.
        misfit_records: the lines that are no rows, increasing.
        faults: what is wrong with them.
        shown: the names of the cells that `rows_at` gives.
    """

    wording = JSON_LINES
    misfits: Sequence[Misfit] = ()
    unterminated: int | None = None

    def __init__(
        self,
        columns: Sequence[str],
        chunks: list[pl.DataFrame],
        places: Sequence[int],
        no_rows: Sequence[int] = (),
        faults: Sequence[Finding] = (),
        text: bytes = b"",
    ) -> None:
        self.columns = self.shown = tuple(columns)
        self.fields = len(self.columns)
        self.rows = len(places) + len(no_rows)
        self.misfit_records = no_rows
        self.faults = faults
        self._text = text
        self._chunks = chunks
        self._places = places
        self._wanted = self.columns

    def reading(self, wanted: Sequence[str]) -> JsonLines:
        """Of these columns; the others are forgotten."""
        self._wanted = tuple(wanted)
        return self

    def batches(self) -> Iterator[pl.DataFrame]:
        """The cells; null where a line has no such key. Each batch is given away once."""
        while self._chunks:
            yield self._chunks.pop(0).select(self._wanted)

    def record_of(self, row: int) -> int:
        """The line of a row of the batches."""
        return self._places[row]

    def records_of(self, rows: Iterable[int]) -> Iterator[int]:
        """The lines of several rows of the batches."""
        return map(self.record_of, rows)

    def rows_at(self, records: Collection[int]) -> Iterator[Row]:
        """These lines, where bad ones are borne: their cells, or as they stand where they are none.

        What is no text, number, true or false stays JSON.
        """
        no_rows, last = set(self.misfit_records), max(records, default=0)
        for number, line in enumerate(io.BytesIO(self._text), start=1):
            if number > last:
                return
            if number in records and number in no_rows:
                yield Row(number, number, (line.rstrip(b"\r\n").decode(),))
            elif number in records:
                found = _object(line)
                yield Row(number, number, tuple(_shown(name, found) for name in self.shown))

    @property
    def lines(self) -> int:
        """As many as rows."""
        return self.rows

    @property
    def ends_open(self) -> bool:
        """Whether the last line is no row and no line end follows it."""
        last = self.misfit_records[-1:] == [self.last_record]
        return last and not self._text.endswith(b"\n")

    @property
    def last_record(self) -> int:
        """The last line that is not blank."""
        return max([self._places[-1], *self.misfit_records[-1:]])

    def lines_of(self, records: Iterable[int]) -> dict[int, int]:
        """The lines of lines."""
        return {record: record for record in records}


def open_json_lines(
    text: bytes, declared: Collection[str] | None = None, *, bearing: bool = False
) -> JsonLines:
    """Parse JSON Lines.

    Args:
        text: UTF-8.
        declared: the columns to keep; all of them when None.
        bearing: lines that are no rows may be left out, so that they are only noted where other
            lines are some; the text is kept then.

    Raises:
        UnreadableError: when a line is no row, or there are too many different keys.
    """
    if _ARRAY.match(text):
        raise UnreadableError(
            file_finding(
                "json",
                "expected JSON Lines, an object in every line, found one JSON array: write each of "
                "its objects in a line of its own, as `jq -c '.[]'` does",
                lines=(1,),
            )
        )
    parser = _Parser(declared, text if bearing else None)
    for number, line in enumerate(io.BytesIO(text), start=1):
        if line.strip():
            parser.read(number, line)
    return parser.table()


class _Parser:
    """Takes line after line; keeps text by columns, which is smaller than by rows."""

    def __init__(self, declared: Collection[str] | None, kept: bytes | None) -> None:
        self._declared = declared
        self._kept = kept
        self._names: dict[str, None] = {}
        self._rows: list[dict[str, str | None]] = []
        self._chunks: list[pl.DataFrame] = []
        self._places = array("q")
        self._no_rows: list[int] = []
        self._wrong: dict[tuple[str, str | None], _Wrong] = {}

    def read(self, number: int, line: bytes) -> None:
        """Take one line that is not blank.

        Raises:
            UnreadableError: when there are too many different keys by now.
        """
        try:
            found = _object(line)
            if not found.keys() <= self._names.keys():
                _meet(self._names, found, number)
            kept = found if self._declared is None else [n for n in self._declared if n in found]
            self._rows.append({name: _text(name, found[name]) for name in kept})
            self._places.append(number)
        except _NoRowError as error:
            self._wrong.setdefault((error.expected, error.column), _Wrong()).add(number, line)
            self._no_rows.append(number)
        if len(self._rows) == _CHUNK_ROWS:
            self._to_columns()

    def table(self) -> JsonLines:
        """What the lines were.

        Raises:
            UnreadableError: when some of them were no rows and may not be, or there were none.
        """
        faults = [one.finding(*what) for what, one in self._wrong.items()]
        if faults and (self._kept is None or not self._places):
            raise UnreadableError(*faults)
        if not self._places:
            found = "expected JSON Lines, found only blank lines"
            raise UnreadableError(file_finding("empty", found))
        self._to_columns()
        if self._declared is None:
            self._chunks = [pl.concat(self._chunks, how="diagonal")]
        return JsonLines(
            list(self._names), self._chunks, self._places, self._no_rows, faults, self._kept or b""
        )

    def _to_columns(self) -> None:
        columns = self._names if self._declared is None else self._declared
        cells = {n: pl.Series([r.get(n) for r in self._rows], dtype=pl.String) for n in columns}
        self._chunks.append(pl.DataFrame(cells))
        self._rows = []


class _NoRowError(Exception):
    """A line is no row; says what was expected, and of which column."""

    def __init__(self, expected: str, column: str | None = None) -> None:
        super().__init__(expected)
        self.expected = expected
        self.column = column


@dataclass(slots=True)
class _Wrong:
    """Lines with the same mistake: how many, and the first of them."""

    count: int = 0
    lines: list[int] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def add(self, number: int, line: bytes) -> None:
        self.count += 1
        if self.count <= MAX_NAMED:
            self.lines.append(number)
            self.shown.append(line[:_SHOWN].rstrip(b"\r\n").decode("utf-8", "replace"))

    def finding(self, expected: str, column: str | None) -> Finding:
        return rows_finding(
            "json", "reject", expected, column=column, rows=self.count, lines=self.lines,
            samples=self.shown,
        )  # fmt: skip


class _Twice(dict[str, Any]):
    """An object in which a key stands more than once."""


class _Constant:
    """NaN or Infinity."""


def _meet(names: dict[str, None], found: Iterable[str], number: int) -> None:
    """Take up keys that are new.

    Raises:
        UnreadableError: when there are too many; keys that are data have no end.
    """
    for name in found:
        if name not in names:
            if not _is_whole(name):
                raise _NoRowError("text in whole characters")
            names[name] = None
    if len(names) > MAX_FIELDS:
        last = listed(list(names)[-1:])
        raise UnreadableError(
            file_finding(
                "header",
                f"expected at most {MAX_FIELDS:,} different keys, found more by line {number:,}, "
                f"such as {last}: are the keys data?",
                lines=(number,),
            )
        )


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line, object_pairs_hook=_pairs, parse_constant=lambda _: _Constant())
    except (ValueError, RecursionError):
        raise _NoRowError("a JSON object in every line") from None
    if not isinstance(found, dict):
        raise _NoRowError("a JSON object in every line")
    if isinstance(found, _Twice):
        raise _NoRowError("every key once in a line")
    return found


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Twice(found)


def _text(column: str, value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        if not _is_whole(value):
            raise _NoRowError("text in whole characters", column)
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= _WHOLE_FLOAT:
        return str(int(value))  # 2.0 is as whole as 2
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, _Constant):
        raise _NoRowError("numbers that JSON knows: neither NaN nor Infinity", column)
    raise _NoRowError("text, a number, true, false or null: no list or object", column)


def _shown(column: str, found: Mapping[str, Any]) -> str | None:
    """A cell of a row as a person can read it, also where no rule looks at it."""
    value = found.get(column)
    try:
        return _text(column, value)
    except _NoRowError:
        return "NaN" if isinstance(value, _Constant) else json.dumps(value, default=lambda _: "NaN")


def _is_whole(text: str) -> bool:
    """Whether it has no half of a surrogate pair, which is no character."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)
