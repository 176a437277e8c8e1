"""Distances are named, go from 0 to 1, and chance stays below what is said of it."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from perennial.domain.judging.quantiles import Distribution
from perennial.domain.judging.reference import distribution_of
from perennial.domain.monitoring.distances import (
    JENSEN_SHANNON,
    KOLMOGOROV_SMIRNOV,
    by_chance,
    distance,
    measure_of,
)
from perennial.domain.monitoring.sampled import of_numbers
from perennial.domain.monitoring.shares import at_least, beyond_chance


def numbers(values) -> Distribution:
    found = distribution_of(of_numbers([float(value) for value in values]))
    assert found is not None
    return found


def test_numbers_by_kolmogorov_smirnov_categories_by_jensen_shannon():
    assert measure_of(numbers(range(9))) == KOLMOGOROV_SMIRNOV
    assert measure_of({"a": 1}) == JENSEN_SHANNON
    assert distance(numbers(range(9)), {"a": 1}) is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"a": 1, "b": 1}, {"a": 40, "b": 40}, 0.0),
        ({"a": 1}, {"b": 1}, 1.0),
        ({"a": 1, "b": 1}, {"a": 1}, 0.5579),  # the root of .3113 bits
        ({"a": 90, "b": 10}, {"a": 80, "b": 20}, 0.1199),
    ],
)
def test_jensen_shannon_is_the_root_of_the_divergence_in_bits(one, other, expected):
    assert distance(one, other) == pytest.approx(expected, abs=1e-4)
    assert distance(other, one) == pytest.approx(expected, abs=1e-4)


def test_nothing_has_no_distance():
    assert distance({}, {"a": 1}) is None
    assert by_chance({}, {"a": 1}) == 1.0


@pytest.mark.parametrize("rows", [30, 100, 1000])
def test_samples_of_one_distribution_stay_within_chance(rows):
    """Three hundred pairs each of numbers and of categories, of which some are rare."""
    chance = random.Random(rows)
    weights = [40, 30, 20, 6, 3, 1]
    worst = {"numbers": 0.0, "categories": 0.0}
    for _ in range(300):
        drawn = [numbers(chance.gammavariate(2, 1) for _ in range(n)) for n in (rows, 2000)]
        counted = [Counter(chance.choices("abcdef", weights, k=n)) for n in (rows, 2000)]
        for kind, (one, other) in {"numbers": drawn, "categories": counted}.items():
            gap = distance(one, other)
            assert gap is not None
            worst[kind] = max(worst[kind], gap / by_chance(one, other))
    print(rows, worst)
    assert max(worst.values()) < 1


def test_a_share_counts_by_how_many_rows_speak_of_it():
    assert beyond_chance(0.5, 0.1, 4) < 1 < beyond_chance(0.5, 0.1, 100)
    assert beyond_chance(0.1, 0.1, 10_000) == 0
    assert beyond_chance(0.5, 0.1, 0) == 0


def test_few_files_speak_of_a_small_share_at_least():
    assert at_least(0, 10) == 0
    assert at_least(1, 5) < 0.1 < at_least(3, 5) < at_least(30, 50) < 0.6
