"""Axes of numbers: round ticks, and numbers as people write them."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

_CONSTANT = 1e-9  # of the larger end: a narrower span is a rounding error
_ROOM = 0.06  # of the span, left free above and below
_LARGEST = sys.float_info.max
_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"))


def said(value: float) -> str:
    """A number in at most eight characters, with about four significant digits."""
    size = abs(value)
    if not math.isfinite(value):
        return "–"
    if size and (size < 1e-4 or size >= 1e15):
        return f"{value:.1e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    for unit, name in _UNITS:
        if size >= unit:
            return f"{value / unit:.4g}{name}"
    return f"{value:,.0f}" if size >= 1e4 else f"{value:.4g}"


@dataclass(frozen=True, slots=True)
class NumberAxis:
    """An axis of numbers.

    Attributes:
        low, high: its ends; `low` is below `high`.
    """

    low: float
    high: float

    @classmethod
    def around(cls, values: Iterable[float], *, zero: bool = False) -> Self:
        """An axis that holds all values, with some room.

        Args:
            values: finite numbers; none will do.
            zero: whether it starts at 0, and holds no room below.
        """
        known = list(values) or [0.0, 1.0]
        if zero:
            known.append(0.0)
        low, high = min(known), max(known)
        half = high / 2 - low / 2  # of the span, which two floats may be too far apart for
        if half <= _CONSTANT * max(abs(low), abs(high)):
            room = max(abs(low), abs(high)) / 2 or 0.5
            return cls(0.0 if zero else _finite(low - room), _finite(high + room))
        room = 2 * _ROOM * half
        starts_there = zero or 0 <= low < room  # a loss has no room below 0
        return cls(low if starts_there else _finite(low - room), _finite(high + room))

    def place(self, value: float) -> float:
        """Where a value lies, from 0 to 1."""
        share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return min(max(share, 0.0), 1.0)

    def ticks(self, most: int) -> list[float]:
        """Round values within the axis, at most so many but two where they fit."""
        raw = (self.high / 2 - self.low / 2) / most * 2
        size = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 0.0
        if not size:  # smaller than a float can tell
            return [self.low, self.high]
        step = next(one * size for one in (1, 2, 5, 10, 20) if one * size >= raw * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)][: most + 1]

    def say(self, value: float) -> str:
        """A tick as it is written."""
        return said(0.0 if abs(value) < 1e-9 * max(abs(self.low), abs(self.high)) else value)


def _finite(value: float) -> float:
    return min(max(value, -_LARGEST), _LARGEST)
