"""Words that several sentences share.

Standard library only, because `predict` ships with it.
"""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 file`, `0 files`, `2,000 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
