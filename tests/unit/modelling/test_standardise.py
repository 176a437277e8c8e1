"""Numbers for linear models have no gaps, one scale and bounds."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from perennial.domain.modelling.standardise import BOUND, Standardise

NAN = np.nan


def fitted(*columns: list[float]) -> Standardise:
    return Standardise().fit(np.array(columns, dtype=np.float32).T)


def test_complete_columns_are_scaled_as_scikit_learn_scales_them() -> None:
    values = np.random.default_rng(0).normal(50, 7, size=(200, 3)).astype(np.float32)
    found = Standardise().fit(values).transform(values)
    np.testing.assert_allclose(found, StandardScaler().fit_transform(values), atol=1e-5)


def test_a_gap_becomes_the_median_and_raises_a_flag() -> None:
    scaler = fitted([1, 2, 9, NAN], [5, 6, 7, 8])
    given = np.array([[NAN, 5]], dtype=np.float32)
    median = np.array([[2, 5]], dtype=np.float32)
    np.testing.assert_array_equal(scaler.transform(given)[:, :2], scaler.transform(median)[:, :2])
    assert scaler.transform(given)[0, 2] == 1
    assert scaler.transform(median)[0, 2] == 0


def test_a_column_without_gaps_in_training_has_no_flag_and_still_takes_one() -> None:
    scaler = fitted([1, 2, 3])
    found = scaler.transform(np.array([[NAN]], dtype=np.float32))
    np.testing.assert_array_equal(found, [[0.0]])


@pytest.mark.parametrize("column", [[NAN] * 4, [3.0] * 4, [0.1, 0.1, 0.1, NAN]])
def test_a_constant_or_empty_column_says_nothing(column: list[float]) -> None:
    scaler = fitted(column)
    np.testing.assert_allclose(scaler.transform(np.array([[column[0]]]))[0, 0], 0, atol=1e-6)


def test_a_wild_value_is_cut() -> None:
    scaler = fitted([1, 2, 3])
    wild = np.array([[np.finfo(np.float32).max], [np.finfo(np.float32).min]])
    np.testing.assert_array_equal(scaler.transform(wild), [[BOUND], [-BOUND]])
