"""Sample files, read as text, for those who have no definition yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from perennial.domain.definitions.files import Csv, Files
from perennial.domain.formats.cells import as_text
from perennial.domain.formats.csv_table import BLOCK, CsvTable, read_header, split
from perennial.domain.formats.header import found_delimiter, other_delimiter
from perennial.domain.formats.json_lines import JsonLines, open_json_lines
from perennial.domain.formats.parquet_table import ParquetTable, open_parquet
from perennial.domain.formats.reading import ANY, encoding_of, format_of, read_text, unpacked
from perennial.domain.formats.tables import UnreadableError
from perennial.domain.judging.diagnosis import name_rows
from perennial.domain.judging.findings import listed
from perennial.domain.verdict import Finding
from perennial.errors import DefinitionError


@dataclass(frozen=True, slots=True)
class Samples:
    """The rows of sample files.

    Attributes:
        cells: as text, in the columns of the first file; null where a cell is empty.
        csv: how the CSV files among them are written.
    """

    cells: pl.DataFrame
    csv: Csv


def read_samples(samples: Sequence[tuple[str, bytes]]) -> Samples:
    """The rows of all samples, as text, in the columns of the first.

    Args:
        samples: names and bytes.

    Raises:
        DefinitionError: when a sample cannot be read, has other columns than the first, or is
            written in another dialect.
    """
    if not samples:
        raise DefinitionError("at least one sample file is needed")
    dialect = _dialect(samples)
    frames = [_read_sample(name, data, dialect) for name, data in samples]
    first = frames[0].columns
    for (name, _), frame in zip(samples, frames, strict=True):
        if other := set(frame.columns) ^ set(first):
            raise DefinitionError(
                f"{name}: expected the columns of {samples[0][0]}, found a difference in "
                f"{listed(sorted(other))}"
            )
    cells = pl.concat([frame.select(first) for frame in frames])
    return Samples(cells, _with_decimal(cells, dialect))


def _dialect(samples: Sequence[tuple[str, bytes]]) -> Csv:
    """How the CSV files are encoded, and what separates the fields of the first of them."""
    dialect = Csv(encoding=_encoding(samples))
    for name, data in samples:
        text = read_text(name, data, Files(csv=dialect))
        if format_of(name, ANY) == "csv" and isinstance(text, bytes):
            delimiter = found_delimiter(read_header(text))
            return dialect.model_copy(update={"delimiter": delimiter})
    return dialect


def _encoding(samples: Sequence[tuple[str, bytes]]) -> str:
    """The one encoding of all CSV files; what is ASCII only fits into most.

    Raises:
        DefinitionError: when they are encoded in different ways.
    """
    found: dict[str, str] = {}
    for name, data in samples:
        text = unpacked(name, data)
        if format_of(name, ANY) == "csv" and isinstance(text, bytes) and not text.isascii():
            found.setdefault(encoding_of(text), name)
    if len(found) > 1 and set(found) == {"cp1252", "iso8859-1"}:
        return "iso8859-1"
    if len(found) > 1:
        (first, one), (second, other) = list(found.items())[:2]
        raise DefinitionError(
            f"{other}: expected {first} text as in {one}, found {second}: save all samples alike"
        )
    return next(iter(found), "utf-8")


def _with_decimal(cells: pl.DataFrame, dialect: Csv) -> Csv:
    """With a decimal comma where a column has one in every cell and no column a decimal point."""
    if dialect.delimiter == ",":
        return dialect
    columns = [cells[name].drop_nulls() for name in cells.columns]
    comma, point = (
        any(
            len(column) and column.str.contains(rf"^[+-]?[0-9]*{mark}?[0-9]+$").all()
            and column.str.contains(mark).any()
            for column in columns
        )
        for mark in (",", r"\.")
    )  # fmt: skip
    return dialect.model_copy(update={"decimal": ","}) if comma and not point else dialect


def _read_sample(name: str, data: bytes, dialect: Csv) -> pl.DataFrame:
    stated = format_of(name, ANY)
    if isinstance(stated, Finding):
        raise DefinitionError(f"{name}: {stated.message}; save it as CSV, with commas")
    if stated == "parquet":
        return _whole(name, lambda: open_parquet(data, ANY.max_bytes))
    text = read_text(name, data, Files(csv=dialect), stated)
    if isinstance(text, Finding):
        raise DefinitionError(f"{name}: {text.message}")
    if stated == "jsonl":
        return _whole(name, lambda: open_json_lines(text))
    first_row = read_header(text, dialect)
    if found := other_delimiter(first_row, delimiter=dialect.delimiter):
        raise DefinitionError(f"{name}: {found}")
    header = split(first_row, dialect.delimiter)
    doubled = [column for column, times in Counter(header).items() if times > 1]
    if doubled:
        raise DefinitionError(f"{name}: expected each column once, found {listed(doubled)} again")
    if "" in header:
        raise DefinitionError(f"{name}: expected a name for every column, found an empty one")
    table = CsvTable(text, header, header, 2 * len(text) + BLOCK, dialect)
    cells = pl.concat(table.batches())
    for finding in name_rows(table, []):
        raise DefinitionError(f"{name}: {finding.message}")
    if not table.rows:
        raise DefinitionError(f"{name}: expected rows to learn from, found only the header")
    return cells


def _whole(name: str, opening: Callable[[], JsonLines | ParquetTable]) -> pl.DataFrame:
    try:
        table = opening()
        cells = pl.concat(table.batches())
    except UnreadableError as error:
        raise DefinitionError(f"{name}: {error.findings[0].message}") from None
    if not table.rows:
        raise DefinitionError(f"{name}: expected rows to learn from, found none")
    return cells.select(as_text(cells[column]) for column in cells.columns)
