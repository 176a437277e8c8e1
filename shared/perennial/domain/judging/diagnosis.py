"""Which checks fail, in a pass that counts; and, only then, which rows and lines those are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from perennial.domain.formats.tables import Table
from perennial.domain.judging.findings import MAX_NAMED, rows_finding, unclosed
from perennial.domain.judging.rules import Check
from perennial.domain.verdict import Finding, effect_of


@dataclass(slots=True, eq=False)
class Failure:
    """A check that rows fail.

    Attributes:
        check: what they fail.
        count: how many they are.
        rows: places of the first few in the file's frame, from 0.
        samples: their text; None for an empty cell.
    """

    check: Check
    count: int = 0
    rows: list[int] = field(default_factory=list)
    samples: list[str | None] = field(default_factory=list)


class Diagnosis:
    """The failures of a file, gathered batch by batch; in the order of the checks."""

    def __init__(self) -> None:
        self._failures: dict[str, dict[int, Failure]] = {}

    @property
    def failures(self) -> list[Failure]:
        """What failed so far."""
        return [found[place] for found in self._failures.values() for place in sorted(found)]

    def examine(
        self, checks: Iterable[Check], frame: pl.DataFrame, *, kind: str, first_row: int = 0
    ) -> list[Check]:
        """Run checks on a batch; those that fail there.

        Args:
            checks: what to run, for each batch of a kind the same in the same order.
            frame: what they read.
            kind: tells apart checks of batches from those of the whole file.
            first_row: the batch's place in the file's frame.
        """
        every = list(checks)
        sums = (check.broken.sum().alias(str(place)) for place, check in enumerate(every))
        counts = frame.select(pl.len(), *sums).row(0)[1:]
        found = self._failures.setdefault(kind, {})
        for place, (check, count) in enumerate(zip(every, counts, strict=True)):
            if count:
                failure = found.setdefault(place, Failure(check))
                failure.count += count
                if (room := MAX_NAMED - len(failure.rows)) > 0:
                    rows, samples = _first(frame, check, room)
                    failure.rows += [first_row + row for row in rows]
                    failure.samples += samples
        return [check for check, count in zip(every, counts, strict=True) if count]


def name_rows(table: Table, failed: Sequence[Failure]) -> list[Finding]:
    """The findings about rows, each with the lines where they stand in the file."""
    places = [[table.record_of(row) for row in failure.rows] for failure in failed]
    misfits = [misfit.record for misfit in table.misfits]
    opened = [] if table.unterminated is None else [table.unterminated]
    lines = table.lines_of([*opened, *misfits, *(p for some in places for p in some)])
    return [
        *(unclosed(lines[place]) for place in opened),
        *_misfits(table, [lines[place] for place in misfits]),
        *table.faults,
        *(
            _finding(failure, [lines[place] for place in some], table.wording.place)
            for failure, some in zip(failed, places, strict=True)
        ),
    ]


def _first(frame: pl.DataFrame, check: Check, most: int) -> tuple[list[int], list[str | None]]:
    found = (
        frame.lazy()
        .with_row_index("row")
        .filter(check.broken)
        .select("row", check.shown.alias("shown"))
        .head(most)
        .collect()
    )
    return found["row"].to_list(), found["shown"].to_list()


def _finding(failure: Failure, lines: Sequence[int], place: str) -> Finding:
    check = failure.check
    return rows_finding(
        check.rule, effect_of(check.severity), check.expected,
        column=check.column, rows=failure.count, lines=lines, samples=failure.samples,
        advice=check.advice, place=place,
    )  # fmt: skip


def _misfits(table: Table, lines: Sequence[int]) -> Iterator[Finding]:
    if lines:
        yield rows_finding(
            "field_count", "reject", f"{table.fields} fields in every row", column=None,
            rows=len(table.misfit_records), lines=lines,
            samples=[misfit.text for misfit in table.misfits],
            found=[str(misfit.fields) for misfit in table.misfits],
        )  # fmt: skip
