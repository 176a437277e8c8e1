"""Words that several sentences share.

Standard library only, because `predict` ships with it.
"""

from __future__ import annotations

import json
import re

_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb]"
)


def printable(text: str, instead: str) -> str:
    """Text of strangers in one line, without what would steer a terminal or a page.

    Args:
        text: anything.
        instead: stands in the place of each character that cannot be printed.
    """
    return "".join(mark if mark.isprintable() else instead for mark in text)


def printable_lines(text: str, instead: str) -> str:
    """The same for text of several lines."""
    return "\n".join(printable(line, instead) for line in text.split("\n"))


def escaped(document: str) -> str:
    r"""JSON that means the same, and that steers no terminal that it is printed to.

    >>> escaped('"\u202egpj.csv"') == r'"\u202egpj.csv"'
    True
    """
    if document.isascii() and "\x7f" not in document:
        return document  # JSON has escaped what is below the space already
    return "".join(
        mark if mark == "\n" or mark.isprintable() else json.dumps(mark)[1:-1] for mark in document
    )


def without_controls(text: str) -> str:
    """Text of strangers for a page, where letters that join others may stay.

    What goes is what would turn the direction of the text around it, and control characters but
    for those of lines and tabulators.
    """
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 file`, `0 files`, `2,000 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
