"""Text that a spreadsheet shows and does not compute."""

from __future__ import annotations

import re

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


def safe(text: str) -> str:
    """The text, behind an apostrophe where a spreadsheet would take it for a formula.

    >>> [safe(text) for text in ("=1+1", "-1.5", "- 2", "kiosk")]
    ["'=1+1", '-1.5', "'- 2", 'kiosk']
    """
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
