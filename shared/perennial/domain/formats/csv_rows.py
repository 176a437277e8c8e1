"""Rows of CSV as people's programs write them: commas, quotes, UTF-8, each with its line.

Standard library only, because `predict` ships with it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

_DELIMITERS = ((";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars"))
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class NoTextError(Exception):
    """Bytes are no text in UTF-8, with or without its mark.

    Attributes:
        line: at which they are not.
        found: what is there instead.
    """

    def __init__(self, line: int, found: str) -> None:
        super().__init__(f"line {line}: {found}")
        self.line = line
        self.found = found


class NoRowError(Exception):
    """What begins at a line is no row, for the reason that the text says."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


def decoded(data: bytes) -> str:
    """The text of bytes in UTF-8.

    Raises:
        NoTextError: when they are none.
    """
    if data.startswith(_UTF16):
        raise NoTextError(1, "UTF-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Counted in what failed: the mark at the beginning, if there is one, is not part of it.
        line = error.object.count(b"\n", 0, error.start) + 1
        raise NoTextError(line, f"the byte 0x{error.object[error.start]:02x}") from None


def rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The header and the rows that are not blank, each with the line at which it begins.

    Raises:
        NoRowError: when quotes are not as RFC 4180 has them.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise NoRowError(line, str(error)) from None


def other_delimiter(header: Sequence[str]) -> str | None:
    """What stands between the fields of a header instead of commas, in a word."""
    if len(header) != 1:
        return None
    return next((what for mark, what in _DELIMITERS if mark in header[0]), None)
