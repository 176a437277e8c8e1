"""CSV text as a table of text cells, its fields counted in every row.

Fields are separated by commas and may be enclosed in double quotes, which then are doubled inside
(RFC 4180). A quote that does not begin a field is a character like any other. Blank lines are
skipped. Nothing is guessed: cells stay text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
from pyarrow import csv as arrow_csv

BLOCK = 1 << 22
"""Bytes that are read at a time: enough for columns of a length that vector operations like."""

_NAMED_MISFITS = 10
_RECORD = re.compile(
    rb"""(
        (?: "(?:[^"]++|"")*+ (?:"|\Z) )?+ [^,\r\n]*+          # a field, perhaps quoted
        (?: , (?: "(?:[^"]++|"")*+ (?:"|\Z) )?+ [^,\r\n]*+ )*+  # and further ones
    ) (?: \r\n | \r | \n | \Z )""",
    re.VERBOSE,
)
_LINE_END = re.compile(rb"\r\n|\r|\n")


class RowTooLong(Exception):
    """A row is longer than a block; within the domain only: read again with a larger block."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """A row with another number of fields than the header.

    Attributes:
        record: its place among the rows that are not blank; the header is 1.
        fields: how many it has.
        text: the row as it stands in the file.
    """

    record: int
    fields: int
    text: str


class Table:
    """A CSV file, read once from its first row to its last.

    Args:
        text: CSV text, UTF-8, without NUL bytes.
        header: the fields of its first row.
        wanted: the columns to keep, at least one; each occurs once in the header.
        block: bytes that are read at a time; no row may be longer.

    Attributes:
        fields: how many the header has.
        misfits: the first few rows with another number of fields.
        misfit_records: the places of all of them, increasing; the header's would be 1.
        unterminated: the place of a row whose quoted field is still open where the file ends; it
            is neither a misfit nor in a batch. None if there is no such row.
        rows: rows below the header, those that do not fit included.

    All but `fields` are known once `batches` has come to its end.
    """

    def __init__(
        self, text: bytes, header: Sequence[str], wanted: Collection[str], block: int = BLOCK
    ) -> None:
        self.fields = len(header)
        self.misfits: list[Misfit] = []
        self.misfit_records: list[int] = []
        self.unterminated: int | None = None
        self.rows = 0
        self._text = text
        self._block = block
        # Arrow gets places for names, because those in the header may repeat.
        self._names = {str(header.index(name)): name for name in wanted}
        # A quoted field that nothing closes swallows the rest of the file, and with it a last row
        # that cannot fit: NUL occurs nowhere else.
        self._sentinel = "\0" + "," * len(header) if b'"' in text else None
        self._saw_sentinel = False

    def batches(self) -> Iterator[pl.DataFrame]:
        """The cells of the rows that fit, as text, in the columns that were asked for.

        An empty cell is null, an empty quoted one is "".

        Raises:
            RowTooLong: when a row does not fit into a block.
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

    def record_of(self, row: int) -> int:
        """The place in the file of a row of the batches; the first below the header is 2."""
        record = row + 2
        for misfit in self.misfit_records:
            if misfit > record:
                break
            record += 1
        return record

    def lines_of(self, records: Iterable[int]) -> dict[int, int]:
        """The line at which each of these records begins; the first line of a file is 1.

        Reads the text again as far as the last of them, because only failures ask.
        """
        wanted = set(records)
        lines = {}
        for record, line, _ in _records(self._text):
            if not wanted:
                break
            if record in wanted:
                wanted.discard(record)
                lines[record] = line
        return lines

    def _arrow_batches(self) -> Iterator[pl.DataFrame]:
        source = self._text
        if self._sentinel is not None:
            source = b"%b\n%b" % (source, self._sentinel.encode())
        try:
            with arrow_csv.open_csv(pa.BufferReader(source), *self._options()) as reader:
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
            newlines_in_values=True, invalid_row_handler=self._note_misfit
        )
        convert = arrow_csv.ConvertOptions(
            check_utf8=False,  # whoever made the text did
            column_types=dict.fromkeys(self._names, pa.string()),
            include_columns=list(self._names),
            null_values=[""],
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


def read_header(text: bytes) -> bytes:
    """The first row that is not blank, as it stands; empty if there is none."""
    return next((record for _, _, record in _records(text)), b"")


def split(record: bytes, delimiter: str = ",") -> list[str]:
    """The fields of one row, unquoted."""
    line, fields, place = record.decode(), [], 0
    pattern = re.compile(
        rf'(?:"((?:[^"]++|"")*+)(?:"|\Z))?+([^{re.escape(delimiter)}]*+)(?:{re.escape(delimiter)}|\Z)'
    )
    while place <= len(line) and (match := pattern.match(line, place)):
        quoted, plain = match.groups(default="")
        fields.append(quoted.replace('""', '"') + plain)
        ended = match.end() == len(line) and not match[0].endswith(delimiter)
        place = len(line) + 1 if ended else match.end()
    return fields


def _records(text: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, first line and text of every row that is not blank."""
    number = 0
    line = 1
    for match in _RECORD.finditer(text):
        if match[1]:
            number += 1
            yield number, line, match[1]
        line += len(_LINE_END.findall(match[0]))
