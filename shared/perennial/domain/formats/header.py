"""Whether the first row of a file names the columns that the definition declares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from perennial.domain.definitions.definition import Definition
from perennial.domain.formats.csv_table import split
from perennial.domain.formats.tables import CSV, MAX_FIELDS, Wording
from perennial.domain.judging.findings import file_finding, listed, quoted
from perennial.domain.verdict import Finding

_DELIMITERS = {",": "commas", ";": "semicolons (;)", "\t": "tabs", "|": "vertical bars (|)"}


@dataclass(frozen=True, slots=True)
class Header:
    """The first row of a file, judged.

    Attributes:
        fields: the names in it.
        readable: the declared columns that it names exactly once, as declared; none where the
            row is no header of this pipeline, and then the rows below are not worth reading.
        findings: what is wrong with it.
    """

    fields: tuple[str, ...]
    readable: tuple[str, ...]
    findings: tuple[Finding, ...]


def judge_header(definition: Definition, record: bytes) -> Header:
    """Compare a CSV file's first row, as it stands there, with the declared columns."""
    dialect = definition.files.csv
    marks = record.count(dialect.delimiter.encode())
    if marks >= MAX_FIELDS:
        found = f"expected at most {MAX_FIELDS:,} columns, found {marks + 1:,}"
        return Header((), (), (file_finding("header", found, lines=(1,)),))
    fields = tuple(split(record, dialect.delimiter, dialect.quote))
    header = judge_fields(definition, fields)
    if not any(name in fields for name in definition.columns):
        other = other_delimiter(record, definition.columns, dialect.delimiter)
        if other is not None:
            return Header(fields, (), (file_finding("delimiter", other, lines=(1,)),))
    return header


def judge_fields(definition: Definition, fields: tuple[str, ...], wording: Wording = CSV) -> Header:
    """Compare the names of a file's columns with those that are declared."""
    times = Counter(fields)
    readable = tuple(name for name in definition.columns if times[name] == 1)
    if not any(name in times for name in definition.columns):
        return Header(fields, (), (_no_header(definition, fields, wording),))
    return Header(fields, readable, tuple(_mistakes(definition, times, wording)))


def other_delimiter(record: bytes, known: Collection[str] = (), delimiter: str = ",") -> str | None:
    """What separates the fields of a row instead of commas, and what to do about it.

    Args:
        record: the first row, as it stands.
        delimiter: what should separate them.
        known: columns of which one must come to light; without them it is enough that the row has
            no comma.

    Returns:
        A sentence; None where commas separate, or nothing that is known.
    """
    if not known and len(split(record)) > 1:
        return None
    wanted = _DELIMITERS.get(delimiter, quoted(delimiter))
    for other, what in _DELIMITERS.items():
        if other == delimiter:
            continue
        fields = split(record, other)
        if any(name in known for name in fields) if known else len(fields) > 1:
            return (
                f"expected fields separated by {wanted}, found {what}: save the file with "
                f"{wanted}, or declare files.csv.delimiter"
            )
    return None


def found_delimiter(record: bytes) -> str:
    """What separates the fields of a first row: commas, unless it has none and another mark."""
    if len(split(record)) > 1:
        return ","
    return next((mark for mark in _DELIMITERS if len(split(record, mark)) > 1), ",")


def _no_header(definition: Definition, fields: Collection[str], wording: Wording) -> Finding:
    return file_finding(
        "header",
        f"expected the columns {listed(list(definition.columns))} {wording.names}, "
        f"found {listed(list(fields))}",
        lines=_first_line(wording),
    )


def _first_line(wording: Wording) -> tuple[int, ...]:
    """Where a header is, in a format that has one."""
    return (1,) if wording is CSV else ()


def _mistakes(definition: Definition, times: Counter[str], wording: Wording) -> Iterator[Finding]:
    lines = _first_line(wording)
    extra = [name for name in times if name not in definition.columns]
    for name, number in times.items():
        if number > 1 and name:
            yield file_finding(
                "duplicate_column", f"expected this column once, found it {number} times",
                column=name, lines=lines,
            )  # fmt: skip
    for name in definition.columns:
        if name not in times:
            yield file_finding("missing_column", _missing(name, extra), column=name, lines=lines)
    if extra and definition.files.extra_columns != "ignore":
        yield file_finding(
            "extra_column",
            f"expected only the declared columns, found {listed(extra)} too; "
            "what is not declared is not used",
            severity=definition.files.extra_columns,
            lines=lines,
        )


def _missing(name: str, extra: Collection[str]) -> str:
    alike = {other.strip().lower(): other for other in extra}
    near = get_close_matches(name.strip().lower(), alike, n=1)
    if near:
        return f"expected a column with this name, found {quoted(alike[near[0]])} as the nearest"
    return "expected a column with this name, found none"
