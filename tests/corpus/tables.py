"""A CSV file as rows of text, for those who spoil it, and its other forms."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import polars as pl
from polars.exceptions import PolarsError


@dataclass(frozen=True, slots=True)
class Sheet:
    """A header and the rows below it, as text."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, file: Path) -> Self:
        """The sheet in a sound CSV file."""
        header, *rows = csv.reader(io.StringIO(file.read_text(encoding="utf-8")))
        return cls(tuple(header), tuple(map(tuple, rows)))

    def place(self, column: str) -> int:
        """Where a column stands."""
        return self.header.index(column)

    def column(self, column: str) -> list[str]:
        """Its cells."""
        return [row[self.place(column)] for row in self.rows]

    def mapped(self, column: str, change: Callable[[str], str], *, at: slice | None = None) -> Self:
        """With a column's cells changed: all of them, or those of some rows."""
        place = self.place(column)
        chosen = set(range(len(self.rows))[at or slice(None)])
        rows = (
            (*row[:place], change(row[place]), *row[place + 1 :]) if number in chosen else row
            for number, row in enumerate(self.rows)
        )
        return replace(self, rows=tuple(rows))

    def put(self, column: str, text: str, *, row: int = 7) -> Self:
        """With one cell changed."""
        return self.mapped(column, lambda _: text, at=slice(row, row + 1))

    def copied(self, source: str, to: str) -> Self:
        """With the cells of one column in the place of another's."""
        cells = iter(self.column(source))
        return self.mapped(to, lambda _: next(cells))

    def renamed(self, old: str, new: str) -> Self:
        """With another name above a column."""
        return replace(self, header=tuple(new if n == old else n for n in self.header))

    def picked(self, columns: list[str]) -> Self:
        """These columns, in this order."""
        places = [self.place(column) for column in columns]
        return replace(
            self,
            header=tuple(columns),
            rows=tuple(tuple(row[place] for place in places) for row in self.rows),
        )

    def added(self, column: str, text: str) -> Self:
        """With one more column, the same in every row."""
        return replace(
            self, header=(*self.header, column), rows=tuple((*row, text) for row in self.rows)
        )

    def text(self, *, end: str = "\n", delimiter: str = ",", every: bool = False) -> str:
        """As CSV."""
        out = io.StringIO()
        quoting = csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL
        writer = csv.writer(out, lineterminator=end, delimiter=delimiter, quoting=quoting)
        writer.writerows([self.header, *self.rows])
        return out.getvalue()

    def csv(self) -> bytes:
        """As the bytes of a plain CSV file."""
        return self.text().encode()

    def jsonl(self, numbers: set[str]) -> bytes:
        """As JSON Lines, with the cells of some columns as numbers."""
        lines = (
            json.dumps(
                {
                    name: (json.loads(cell) if name in numbers and cell else cell or None)
                    for name, cell in zip(self.header, row, strict=True)
                }
            )
            for row in self.rows
        )
        return "".join(f"{line}\n" for line in lines).encode()

    def parquet(self) -> bytes:
        """As Parquet, each column with the first type that all of its cells have."""
        out = io.BytesIO()
        columns = [_typed(pl.Series(name, self.column(name))) for name in self.header]
        pl.DataFrame(columns).write_parquet(out)
        return out.getvalue()


def _typed(text: pl.Series) -> pl.Series:
    cells = text.replace("", None)
    for type_ in (pl.Int64(), pl.Float64(), pl.Datetime("us")):
        try:
            return cells.str.to_datetime() if type_ == pl.Datetime else cells.cast(type_)
        except PolarsError:
            continue
    return cells


def packed(data: bytes) -> bytes:
    """With gzip, the same for the same bytes."""
    return gzip.compress(data, mtime=0)
