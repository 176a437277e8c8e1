"""What commands print: one JSON document, or lines for people; progress for who watches."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import StringIO
from typing import Any

import click

from perennial.domain.words import counted, escaped, printable, printable_lines
from perennial.errors import PerennialError

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."
)


class Shortfall(PerennialError):
    """Part of what was asked did not come about, and the command's document tells it.

    Args:
        message: what did not, and what to do.
        code: the exit code.
    """

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


INSTEAD = "·"
"""Stands for each character of a stranger's text that would steer a terminal."""


class Styled(str):
    """A line with colours of ours, the rest of which is fit to print."""

    __slots__ = ()


_WIDE = 400  # columns of what is not a terminal, where nothing should be cut


def emit(document: Any, lines: Iterable[str], *, as_json: bool) -> None:
    """Print the document, or else the lines that say the same to people.

    Args:
        document: ready for JSON.
        lines: made only when they are printed; none of them can steer a terminal.
        as_json: which of the two.
    """
    if as_json:
        click.echo(escaped(json.dumps(document, ensure_ascii=False, indent=2)))
        return
    for line in lines:
        click.echo(line if isinstance(line, Styled) else printable_lines(line, INSTEAD))


def progress(line: str) -> None:
    """Tell whoever watches a terminal how the work goes."""
    if sys.stderr.isatty():
        click.echo(click.style(printable(line, INSTEAD), dim=True), err=True)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows under headings, as wide as the terminal."""
    # Imported here because it takes its time, and with --json no table is printed.
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        grid.add_column(heading, overflow="fold")
    for row in rows:
        grid.add_row(*(Text("" if cell is None else printable(str(cell), INSTEAD)) for cell in row))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDE
    text = StringIO()
    Console(file=text, width=width).print(grid)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def age(seconds: float) -> str:
    """A length of time in the unit that suits it."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return counted(round(seconds), "second")


def moment(iso: str | None) -> str:
    """A time as people read it, from its ISO form."""
    return datetime.fromisoformat(iso).strftime("%Y-%m-%d %H:%M:%S") if iso else ""
