"""How far two samples lie apart, and how far apart chance alone would put them.

Numbers by Kolmogorov-Smirnov (the largest gap between the cumulative shares), categories by
Jensen-Shannon (the root of the divergence in bits): both go from 0, the same, to 1, nothing in
common. A small sample is far from anything, so that a distance only says something beyond what
samples of one distribution reach once in ten million times.

Sources: Kolmogorov's limit distribution; for Jensen-Shannon, whose divergence between samples of n
and m rows of one distribution over k categories is about chi-squared with k - 1 degrees of
freedom times (1/n + 1/m) / 8 nats: J. Lin, "Divergence measures based on the Shannon entropy",
IEEE Transactions on Information Theory 37(1), 1991. The quantile of chi-squared is that of Wilson
and Hilferty, 1931.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log, log2, sqrt

from perennial.domain.judging.quantiles import Distribution
from perennial.domain.judging.quantiles import distance as kolmogorov_smirnov

KOLMOGOROV_SMIRNOV = "Kolmogorov-Smirnov"
JENSEN_SHANNON = "Jensen-Shannon"

Values = Distribution | Mapping[str, float]
"""What a column holds: a distribution of numbers, or the count of each category."""

_ONCE_IN = 1e7
_KOLMOGOROV = sqrt(log(2 * _ONCE_IN) / 2)
_NORMAL = 5.2  # of standard normal values, one in ten million lies above

_SKETCHED = 1 / 16
"""What lies between two of the quantiles that a verdict has, and is not known."""


def rows_of(values: Values) -> float:
    """How many values a sample has."""
    return values.rows if isinstance(values, Distribution) else sum(values.values())


def measure_of(values: Values) -> str:
    """Name of the distance that suits it."""
    return KOLMOGOROV_SMIRNOV if isinstance(values, Distribution) else JENSEN_SHANNON


def distance(one: Values, other: Values) -> float | None:
    """How far apart they are, from 0 to 1; None where they cannot be compared.

    >>> distance({"a": 5, "b": 5}, {"a": 50, "b": 50})
    0.0
    >>> distance({"a": 5}, {"b": 5})
    1.0
    """
    if isinstance(one, Distribution) and isinstance(other, Distribution):
        return kolmogorov_smirnov(one, other)
    if isinstance(one, Distribution) or isinstance(other, Distribution):
        return None  # the column had another type
    return jensen_shannon(one, other)


def jensen_shannon(one: Mapping[str, float], other: Mapping[str, float]) -> float | None:
    """The Jensen-Shannon distance between two samples of categories, by their counts."""
    rows, other_rows = sum(one.values()), sum(other.values())
    if not rows or not other_rows:
        return None
    divergence = 0.0
    for value in {*one, *other}:
        share, other_share = one.get(value, 0) / rows, other.get(value, 0) / other_rows
        middle = (share + other_share) / 2
        divergence += sum(p * log2(p / middle) / 2 for p in (share, other_share) if p)
    return sqrt(min(max(divergence, 0.0), 1.0))


def by_chance(one: Values, other: Values) -> float:
    """The distance beyond which chance alone hardly ever puts samples of such sizes."""
    rows, other_rows = rows_of(one), rows_of(other)
    if not rows or not other_rows:
        return 1.0
    size = 1 / rows + 1 / other_rows
    if isinstance(one, Distribution) or isinstance(other, Distribution):
        return min(1.0, _KOLMOGOROV * sqrt(size) + _SKETCHED / 2)
    freedom = max(len({*one, *other}) - 1, 1)
    return min(1.0, sqrt(size / 8 * _chi_squared(freedom) / log(2)))


def _chi_squared(freedom: int) -> float:
    """The value that so many squared normal values together exceed once in ten million times."""
    spread = 2 / (9 * freedom)
    return freedom * (1 - spread + _NORMAL * sqrt(spread)) ** 3
