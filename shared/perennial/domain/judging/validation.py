"""Judging a file: from its bytes to typed rows and to everything that is wrong with it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import polars as pl

from perennial.domain.definitions.definition import Definition
from perennial.domain.definitions.files import Files
from perennial.domain.formats.cells import as_text, read_cells
from perennial.domain.formats.csv_table import RowTooLong
from perennial.domain.formats.header import Header
from perennial.domain.formats.keeping import Kept
from perennial.domain.formats.opening import Opened, open_file
from perennial.domain.formats.pipelining import ahead
from perennial.domain.formats.tables import Table, UnreadableError
from perennial.domain.judging.bad_rows import BadRows, SetAside, by_record, set_aside
from perennial.domain.judging.diagnosis import Diagnosis, name_rows
from perennial.domain.judging.file_checks import check_file
from perennial.domain.judging.findings import file_finding
from perennial.domain.judging.history_checks import check_history, widened
from perennial.domain.judging.reference import NO_HISTORY, Reference
from perennial.domain.judging.rules import (
    file_checks,
    row_checks,
    text_of,
    told_apart_by,
    values_of,
)
from perennial.domain.judging.statistics import describe_columns, span
from perennial.domain.verdict import Finding
from perennial.domain.words import counted

_USABLE = "usable"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a definition says of a file.

    Attributes:
        findings: every rule that the file breaks, warnings included, in the order of columns.
        frame: the rows that training can use, typed, with the stored columns in the definition's
            order. Where the file is accepted, all of its rows but those that are set aside; None
            where columns are missing or nothing could be read.
        rows: how many rows the file has below its header.
        first_event, last_event: event-time span of `frame` (UTC).
        statistics: of the columns of `frame`; see `statistics.describe_columns`.
        set_aside: how many rows are left out of an accepted file, because they break a rule.
        bad_rows: these as CSV; see `bad_rows.in_csv`.
    """

    findings: tuple[Finding, ...]
    frame: pl.DataFrame | None = None
    rows: int = 0
    first_event: datetime | None = None
    last_event: datetime | None = None
    statistics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    set_aside: int = 0
    bad_rows: bytes = b""

    @property
    def rejections(self) -> tuple[Finding, ...]:
        """The findings that keep the file out."""
        return tuple(finding for finding in self.findings if finding.severity == "reject")

    @property
    def accepted(self) -> bool:
        """Whether no rule that rejects is broken."""
        return not self.rejections


def judge_bytes(
    definition: Definition,
    name: str,
    data: bytes,
    *,
    arrived: datetime | None = None,
    covered: datetime | None = None,
    reference: Reference = NO_HISTORY,
) -> Judgement:
    """Judge a file. Whatever the bytes are, this returns.

    Args:
        definition: what the file must look like.
        name: the object's name; its suffix states the format.
        data: the object's bytes.
        arrived: when they did (UTC); None where nobody knows.
        covered: through when earlier accepted files reach (UTC); None where nothing is late.
        reference: what accepted files were like.
    """
    definition = widened(definition, reference)
    examined = _examine(definition, name, data, arrived, covered)
    return examined if isinstance(examined, Judgement) else _judge(definition, examined, reference)


def find_bad_rows(
    definition: Definition,
    name: str,
    data: bytes,
    *,
    arrived: datetime | None = None,
    covered: datetime | None = None,
) -> Mapping[int, Sequence[str]]:
    """The rows that break rules, however many they are and whatever the row policy; see `bad_rows`.

    Args:
        definition: what the file must look like.
        name: the object's name; its suffix states the format.
        data: the object's bytes.
        arrived: when they did (UTC); None where nobody knows.
        covered: through when earlier accepted files reach (UTC); None where nothing is late.

    Returns:
        The rules that each row breaks, by its place in the file: in CSV among the rows that are not
        blank (the header is 1), in JSON Lines its line, in Parquet its number from 1. None where
        the file cannot be read as a table.
    """
    examined = _examine(definition.bearing(1.0), name, data, arrived, covered)
    return {} if isinstance(examined, Judgement) else by_record(examined.table, examined.bad)


def to_parquet(frame: pl.DataFrame) -> bytes:
    """The stored form of typed rows: the same bytes for the same rows."""
    buffer = io.BytesIO()
    frame.rechunk().write_parquet(buffer)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class _Examined:
    """A file whose rows were read: all but what it says of the file as a whole."""

    header: Header
    table: Table
    diagnosis: Diagnosis
    bad: BadRows
    frame: pl.DataFrame


def _examine(
    definition: Definition,
    name: str,
    data: bytes,
    arrived: datetime | None,
    covered: datetime | None,
) -> _Examined | Judgement:
    def read(*, whole: bool = False) -> _Examined | Judgement:
        opened = open_file(definition, name, data, whole=whole)
        if isinstance(opened, tuple):
            return Judgement(opened)
        return _read(definition, opened, arrived, covered)

    try:
        try:
            return read()
        except RowTooLong:
            return read(whole=True)
    except UnreadableError as error:
        return Judgement(error.findings)


