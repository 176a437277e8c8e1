"""CSV text as a table of text cells, its fields counted in every row.

Fields are separated by commas and may be enclosed in double quotes, which then are doubled inside
(RFC 4180), or by and in whatever a definition declares. A quote that does not begin a field is a
character like any other. Blank lines are skipped. Nothing is guessed: cells stay text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import polars as pl
import pyarrow as pa
from pyarrow import csv as arrow_csv

from perennial.domain.definitions.files import Csv
from perennial.domain.formats.tables import CSV, Misfit, Row
from perennial.domain.verdict import Finding

DEFAULT = Csv()
"""The dialect of a definition that declares none."""

BLOCK = 1 << 22
"""Bytes that are read at a time: enough for columns of a length that vector operations like."""

_PASSED = 16
"""Rows that are passed over at once, where none of them is looked for."""

_NAMED_MISFITS = 10
_LINE_END = re.compile(rb"\r\n|\r|\n")


class RowTooLong(Exception):
    """A row is longer than a block, or than it may be; within the domain only: see `long_row`."""


class CsvTable:
    """A CSV file, read once from its first row to its last.

    Args:
        text: CSV text, UTF-8, without NUL bytes.
        header: the fields of its first row.
        wanted: the columns to keep, at least one; each occurs once in the header.
        block: bytes that are read at a time; no row may be longer.
        dialect: how the file is written; its encoding and decimal mark play no part here.
        longest: most bytes of a row of several lines; None where that does not matter.

    Attributes:
        fields: how many the header has.
        misfits: the first few rows with another number of fields.
        misfit_records: the places of all of them, increasing; the header's would be 1.
        unterminated: the place of a row whose quoted field is still open where the file ends; it
            is neither a misfit nor in a batch. None if there is no such row.
        rows: rows below the header, those that do not fit included.
        shown: the names of the cells that `rows_at` gives.
        faults: what else is wrong with single rows: nothing.

    All but `fields` are known once `batches` has come to its end.
    """

    wording = CSV

    def __init__(
        self,
        text: bytes,
        header: Sequence[str],
        wanted: Collection[str],
        block: int = BLOCK,
        dialect: Csv = DEFAULT,
        longest: int | None = None,
    ) -> None:
        self.fields = len(header)
        self.misfits: list[Misfit] = []
        self.misfit_records: list[int] = []
        self.unterminated: int | None = None
        self.rows = 0
        self.shown = tuple(header)
        self.faults: tuple[Finding, ...] = ()
        self._text = text
        self._block = block
        self._dialect = dialect
        self._longest = longest
        # Arrow gets places for names, because those in the header may repeat.
        self._names = {str(header.index(name)): name for name in wanted}
        # A quoted field that nothing closes swallows the rest of the file, and with it a last row
        # that cannot fit: NUL occurs nowhere else.
        quoted = dialect.quote is not None and dialect.quote.encode() in text
        self._sentinel = "\0" + dialect.delimiter * len(header) if quoted else None
        self._saw_sentinel = False

    def batches(self) -> Iterator[pl.DataFrame]:
        """The cells of the rows that fit, as text, in the columns that were asked for.

        An empty cell is null, an empty quoted one is "".

        Raises:
            RowTooLong: when a row does not fit into a block, or is longer than it may be.
        """
        records = 0
        held: pl.DataFrame | None = None  # a batch late, because the last row may be unterminated
        for cells in self._arrow_batches():
            if held is not None:
                yield held
            held = cells if records else cells[1:]  # without the header
            records += cells.height
        records += len(self.misfit_records)
        if held is not None:
            if self._sentinel is not None and not self._saw_sentinel:
                self.unterminated = records
                if records in self.misfit_records[-1:]:
                    self._forget_last_misfit()
                else:
                    held = held[:-1]
            yield held
        self.rows = max(0, records - 1)
        self._refuse_long_rows(records)

    def _refuse_long_rows(self, records: int) -> None:
        """Look at the rows once more where some have several lines, and might be so long."""
        limit = self._longest
        if limit is None or self._sentinel is None or len(self._text) <= limit:
            return
        several = max(self._text.count(b"\n"), self._text.count(b"\r")) > records
        if several and long_row(self._text, limit, self._dialect) is not None:
            raise RowTooLong

    def record_of(self, row: int) -> int:
        """The place in the file of a row of the batches; the first below the header is 2."""
        record = row + 2
        for misfit in self.misfit_records:
            if misfit > record:
                break
            record += 1
        return record

    def records_of(self, rows: Iterable[int]) -> Iterator[int]:
        """The places of several rows of the batches, which increase."""
        misfits = 0
        for row in rows:
            record = row + 2 + misfits
            while misfits < len(self.misfit_records) and self.misfit_records[misfits] <= record:
                misfits += 1
                record += 1
            yield record

    def rows_at(self, records: Collection[int]) -> Iterator[Row]:
        """These records as they stand in the file, in its order. Reads the text again."""
        delimiter, quote = self._dialect.delimiter, self._dialect.quote
        for record, line, text in _records_at(self._text, self._dialect, records):
            cells = tuple(split(text, delimiter, quote))
            yield Row(record, line, cells, lines=_lines(text))

    @property
    def lines(self) -> int:
        """How many lines its rows take together. Reads the text again."""
        records = _records(self._text, self._dialect)
        next(records, None)  # the header
        return sum(_lines(record) for _, _, record in records)

    @property
    def ends_open(self) -> bool:
        """Whether no line end follows the last row, so that the file may be cut off there."""
        return not self._text.endswith((b"\n", b"\r"))

    @property
    def last_record(self) -> int:
        """The place of the last row."""
        return self.rows + 1

    def lines_of(self, records: Iterable[int]) -> dict[int, int]:
        """The line at which each of these records begins; the first line of a file is 1.

        Reads the text again as far as the last of them, because only failures ask, and even then
        only where a row may have several lines or none: to go through a million takes a second.
        """
        if self._one_line_each():
            return {record: record for record in set(records)}
        return {record: line for record, line, _ in _records_at(self._text, self._dialect, records)}

    def _one_line_each(self) -> bool:
        """Whether every line is a row: no quotes, and no line end that follows another one."""
        ends = (b"\n", b"\r")
        doubled = (b"\n\n", b"\n\r", b"\r\r")
        if self._sentinel is not None or self._text.startswith(ends):
            return False
        return not any(two in self._text for two in doubled)

    def _arrow_batches(self) -> Iterator[pl.DataFrame]:
        source = pa.BufferReader(self._text)
        if self._sentinel is not None:
            source = pa.PythonFile(_Followed(self._text, f"\n{self._sentinel}".encode()), "r")
        try:
            with arrow_csv.open_csv(source, *self._options()) as reader:
                for batch in reader:
                    yield pl.DataFrame(pl.from_arrow(batch)).rename(self._names)
        except pa.ArrowInvalid as error:
            raise RowTooLong from error

    def _options(
        self,
    ) -> tuple[arrow_csv.ReadOptions, arrow_csv.ParseOptions, arrow_csv.ConvertOptions]:
        read = arrow_csv.ReadOptions(
            column_names=[str(place) for place in range(self.fields)],
            block_size=self._block,
            use_threads=False,  # only then does Arrow number the misfits
        )
        parse = arrow_csv.ParseOptions(
            delimiter=self._dialect.delimiter,
            quote_char=self._dialect.quote or False,
            newlines_in_values=True,
            invalid_row_handler=self._note_misfit,
        )
        convert = arrow_csv.ConvertOptions(
            check_utf8=False,  # whoever made the text did
            column_types=dict.fromkeys(self._names, pa.string()),
            include_columns=list(self._names),
            null_values=["", *self._dialect.null_words],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        )
        return read, parse, convert

    def _note_misfit(self, row: arrow_csv.InvalidRow) -> str:
        if row.text == self._sentinel:
            self._saw_sentinel = True
        else:
            self.misfit_records.append(row.number)
            if len(self.misfits) < _NAMED_MISFITS:
                self.misfits.append(Misfit(row.number, row.actual_columns, row.text))
        return "skip"

    def _forget_last_misfit(self) -> None:
        last = self.misfit_records.pop()
        self.misfits = [misfit for misfit in self.misfits if misfit.record != last]


def read_header(text: bytes, dialect: Csv = DEFAULT) -> bytes:
    """The first row that is not blank, as it stands; empty if there is none."""
    return next((record for _, _, record in _records(text, dialect)), b"")


def read_records(text: bytes, lines: Collection[int], dialect: Csv = DEFAULT) -> dict[int, bytes]:
    """The rows that begin at these lines, as they stand; the first line of a file is 1."""
    last, found = max(lines, default=0), {}
    for _, line, record in _records(text, dialect):
        if line > last:
            break
        if line in lines:
            found[line] = record
    return found


def long_row(text: bytes, limit: int, dialect: Csv = DEFAULT) -> tuple[int, bool] | None:
    """The first row of more than `limit` bytes: its line, and whether its quote is never closed.

    For rows of several lines; those of one are as long as their line.
    """
    for match, line in _matches(text, dialect):
        if len(match[1]) > limit:
            last = match.end() == len(text)
            closed = _record(dialect.delimiter, dialect.quote, closed=True)
            return line, last and closed.fullmatch(match[1]) is None
    return None


def split(record: bytes, delimiter: str = ",", quote: str | None = '"') -> list[str]:
    """The fields of one row, unquoted."""
    line, fields, place = record.decode(), [], 0
    mark, quotes = re.escape(delimiter), re.escape(quote or "\0")
    pattern = re.compile(
        rf"(?:{quotes}((?:[^{quotes}]++|{quotes}{quotes})*+)(?:{quotes}|\Z))?+"
        rf"([^{mark}]*+)(?:{mark}|\Z)"
    )
    while place <= len(line) and (match := pattern.match(line, place)):
        quoted, plain = match.groups(default="")
        fields.append(quoted.replace((quote or "\0") * 2, quote or "\0") + plain)
        ended = match.end() == len(line) and not match[0].endswith(delimiter)
        place = len(line) + 1 if ended else match.end()
    return fields


def rows_and_ends(text: bytes, dialect: Csv = DEFAULT) -> Iterator[tuple[bytes, bytes]]:
    """Every row and the line end after it, as they stand: together they are the text."""
    for match in _record(dialect.delimiter, dialect.quote).finditer(text):
        yield match[1], match[0][len(match[1]) :]


def raw_fields(record: bytes, dialect: Csv = DEFAULT) -> list[str]:
    """The fields of one row with their quotes: joined by delimiters they are the row."""
    line, fields, place = record.decode(), [], 0
    mark, quotes = re.escape(dialect.delimiter), re.escape(dialect.quote or "\0")
    pattern = re.compile(
        rf"((?:{quotes}(?:[^{quotes}]++|{quotes}{quotes})*+(?:{quotes}|\Z))?+[^{mark}]*+)"
    )
    while match := pattern.match(line, place):
        fields.append(match[0])
        place = match.end() + 1
        if place > len(line):
            break
    return fields


@cache
def _record(delimiter: str, quote: str | None, *, closed: bool = False) -> re.Pattern[bytes]:
    """One row: fields, each perhaps quoted, and a line end. Without quotes, NUL opens a field.

    A quoted field may end with the text, unless it has to be `closed`.
    """
    row = _row(delimiter, quote, closed=closed)
    return re.compile(rf"({row})(?:\r\n|\r|\n|\Z)".encode())


@cache
def _run(delimiter: str, quote: str | None) -> re.Pattern[bytes]:
    """As many rows as are passed over at once, none of them blank."""
    row = _row(delimiter, quote, closed=True)
    return re.compile(rf"(?:(?=[^\r\n]){row}(?:\r\n|\r|\n)){{{_PASSED}}}+".encode())


def _row(delimiter: str, quote: str | None, *, closed: bool) -> str:
    mark, quotes = re.escape(delimiter), re.escape(quote or "\0")
    end = quotes if closed else rf"(?:{quotes}|\Z)"
    field = rf"(?:{quotes}(?:[^{quotes}]++|{quotes}{quotes})*+{end})?+[^{mark}\r\n]*+"
    return rf"{field}(?:{mark}{field})*+"


def _records(text: bytes, dialect: Csv) -> Iterator[tuple[int, int, bytes]]:
    """Number, first line and text of every row that is not blank."""
    for number, (match, line) in enumerate(_matches(text, dialect), start=1):
        yield number, line, match[1]


def _records_at(
    text: bytes, dialect: Csv, records: Iterable[int]
) -> Iterator[tuple[int, int, bytes]]:
    """Number, first line and text of these of the rows that are not blank, in order."""
    wanted = sorted(set(records), reverse=True)
    one, some = _record(dialect.delimiter, dialect.quote), _run(dialect.delimiter, dialect.quote)
    number, line, start = 0, 1, 0
    while wanted and start < len(text):
        if number + _PASSED < wanted[-1] and (run := some.match(text, start)):
            number, line, start = number + _PASSED, line + _line_ends(run[0]), run.end()
        elif match := one.match(text, start):
            number += bool(match[1])
            if match[1] and number == wanted[-1]:
                yield wanted.pop(), line, match[1]
            line, start = line + _lines(match[1]), match.end()


def _lines(record: bytes) -> int:
    return 1 + _line_ends(record)


def _line_ends(text: bytes) -> int:
    return len(_LINE_END.findall(text)) if b"\r" in text else text.count(b"\n")


def _matches(text: bytes, dialect: Csv) -> Iterator[tuple[re.Match[bytes], int]]:
    """Every row that is not blank, and its first line."""
    line = 1
    for match in _record(dialect.delimiter, dialect.quote).finditer(text):
        if match[1]:
            yield match, line
        line += _lines(match[1])


class _Followed(io.RawIOBase):
    """A text and what follows it, without a copy of both."""

    def __init__(self, text: bytes, end: bytes) -> None:
        self._parts = [memoryview(text), memoryview(end)]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        done = 0  # always as much as there is room for: Arrow makes a block of each read
        while self._parts and done < len(buffer):
            part = self._parts[0][: len(buffer) - done]
            buffer[done : done + len(part)] = part
            done += len(part)
            self._parts[0] = self._parts[0][len(part) :]
            if not self._parts[0]:
                self._parts.pop(0)
        return done
