"""How Google's APIs write amounts, as numbers."""

from __future__ import annotations

from typing import Any

_UNITS = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
}


def seconds(duration: Any) -> float | None:
    """A duration such as "600s" or "3.5s"; None for what is none.

    >>> seconds("600s")
    600.0
    """
    try:
        return float(str(duration).removesuffix("s"))
    except ValueError:
        return None


def mebibytes(quantity: Any) -> float | None:
    """An amount of memory such as "512Mi" or "2Gi"; None for what is none.

    >>> mebibytes("2Gi")
    2048.0
    """
    text = str(quantity)
    number = text.rstrip("kKMGi")
    try:
        return float(number) * _UNITS[text[len(number) :]] / 2**20
    except (KeyError, ValueError):
        return None


def cores(quantity: Any) -> float | None:
    """An amount of processor such as "1" or "1000m"; None for what is none.

    >>> cores("1000m")
    1.0
    """
    text = str(quantity)
    try:
        return float(text.removesuffix("m")) / (1000 if text.endswith("m") else 1)
    except ValueError:
        return None


def whole(number: Any) -> int:
    """A count; the APIs leave zeroes out, and write large ones as text."""
    return int(number or 0)
