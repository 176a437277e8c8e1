"""Rows of a file as people see them, with the cells that break a rule marked."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from perennial.cli.output import INSTEAD, Styled
from perennial.domain import words
from perennial.domain.judging.excerpts import Excerpt


def draw(excerpt: Excerpt) -> Iterator[str]:
    """The rows under their columns' names; what is wrong is red, or stands between « and »."""
    coloured = sys.stdout.isatty()
    marked = None if excerpt.marked is None else excerpt.marked + 1
    grid = [["line", *map(printable, excerpt.header)]]
    for line, cells in excerpt.rows:
        shown = [str(line), *map(printable, cells)]
        if not coloured and marked is not None and marked < len(shown):
            shown[marked] = f"«{shown[marked]}»"
        grid.append(shown)
    columns = max(map(len, grid))
    widths = [max(len(row[i]) for row in grid if i < len(row)) for i in range(columns)]
    for number, row in enumerate(grid):
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        if coloured and number and marked is not None and marked < len(padded):
            padded[marked] = click.style(padded[marked], fg="red", bold=True)
        yield Styled(f"    {'  '.join(padded).rstrip()}")


def printable(text: str) -> str:
    """Text of a stranger's file, without what would steer a terminal."""
    return words.printable(text, INSTEAD)
