"""Judging a file: from its bytes to typed rows and to everything that is wrong with it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from perennial.domain.cells import read_cells
from perennial.domain.csv_table import BLOCK, RowTooLong, Table, read_header
from perennial.domain.definition import Definition, Files
from perennial.domain.diagnosis import Diagnosis, name_rows
from perennial.domain.findings import file_finding
from perennial.domain.header import Header, judge_header
from perennial.domain.reading import read_text
from perennial.domain.rules import file_checks, row_checks, text_of, values_of
from perennial.domain.statistics import describe_columns, span
from perennial.domain.verdict import Finding

_USABLE = "usable"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a definition says of a file.

    Attributes:
        findings: every rule that the file breaks, warnings included, in the order of columns.
        frame: the rows that training can use, typed, with the stored columns in the definition's
            order. All rows of the file, where it is accepted; None where columns are missing or
            nothing could be read.
        rows: how many rows the file has below its header.
        first_event, last_event: event-time span of `frame` (UTC).
        statistics: of the columns of `frame`; see `statistics.describe_columns`.
    """

    findings: tuple[Finding, ...]
    frame: pl.DataFrame | None = None
    rows: int = 0
    first_event: datetime | None = None
    last_event: datetime | None = None
    statistics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether no rule that rejects is broken."""
        return all(finding.severity != "reject" for finding in self.findings)


def judge_bytes(definition: Definition, name: str, data: bytes) -> Judgement:
    """Judge a file. Whatever the bytes are, this returns.

    Args:
        definition: what the file must look like.
        name: the object's name; its suffix states the format.
        data: the object's bytes.
    """
    text = read_text(name, data, max_bytes=definition.files.max_bytes)
    if isinstance(text, Finding):
        return Judgement((text,))
    record = read_header(text)
    if not record:
        return Judgement((file_finding("empty", "expected a CSV file, found only blank lines"),))
    header = judge_header(definition, record)
    if not header.readable:
        return Judgement(header.findings)
    try:
        return _judge_rows(definition, text, header, BLOCK)
    except RowTooLong:
        return _judge_rows(definition, text, header, 2 * len(text) + BLOCK)


def to_parquet(frame: pl.DataFrame) -> bytes:
    """The stored form of typed rows: the same bytes for the same rows."""
    buffer = io.BytesIO()
    frame.rechunk().write_parquet(buffer)
    return buffer.getvalue()


def _judge_rows(definition: Definition, text: bytes, header: Header, block: int) -> Judgement:
    """Judge batch by batch, keeping the values of each and, of its text, what findings show."""
    table = Table(text, header.fields, header.readable, block)
    diagnosis = Diagnosis()
    kept: list[pl.DataFrame] = []
    rows = 0
    for cells in table.batches():
        batch = _with_values(definition, cells)
        checks = row_checks(definition, batch, header.readable)
        failed = diagnosis.examine(checks, batch, kind="row", first_row=rows)
        useless = [check.broken.fill_null(value=False) for check in failed if check.unusable]
        usable = ~pl.any_horizontal(useless) if useless else pl.lit(value=True)
        values = [values_of(name) for name in header.readable]
        kept.append(batch.select(*values, usable.alias(_USABLE)))
        rows += cells.height
    frame = pl.concat(kept, rechunk=False)
    diagnosis.examine(file_checks(definition, header.readable), frame, kind="file")
    findings = [
        *header.findings,
        *_row_count(definition.files, table.rows),
        *name_rows(table, diagnosis.failures),
    ]
    if len(header.readable) < len(definition.columns):
        return Judgement(tuple(findings), rows=table.rows)
    return _judged(definition, findings, _usable(definition, frame), table.rows)


def _judged(
    definition: Definition, findings: Sequence[Finding], frame: pl.DataFrame, rows: int
) -> Judgement:
    first, last = span(frame[definition.event_time]) if definition.event_time else (None, None)
    statistics = describe_columns(frame, definition.stored_columns)
    return Judgement(tuple(findings), frame, rows, first, last, statistics)


def _with_values(definition: Definition, cells: pl.DataFrame) -> pl.DataFrame:
    """Every column as text and as values, under the names that checks use."""
    columns = {}
    for text in cells:
        columns[text_of(text.name)] = text
        columns[values_of(text.name)] = read_cells(text, definition.columns[text.name])
    return pl.DataFrame(columns)


def _usable(definition: Definition, frame: pl.DataFrame) -> pl.DataFrame:
    if not frame[_USABLE].all():
        frame = frame.filter(_USABLE)
    # Series rather than a projection, which would copy them.
    return pl.DataFrame([frame[values_of(name)].alias(name) for name in definition.stored_columns])


def _row_count(files: Files, rows: int) -> list[Finding]:
    if rows < files.min_rows:
        least = "1 row" if files.min_rows == 1 else f"{files.min_rows:,} rows"
        found = "only the header" if rows == 0 else f"{rows:,}"
        return [file_finding("row_count", f"expected at least {least}, found {found}")]
    if files.max_rows is not None and rows > files.max_rows:
        return [
            file_finding("row_count", f"expected at most {files.max_rows:,} rows, found {rows:,}")
        ]
    return []
