"""A chart as it is handed on: the picture, and the table behind it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """What a chart shows, for those who read numbers.

    Attributes:
        headers: names of the columns.
        rows: as people read them, not escaped.
        note: what the table leaves out; empty where it is whole.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture and its table.

    Attributes:
        svg: an `<svg>` element, escaped.
        table: what it shows.
    """

    svg: str
    table: Table

    def __html__(self) -> str:
        """The picture, which templates need not escape again."""
        return self.svg