def _read(
    definition: Definition, opened: Opened, arrived: datetime | None, covered: datetime | None
) -> _Examined:
    """Read batch by batch, keeping the values of each and, of its text, what findings show."""
    header, table = opened.header, opened.table
    diagnosis, bad = Diagnosis(), BadRows()
    bearing = definition.rows.max_bad_row_fraction > 0
    kept = Kept(definition.files.max_bytes)
    rows = 0
    batches = (_with_values(definition, cells, opened.decimal) for cells in ahead(table.batches()))
    for batch in ahead(batches):
        checks = row_checks(definition, batch, header.readable, arrived, covered)
        failed = diagnosis.examine(checks, batch, kind="row", first_row=rows)
        if bearing:
            bad.note(failed, batch, first_row=rows)
        useless = [check.broken.fill_null(value=False) for check in failed if check.unusable]
        usable = ~pl.any_horizontal(useless) if useless else pl.lit(value=True)
        values = [values_of(name) for name in header.readable]
        kept.add(batch.select(*values, usable.alias(_USABLE)).to_dict())
        rows += batch.height
    frame = kept.frame()
    compared = bad.without(frame, map(values_of, told_apart_by(definition, header.readable)))
    checks = file_checks(definition, header.readable, compared)
    failed = diagnosis.examine(checks, compared, kind="file")
    if bearing:
        bad.note(failed, compared)
    return _Examined(header, table, diagnosis, bad, frame)


def _judge(definition: Definition, file: _Examined, reference: Reference) -> Judgement:
    table, frame = file.table, file.frame
    named = name_rows(table, file.diagnosis.failures)
    if len(file.header.readable) < len(definition.columns):
        findings = [*file.header.findings, *_row_count(definition.files, table), *named]
        return Judgement(tuple(findings), rows=table.rows)
    aside = _aside(definition, file)
    before = [
        *file.header.findings,
        *_row_count(definition.files, table, left_out=len(aside.rules)),
    ]
    if aside.rules:
        rest = _whole(definition, frame.filter(file.bad.absent(frame.height)), reference)
        if all(finding.severity != "reject" for finding in (*before, *rest.findings)):
            return replace(
                rest,
                findings=(*before, *map(_only_its_rows, named), *rest.findings),
                rows=table.rows,
                set_aside=len(aside.rules),
                bad_rows=aside.csv,
            )
        after = rest.findings
        del rest  # before the rows that a release takes are copied
    usable = frame if frame[_USABLE].all() else frame.filter(_USABLE)
    judged = _whole(definition, usable, reference)
    if not aside.rules:
        after = judged.findings
    return replace(judged, findings=(*before, *named, *after, *aside.findings), rows=table.rows)


def _aside(definition: Definition, file: _Examined) -> SetAside:
    """The rows to leave out, unless something that rejects the file is known already."""
    most = definition.rows.max_bad_row_fraction
    rejected = any(failed.check.severity == "reject_file" for failed in file.diagnosis.failures)
    if not most or rejected or file.table.unterminated is not None:
        return SetAside({})
    return set_aside(file.table, file.bad, most)


def _only_its_rows(finding: Finding) -> Finding:
    """The same where the rest of the file is accepted."""
    return replace(finding, severity="reject_row") if finding.severity == "reject" else finding


def _whole(definition: Definition, rows: pl.DataFrame, reference: Reference) -> Judgement:
    """What these rows of a file are as a whole."""
    # Series rather than a projection, which would copy them.
    stored = definition.stored_columns
    frame = pl.DataFrame([rows[values_of(name)].alias(name) for name in stored])
    statistics = describe_columns(frame, stored)
    findings = list(check_file(definition, frame, statistics, reference))
    rescaled = {finding.column for finding in findings if finding.rule == "unit_change"}
    findings += check_history(definition, frame, statistics, reference, in_another_unit=rescaled)
    first, last = span(frame[definition.event_time]) if definition.event_time else (None, None)
    return Judgement(tuple(findings), frame, frame.height, first, last, statistics)


def _with_values(definition: Definition, cells: pl.DataFrame, decimal: str) -> pl.DataFrame:
    """Every column as text and as values, under the names that checks use."""
    columns = {}
    for text in cells:
        columns[text_of(text.name)] = as_text(text)
        columns[values_of(text.name)] = read_cells(
            text, definition.columns[text.name], decimal=decimal
        )
    return pl.DataFrame(columns)


def _row_count(files: Files, table: Table, *, left_out: int = 0) -> list[Finding]:
    rows = table.rows
    if rows - left_out < files.min_rows:
        least = "1 row" if files.min_rows == 1 else f"{files.min_rows:,} rows"
        found = table.wording.nothing if rows == 0 else f"{rows - left_out:,}"
        if left_out:
            found += f" beside {counted(left_out, 'bad row')}"
        return [file_finding("row_count", f"expected at least {least}, found {found}")]
    if files.max_rows is not None and rows > files.max_rows:
        return [
            file_finding("row_count", f"expected at most {files.max_rows:,} rows, found {rows:,}")
        ]
    return []
