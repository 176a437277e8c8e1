"""CSV text as a table of text cells, its fields counted in every row.

Fields are separated by commas and may be enclosed in double quotes, which then are doubled inside
(RFC 4180). A quote that does not begin a field is a character like any other. Blank lines are
skipped. Nothing is guessed: cells stay text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa
from pyarrow import csv as arrow_csv

_BLOCK = 1 << 20
_NAMED_MISFITS = 10
_RECORD = re.compile(
    rb"""(
        (?: "(?:[^"]++|"")*+ (?:"|\Z) )?+ [^,\r\n]*+          # a field, perhaps quoted
        (?: , (?: "(?:[^"]++|"")*+ (?:"|\Z) )?+ [^,\r\n]*+ )*+  # and further ones
    ) (?: \r\n | \r | \n | \Z )""",
    re.VERBOSE,
)
_LINE_END = re.compile(rb"\r\n|\r|\n")


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


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a CSV file.

    Attributes:
        text: the CSV text.
        fields: how many the header has.
        cells: the rows below the header, as text, in the columns that were asked for; an empty
            cell is null, an empty quoted one is "". Misfits are not in it.
        misfits: the first few rows with another number of fields.
        misfit_records: the places of all of them, increasing; the header's would be 1.
        unterminated: the place of a row whose quoted field is still open where the file ends; it
            is neither in `cells` nor a misfit. None if there is no such row.
    """

    text: bytes = field(repr=False)
    fields: int
    cells: pl.DataFrame
    misfits: tuple[Misfit, ...]
    misfit_records: tuple[int, ...]
    unterminated: int | None

    @property
    def rows(self) -> int:
        """Rows below the header, those that do not fit included."""
        broken = self.unterminated is not None and self.unterminated > 1
        return self.cells.height + len(self.misfit_records) + broken

    def record_of(self, row: int) -> int:
        """The place in the file of a row of `cells`; the first row below the header is 2."""
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
        for record, line, _ in _records(self.text):
            if not wanted:
                break
            if record in wanted:
                wanted.discard(record)
                lines[record] = line
        return lines


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


def read_table(text: bytes, header: Sequence[str], wanted: Collection[str]) -> Table:
    """Read every row as text.

    Args:
        text: CSV text, UTF-8, without NUL bytes.
        header: the fields of its first row.
        wanted: the columns to keep, at least one; each occurs once in the header.
    """
    # A quoted field that nothing closes swallows the rest of the file, and with it a last row
    # that cannot fit: NUL occurs nowhere else.
    sentinel = "\0" + "," * len(header) if b'"' in text else None
    source = text if sentinel is None else b"%b\n%b" % (text, sentinel.encode())
    misfits = _Misfits(sentinel)
    try:
        cells = _read(source, header, wanted, misfits, _BLOCK)
    except pa.ArrowInvalid:  # a row is longer than a block
        misfits = _Misfits(sentinel)
        cells = _read(source, header, wanted, misfits, len(source) + 1)
    unterminated = None
    if sentinel is not None and not misfits.saw_sentinel:
        unterminated = cells.height + len(misfits.records)
        if unterminated in misfits.records[-1:]:
            misfits.forget_last()
        else:
            cells = cells[:-1]
    return Table(
        text, len(header), cells[1:], tuple(misfits.first), tuple(misfits.records), unterminated
    )


class _Misfits:
    """What Arrow calls for each row with another number of fields."""

    def __init__(self, sentinel: str | None) -> None:
        self._sentinel = sentinel
        self.saw_sentinel = False
        self.first: list[Misfit] = []
        self.records: list[int] = []

    def __call__(self, row: arrow_csv.InvalidRow) -> str:
        if row.text == self._sentinel:
            self.saw_sentinel = True
        else:
            self.records.append(row.number)
            if len(self.first) < _NAMED_MISFITS:
                self.first.append(Misfit(row.number, row.actual_columns, row.text))
        return "skip"

    def forget_last(self) -> None:
        last = self.records.pop()
        self.first = [misfit for misfit in self.first if misfit.record != last]


def _read(
    source: bytes, header: Sequence[str], wanted: Collection[str], misfits: _Misfits, block: int
) -> pl.DataFrame:
    """The rows that fit, the header among them."""
    # Arrow gets places for names, because those in the header may repeat.
    names = {str(header.index(name)): name for name in wanted}
    table = arrow_csv.read_csv(
        pa.BufferReader(source),
        read_options=arrow_csv.ReadOptions(
            column_names=[str(place) for place in range(len(header))],
            block_size=block,
            use_threads=False,  # only then does Arrow number the misfits
        ),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=misfits),
        convert_options=arrow_csv.ConvertOptions(
            check_utf8=False,  # whoever made the text did
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=list(names),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    return pl.DataFrame(pl.from_arrow(table)).rename(names)


def _records(text: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, first line and text of every row that is not blank."""
    number = 0
    line = 1
    for match in _RECORD.finditer(text):
        if match[1]:
            number += 1
            yield number, line, match[1]
        line += len(_LINE_END.findall(match[0]))
