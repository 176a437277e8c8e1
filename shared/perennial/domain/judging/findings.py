"""The words of a diagnosis: what was expected, what was found, and where."""

from __future__ import annotations

from collections.abc import Sequence

from perennial.domain.verdict import Effect, Finding

MAX_NAMED = 10
"""Rows that a finding names; it counts them all."""

_IN_SENTENCE = 3
_SHOWN = 80


def file_finding(
    rule: str,
    message: str,
    *,
    severity: Effect = "reject",
    column: str | None = None,
    lines: Sequence[int] = (),
) -> Finding:
    """A finding about the file as a whole, or its header.

    Args:
        rule: the rule's identifier.
        message: a sentence: expected …, found ….
        severity: `reject` or `warn`.
        column: the column it is about, if there is one.
        lines: the lines it is about.
    """
    if column is not None:
        message = f"{shorten(column)}: {message}"
    return Finding(rule, severity, message, column, 0, tuple(lines))


def rows_finding(
    rule: str,
    severity: Effect,
    expected: str,
    *,
    column: str | None,
    rows: int,
    lines: Sequence[int],
    samples: Sequence[str | None],
    found: Sequence[str] = (),
    advice: str = "",
    place: str = "line",
) -> Finding:
    """A finding about rows.

    Args:
        rule: the rule's identifier.
        severity: `reject` or `warn`.
        expected: what would be right: "a number".
        column: the column.
        rows: how many rows break the rule.
        lines: the lines of the first few of them.
        samples: the text in these lines; None for an empty cell.
        found: what a sentence shows of these lines; their text when absent.
        advice: what to do about it.
        place: what `lines` count: "line", or "row" where a file has no lines.

    Returns:
        A finding such as "temp: expected a number, found 'warm' in line 7 (1 row)".
    """
    shown = [shorten(sample or "") for sample in samples[:MAX_NAMED]]
    distinct = dict.fromkeys(found or [quoted(sample) for sample in samples[:MAX_NAMED]])
    more = rows > _IN_SENTENCE
    where = ", ".join(f"{line:,}" for line in lines[:_IN_SENTENCE]) + (", …" if more else "")
    message = (
        f"{f'{shorten(column)}: ' if column is not None else ''}expected {expected}, "
        f"found {_some(list(distinct))} in {place if rows == 1 else f'{place}s'} {where} "
        f"({rows:,} {'row' if rows == 1 else 'rows'})"
    )
    if advice:
        message += f"; {advice}"
    return Finding(
        rule, severity, message, column, rows, tuple(lines[:MAX_NAMED]), tuple(shown)
    )  # fmt: skip


def unclosed(line: int) -> Finding:
    """The finding for a quoted field that swallows the rest of a CSV file."""
    return file_finding(
        "quote",
        f"expected a closing quote, found none for the field that opens in line {line:,}",
        lines=(line,),
    )


def quoted(text: str | None) -> str:
    """A cell's text as a sentence shows it."""
    if text is None:
        return "an empty cell"
    return f"'{shorten(text)}'"


def shorten(text: str) -> str:
    """At most 80 characters of it."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def listed(values: Sequence[object], *, most: int = 10) -> str:
    """`'a', 'b', 'c'`, cut short with the number of those that are left out."""
    shown = ", ".join(quoted(str(value)) for value in values[:most])
    left = len(values) - most
    return f"{shown} and {left:,} more" if left > 0 else shown


def _some(found: list[str]) -> str:
    return ", ".join(found[:_IN_SENTENCE]) + (", …" if len(found) > _IN_SENTENCE else "")
