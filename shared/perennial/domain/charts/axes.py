"""What lies across a chart: times, or things that are counted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

from perennial.domain.charts.times import TimeAxis

At = datetime | int
"""A place across: an aware time, or the number of a thing; a chart has one kind."""


class Axis(Protocol):
    """An axis across."""

    @property
    def header(self) -> str:
        """What its places are, as the head of a column."""

    def place(self, at: Any) -> float:
        """Where something lies, from 0 to 1."""

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Round places, at most so many: where each lies, and how it is written."""

    def caption(self) -> str:
        """Its ends in words."""

    def say(self, at: Any) -> str:
        """A place as tables write it."""


@dataclass(frozen=True, slots=True)
class CountAxis:
    """An axis of things that are counted.

    Attributes:
        first, last: its ends.
        header: what is counted, such as `scored file`.
    """

    first: int
    last: int
    header: str

    @classmethod
    def around(cls, numbers: Iterable[int], header: str) -> Self:
        """An axis that holds all of the numbers; there is at least one."""
        known = list(numbers)
        return cls(min(known), max(known), header)

    def place(self, at: int) -> float:
        """Where a number lies; in the middle where there is only one."""
        span = self.last - self.first
        return (at - self.first) / span if span else 0.5

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Multiples of a round step."""
        least = max((self.last - self.first) / (most - 1), 1.0)
        size = 10 ** math.floor(math.log10(least))
        step = next(size * one for one in (1, 2, 5, 10, 20) if size * one >= least)
        first = -(-self.first // step) * step
        found = range(first, self.last + 1, step)[:most]
        return [(self.place(number), f"{number:,}") for number in found]

    def caption(self) -> str:
        """Its ends in words."""
        return f"{self.header} {self.first:,} to {self.last:,}"

    def say(self, at: int) -> str:
        """The number."""
        return f"{at:,}"


def axis_around(places: Iterable[Any], counts: str) -> Axis:
    """The axis that holds all places, of which there is at least one.

    Args:
        places: times or numbers.
        counts: what the numbers count; empty for times.
    """
    return CountAxis.around(places, counts) if counts else TimeAxis.around(places)
