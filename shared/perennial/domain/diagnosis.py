"""Which checks fail, in one pass that counts; and, only then, which rows and lines those are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from perennial.domain.csv_table import Table
from perennial.domain.findings import MAX_NAMED, file_finding, rows_finding
from perennial.domain.rules import Check
from perennial.domain.verdict import Finding


@dataclass(frozen=True, slots=True, eq=False)
class Failure:
    """A check that rows fail.

    Attributes:
        check: what they fail.
        count: how many they are.
        rows: places of the first few in the frame, from 0.
        samples: their text; None for an empty cell.
    """

    check: Check
    count: int
    rows: Sequence[int]
    samples: Sequence[str | None]


def run(checks: Iterable[Check], frame: pl.DataFrame) -> list[Failure]:
    """The checks that rows of the frame fail, in their order."""
    every = list(checks)
    counts = frame.select(pl.len(), *(c.broken.sum().alias(str(n)) for n, c in enumerate(every)))
    failed = [(c, count) for c, count in zip(every, counts.row(0)[1:], strict=True) if count]
    return [Failure(check, count, *_first(frame, check)) for check, count in failed]


def name_rows(table: Table, failed: Sequence[Failure]) -> list[Finding]:
    """The findings about rows, each with the lines where they stand in the file."""
    places = [[table.record_of(row) for row in failure.rows] for failure in failed]
    misfits = [misfit.record for misfit in table.misfits]
    opened = [] if table.unterminated is None else [table.unterminated]
    lines = table.lines_of([*opened, *misfits, *(p for some in places for p in some)])
    return [
        *_unterminated([lines[place] for place in opened]),
        *_misfits(table, [lines[place] for place in misfits]),
        *(
            _finding(failure, [lines[place] for place in some])
            for failure, some in zip(failed, places, strict=True)
        ),
    ]


def _first(frame: pl.DataFrame, check: Check) -> tuple[list[int], list[str | None]]:
    found = (
        frame.lazy()
        .with_row_index("row")
        .filter(check.broken)
        .select("row", check.shown.alias("shown"))
        .head(MAX_NAMED)
        .collect()
    )
    return found["row"].to_list(), found["shown"].to_list()


def _finding(failure: Failure, lines: Sequence[int]) -> Finding:
    check = failure.check
    return rows_finding(
        check.rule, check.severity, check.expected, column=check.column, rows=failure.count,
        lines=lines, samples=failure.samples, advice=check.advice,
    )  # fmt: skip


def _misfits(table: Table, lines: Sequence[int]) -> Iterator[Finding]:
    if lines:
        yield rows_finding(
            "field_count", "reject", f"{table.fields} fields in every row", column=None,
            rows=len(table.misfit_records), lines=lines,
            samples=[misfit.text for misfit in table.misfits],
            found=[str(misfit.fields) for misfit in table.misfits],
        )  # fmt: skip


def _unterminated(lines: Sequence[int]) -> Iterator[Finding]:
    for line in lines:
        yield file_finding(
            "quote",
            f"expected a closing quote, found none for the field that opens in line {line:,}",
            lines=(line,),
        )
