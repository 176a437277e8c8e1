"""Words that several sentences share.

Standard library only, because `predict` ships with it.
"""

from __future__ import annotations


def printable(text: str, instead: str) -> str:
    """Text of strangers in one line, without what would steer a terminal or a page.

    Args:
        text: anything.
        instead: stands in the place of each character that cannot be printed.
    """
    return "".join(mark if mark.isprintable() else instead for mark in text)


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 file`, `0 files`, `2,000 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
