"""Whether the first row of a file names the columns that the definition declares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from perennial.domain.csv_table import split
from perennial.domain.definition import Definition
from perennial.domain.findings import file_finding, listed, quoted
from perennial.domain.verdict import Finding

_MAX_FIELDS = 10_000
_DELIMITERS = ((";", "semicolons (;)"), ("\t", "tabs"), ("|", "vertical bars (|)"))


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
    """Compare a file's first row, as it stands there, with the declared columns."""
    if record.count(b",") >= _MAX_FIELDS:
        found = f"expected at most {_MAX_FIELDS:,} columns, found {record.count(b',') + 1:,}"
        return Header((), (), (file_finding("header", found, lines=(1,)),))
    fields = tuple(split(record))
    times = Counter(fields)
    readable = tuple(name for name in definition.columns if times[name] == 1)
    if not any(name in times for name in definition.columns):
        return Header(fields, (), (_no_header(definition, record, fields),))
    return Header(fields, readable, tuple(_mistakes(definition, times)))


def other_delimiter(record: bytes, known: Collection[str] = ()) -> str | None:
    """What separates the fields of a row instead of commas, and what to do about it.

    Args:
        record: the first row, as it stands.
        known: columns of which one must come to light; without them it is enough that the row has
            no comma.

    Returns:
        A sentence; None where commas separate, or nothing that is known.
    """
    if not known and len(split(record)) > 1:
        return None
    for delimiter, what in _DELIMITERS:
        fields = split(record, delimiter)
        if any(name in known for name in fields) if known else len(fields) > 1:
            return f"expected fields separated by commas, found {what}: save the file with commas"
    return None


def _no_header(definition: Definition, record: bytes, fields: Collection[str]) -> Finding:
    if found := other_delimiter(record, definition.columns):
        return file_finding("delimiter", found, lines=(1,))
    return file_finding(
        "header",
        f"expected the columns {listed(list(definition.columns))} in the first row, "
        f"found {listed(list(fields))}",
        lines=(1,),
    )


def _mistakes(definition: Definition, times: Counter[str]) -> Iterator[Finding]:
    extra = [name for name in times if name not in definition.columns]
    for name, number in times.items():
        if number > 1 and name:
            yield file_finding(
                "duplicate_column", f"expected this column once, found it {number} times",
                column=name, lines=(1,),
            )  # fmt: skip
    for name in definition.columns:
        if name not in times:
            yield file_finding("missing_column", _missing(name, extra), column=name, lines=(1,))
    if extra:
        yield file_finding(
            "extra_column",
            f"expected only the declared columns, found {listed(extra)} too; "
            "what is not declared is not used",
            severity=definition.files.extra_columns,
            lines=(1,),
        )


def _missing(name: str, extra: Collection[str]) -> str:
    alike = {other.strip().lower(): other for other in extra}
    near = get_close_matches(name.strip().lower(), alike, n=1)
    if near:
        return f"expected a column with this name, found {quoted(alike[near[0]])} as the nearest"
    return "expected a column with this name, found none"
