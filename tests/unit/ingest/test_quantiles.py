"""Distributions in a few points: what is lost when they are mixed, and how far they are apart."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.domain.judging.quantiles import Distribution, by_chance, distance, mixed

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


def of(values: list[float], points: int = 17) -> Distribution:
    """As statistics describe a column."""
    ordered, last = sorted(values), len(values) - 1
    quantiles = [ordered[round(n * last / (points - 1))] for n in range(points)]
    return Distribution.of_quantiles(len(values), quantiles)


def exact(one: list[float], other: list[float]) -> float:
    """The two-sample statistic, by its definition."""
    return max(
        abs(sum(x <= v for x in one) / len(one) - sum(x <= v for x in other) / len(other))
        for v in {*one, *other}
    )


@given(numbers, numbers)
def test_a_distance_is_one(one: list[float], other: list[float]) -> None:
    a, b = of(one), of(other)

    assert distance(a, a) == 0
    assert 0 <= distance(a, b) == distance(b, a) <= 1


@given(numbers, numbers)
def test_a_mixture_lies_between_its_parts(one: list[float], other: list[float]) -> None:
    a, b = of(one), of(other)

    both = mixed(a, b)

    assert both.rows == a.rows + b.rows
    assert list(both.values) == sorted({*both.values})
    assert (both.values[0], both.values[-1]) == (min(one + other), max(one + other))
    shares = [share for pair in zip(both.below, both.through, strict=True) for share in pair]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, pytest.approx(1))
    assert distance(a, both) == pytest.approx(distance(a, b) * b.rows / both.rows, abs=0.07)


def test_it_is_near_the_statistic_of_all_values() -> None:
    chance = random.Random(5)
    for shift in (0.0, 0.3, 1.0, 3.0):
        one = [chance.gauss(0, 1) for _ in range(300)]
        other = [chance.gauss(shift, 1) for _ in range(200)]
        assert distance(of(one), of(other)) == pytest.approx(exact(one, other), abs=0.07)


def test_many_small_parts_make_up_the_whole() -> None:
    """History follows a slow change however long it is, and keeps frequent values as they are."""
    chance = random.Random(7)
    everything: list[float] = []
    whole: Distribution | None = None
    for part in range(200):
        values = [0.0 if chance.random() < 0.5 else chance.gauss(part / 20, 1) for _ in range(50)]
        everything += values
        new = of(values)
        whole = new if whole is None else mixed(whole, new)

    assert whole is not None
    assert distance(whole, of(everything, points=129)) < 0.05
    assert whole.at(0)[1] - whole.at(0)[0] == pytest.approx(0.5, abs=0.03)
    assert len(whole.values) < 60


def test_values_that_all_are_the_same() -> None:
    same, other = of([3.0] * 5), of([4.0])

    assert distance(same, of([3.0])) == 0
    assert distance(same, other) == 1
    assert mixed(same, same).values == (3.0,)
    assert distance(of([1.0, 2.0, 3.0]).scaled(100), of([100.0, 200.0, 300.0])) == 0


def test_small_samples_differ_more_by_chance() -> None:
    chance = random.Random(3)
    beyond = sum(
        exact([chance.random() for _ in range(30)], [chance.random() for _ in range(60)])
        > by_chance(30, 60)
        for _ in range(300)
    )

    assert beyond <= 9  # of 300, three are expected
