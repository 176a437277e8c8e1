"""The rows of a CSV file that findings are about, with the cells that break a rule marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from perennial.domain.definitions.files import Files
from perennial.domain.formats.csv_table import read_header, read_records, split
from perennial.domain.formats.reading import format_of, read_text
from perennial.domain.judging.findings import shorten
from perennial.domain.verdict import Finding

_MOST_ROWS = 10
_AROUND = 2
"""So many columns to each side of the one that is meant are shown."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A few rows of a file, as far as a finding is about them.

    Attributes:
        rule: the rule that they break.
        column: the column that is meant; None where it is the whole row.
        header: the names of the columns that are shown.
        rows: of each row its line in the file and its cells, as they stand there; a row that does
            not fit the header has as many as it has.
        marked: the place, among those that are shown, of the cell that breaks the rule; None where
            it is the whole row.
    """

    rule: str
    column: str | None
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    marked: int | None


def excerpts(files: Files, name: str, data: bytes, findings: Sequence[Finding]) -> list[Excerpt]:
    """What findings about rows speak of; nothing where the file is no CSV text that can be read.

    Args:
        files: how files are declared to be written.
        name: the object's name; its suffix states the format.
        data: the object's bytes.
        findings: what was found in them.
    """
    about_rows = [finding for finding in findings if finding.rows and finding.row_numbers]
    if not about_rows or format_of(name, files) != "csv":
        return []
    text = read_text(name, data, files)
    if isinstance(text, Finding):
        return []
    dialect = files.csv
    lines = {line for finding in about_rows for line in finding.row_numbers[:_MOST_ROWS]}
    header = tuple(split(read_header(text, dialect), dialect.delimiter, dialect.quote))
    records = {
        line: tuple(split(record, dialect.delimiter, dialect.quote))
        for line, record in read_records(text, lines, dialect).items()
    }
    return list(_excerpts(header, records, about_rows))


def _excerpts(
    header: tuple[str, ...], records: dict[int, tuple[str, ...]], findings: Sequence[Finding]
) -> Iterator[Excerpt]:
    for finding in findings:
        place = header.index(finding.column) if finding.column in header else None
        window = slice(0, 2 * _AROUND + 2)
        if place is not None:
            window = slice(max(0, place - _AROUND), place + _AROUND + 1)
        rows = tuple(
            (line, tuple(shorten(cell) for cell in records[line][window]))
            for line in finding.row_numbers[:_MOST_ROWS]
            if line in records
        )
        if rows:
            marked = None if place is None else place - window.start
            yield Excerpt(finding.rule, finding.column, header[window], rows, marked)
