"""What the formats have in common: a table of text cells, read once, batch by batch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from perennial.domain.verdict import Finding

MAX_FIELDS = 10_000
"""Most names of columns that a file may have."""


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
class Row:
    """A row as it stands in a file.

    Attributes:
        record: its place among the rows of the file, as the table counts them.
        line: where it begins.
        cells: as text, unquoted; None for an empty cell where the file can tell.
        lines: how many lines it takes.
    """

    record: int
    line: int
    cells: tuple[str | None, ...]
    lines: int = 1


@dataclass(frozen=True, slots=True)
class Wording:
    """How findings speak of a format.

    Attributes:
        place: what is counted to say where a row stands: "line" or "row".
        names: where the columns' names stand.
        nothing: what a file without rows holds.
        no_row: the rule that is broken by what stands in the place of a row and is none.
    """

    place: str
    names: str
    nothing: str
    no_row: str


CSV = Wording("line", "in the first row", "only the header", "field_count")
JSON_LINES = Wording("line", "as keys", "none", "json")
PARQUET = Wording("row", "in the file", "none", "field_count")


class UnreadableError(Exception):
    """A file cannot be read to its end; within the domain only: it becomes the findings."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(finding.message for finding in findings))
        self.findings = findings


class Table(Protocol):
    """The rows of a file, whatever its format. All but `wording` is known after `batches`."""

    @property
    def wording(self) -> Wording:
        """How findings speak of it."""

    @property
    def fields(self) -> int:
        """How many columns it has."""

    @property
    def rows(self) -> int:
        """How many rows it has, those that do not fit included."""

    @property
    def misfits(self) -> Sequence[Misfit]:
        """The first few rows with another number of fields than the header."""

    @property
    def misfit_records(self) -> Sequence[int]:
        """The places of all of them, increasing, and of all else that is no row."""

    @property
    def faults(self) -> Sequence[Finding]:
        """What is wrong with places that are no rows, but for the number of fields."""

    @property
    def unterminated(self) -> int | None:
        """The place of a row whose quoted field is never closed."""

    def batches(self) -> Iterator[pl.DataFrame]:
        """The cells of the columns that were asked for, as `cells.read_cells` takes them.

        Raises:
            UnreadableError: when the rest cannot be read.
        """

    def record_of(self, row: int) -> int:
        """The place in the file of a row of the batches."""

    def records_of(self, rows: Iterable[int]) -> Iterator[int]:
        """The places of several rows of the batches, which increase."""

    @property
    def shown(self) -> Sequence[str]:
        """The names of the cells that `rows_at` gives."""

    def rows_at(self, records: Collection[int]) -> Iterator[Row]:
        """What stands at these places, in the file's order; reads only that once more."""

    @property
    def lines(self) -> int:
        """How many lines its rows take together; where a row is one line, or none, its rows."""

    @property
    def ends_open(self) -> bool:
        """Whether the last row may have been cut off: no line end follows it."""

    @property
    def last_record(self) -> int:
        """The place of the last row."""

    def lines_of(self, records: Iterable[int]) -> dict[int, int]:
        """The line, or the row's number, of each of these places."""
