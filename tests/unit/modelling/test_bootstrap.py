"""Resampled means spread as the mean of dependent values really does."""

from __future__ import annotations

import numpy as np
import pytest

from perennial.domain.evaluation.bootstrap import RESAMPLES, block_length, resampled_means


def test_the_same_seed_gives_the_same_means() -> None:
    values = np.random.default_rng(0).normal(size=100)
    np.testing.assert_array_equal(resampled_means(values, seed=3), resampled_means(values, seed=3))
    assert (resampled_means(values, seed=3) != resampled_means(values, seed=4)).any()


def test_of_independent_values_the_spread_is_the_standard_error() -> None:
    values = np.random.default_rng(0).normal(5, 2, size=1000)
    means = resampled_means(values, seed=0)
    assert means.shape == (RESAMPLES,)
    assert means.mean() == pytest.approx(values.mean(), abs=0.02)
    assert means.std() == pytest.approx(2 / 1000**0.5, rel=0.2)


def test_of_values_that_repeat_their_neighbours_it_is_wider() -> None:
    """Each value ten times in a row is a tenth of the evidence, so √10 times the spread."""
    values = np.random.default_rng(0).normal(size=100).repeat(10)
    naive = values.std() / len(values) ** 0.5
    assert resampled_means(values, seed=0).std() > 2 * naive


def test_every_value_is_drawn_equally_often() -> None:
    """A block that starts near the end goes on at the beginning."""
    for place in (0, 5, 9):
        values = np.zeros(10)
        values[place] = 1
        assert resampled_means(values, seed=1).mean() == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(("count", "length"), [(1, 1), (2, 1), (27, 3), (50, 4), (1000, 10)])
def test_blocks_grow_with_the_cube_root(count: int, length: int) -> None:
    assert block_length(count) == length
    assert resampled_means(np.ones(count), seed=0) == pytest.approx(1)
