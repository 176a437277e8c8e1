"""From a file's bytes to its header and its table of text cells, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass

from perennial.domain.definitions.definition import Definition
from perennial.domain.formats.csv_table import BLOCK, CsvTable, long_row, read_header
from perennial.domain.formats.header import Header, judge_fields, judge_header
from perennial.domain.formats.json_lines import open_json_lines
from perennial.domain.formats.parquet_table import open_parquet
from perennial.domain.formats.reading import format_of, long_line, read_text, too_large
from perennial.domain.formats.tables import Table
from perennial.domain.judging.findings import file_finding, unclosed
from perennial.domain.verdict import Finding


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose rows can be read.

    Attributes:
        header: its columns, judged; at least one is readable.
        table: its rows, in the columns that are readable.
        decimal: the mark before the fraction of a number.
    """

    header: Header
    table: Table
    decimal: str = "."


def open_file(
    definition: Definition, name: str, data: bytes, *, whole: bool = False
) -> Opened | tuple[Finding, ...]:
    """Open a file, or say why nothing in it is worth reading.

    Args:
        definition: what the file must look like.
        name: the object's name; its suffix states the format.
        data: the object's bytes.
        whole: read CSV all at once, because a row is longer than a block.

    Raises:
        UnreadableError: as `Table.batches` does.
    """
    stated = format_of(name, definition.files)
    if isinstance(stated, Finding):
        return (stated,)
    limit = definition.files.max_bytes
    if stated == "parquet":
        if len(data) > limit:
            return (too_large(len(data), limit),)
        parquet = open_parquet(data, limit)
        header = judge_fields(definition, parquet.columns, parquet.wording)
        return _opened(header, parquet.reading(header.readable))
    text = read_text(name, data, definition.files, stated)
    if isinstance(text, Finding):
        return (text,)
    if stated == "jsonl":
        bearing = definition.rows.max_bad_row_fraction > 0
        lines = open_json_lines(text, definition.columns, bearing=bearing)
        header = judge_fields(definition, lines.columns, lines.wording)
        return _opened(header, lines.reading(header.readable))
    dialect = definition.files.csv
    record = read_header(text, dialect)
    if not record:
        return (file_finding("empty", "expected a CSV file, found only blank lines"),)
    header = judge_header(definition, record)
    if not header.readable:
        return header.findings
    longest = definition.files.max_line_bytes
    if not whole:
        table = CsvTable(text, header.fields, header.readable, BLOCK, dialect, longest)
        return Opened(header, table, dialect.decimal)
    if long := long_row(text, longest, dialect):
        return (unclosed(long[0]) if long[1] else long_line(long[0], longest, "rows"),)
    table = CsvTable(text, header.fields, header.readable, 2 * len(text) + BLOCK, dialect)
    return Opened(header, table, dialect.decimal)


def _opened(header: Header, table: Table) -> Opened | tuple[Finding, ...]:
    return Opened(header, table) if header.readable else header.findings
