"""A distribution in a few numbers, which mix and can be compared.

Standard library only: the lists are far too short for anything faster to pay.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Self

_STEP = 1 / 32
"""What lies between two values that are kept is less than this share, or one jump."""

_CHANCE = 1.628
"""Kolmogorov's quantile: samples of one distribution differ by more once in a hundred times."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """How a column's numbers are distributed: their cumulative share, linear between some values.

    Attributes:
        rows: how many numbers it stands for; after weighting, of how many it has the weight.
        values: some of the numbers, in order: the least, the greatest, and some between.
        below: for each, the share of numbers that are less.
        through: for each, the share that are not greater; beyond `below` where it is frequent.
    """

    rows: float
    values: tuple[float, ...]
    below: tuple[float, ...]
    through: tuple[float, ...]

    @classmethod
    def of_quantiles(cls, rows: float, points: Sequence[float]) -> Self:
        """From quantiles at evenly spaced probabilities from 0 to 1.

        A value that stands there several times is frequent. Where exactly its share begins and
        ends, between two probabilities, is not known, and taken to be half way.
        """
        last = max(len(points) - 1, 1)
        values, below, through = [], [], []
        for value in sorted(set(points)):
            first = bisect_left(points, value)
            count = points.count(value)
            half = 0.5 if count > 1 else 0.0
            values.append(value)
            below.append(max(0.0, (first - half) / last) if first else 0.0)
            through.append(min(1.0, (first + count - 1 + half) / last))
        through[-1] = 1.0
        return cls(rows, tuple(values), tuple(below), tuple(through))

    def scaled(self, factor: float) -> Self:
        """That of the same numbers times a positive factor."""
        values = tuple(value * factor for value in self.values)
        return type(self)(self.rows, values, self.below, self.through)

    def weighing(self, rows: float) -> Self:
        """The same with another weight."""
        return type(self)(rows, self.values, self.below, self.through)

    def quantile(self, share: float) -> float:
        """The least value that is known to have so large a share not above it."""
        return self.values[min(bisect_left(self.through, share), len(self.values) - 1)]

    @property
    def spread(self) -> float:
        """How far the middle half of the numbers reaches."""
        return self.quantile(0.75) - self.quantile(0.25)

    def at(self, value: float) -> tuple[float, float]:
        """The share of numbers that are less than a value, and the share that are not greater."""
        place = bisect_left(self.values, value)
        if place == len(self.values):
            return 1.0, 1.0
        if self.values[place] == value:
            return self.below[place], self.through[place]
        if place == 0:
            return 0.0, 0.0
        low, high = self.values[place - 1], self.values[place]
        start, end = self.through[place - 1], self.below[place]
        share = start + (end - start) * (value - low) / (high - low)
        return share, share


def mixed(one: Distribution, other: Distribution) -> Distribution:
    """Both taken together, each by its rows."""
    rows = one.rows + other.rows
    share = one.rows / rows
    known = [
        (
            value,
            share * below + (1 - share) * other_below,
            share * through + (1 - share) * other_through,
        )
        for value, (below, through), (other_below, other_through) in _side_by_side(one, other)
    ]
    values, below, through = zip(*_few_of(known), strict=True)
    return Distribution(rows, values, below, through)


def distance(one: Distribution, other: Distribution) -> float:
    """Kolmogorov-Smirnov distance, from 0 to 1: the largest gap between the cumulative shares."""
    return max(
        max(abs(below - other_below), abs(through - other_through))
        for _, (below, through), (other_below, other_through) in _side_by_side(one, other)
    )


def by_chance(rows: float, other_rows: float) -> float:
    """The distance that samples of so many rows from one distribution rarely exceed."""
    return _CHANCE * sqrt(1 / rows + 1 / other_rows)


def _side_by_side(
    one: Distribution, other: Distribution
) -> Iterator[tuple[float, tuple[float, float], tuple[float, float]]]:
    for value in sorted({*one.values, *other.values}):
        yield value, one.at(value), other.at(value)


def _few_of(known: Sequence[tuple[float, float, float]]) -> Iterator[tuple[float, float, float]]:
    """The first, the last, what is frequent, and enough between them; each as exact as it was."""
    reached = 0.0
    for place, (value, below, through) in enumerate(known):
        ends = place in (0, len(known) - 1)
        if ends or through - below >= _STEP / 2 or through - reached >= _STEP:
            reached = through
            yield value, below, through
