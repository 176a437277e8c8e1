"""Columns that float32 cannot tell apart are refused, and only those."""

from __future__ import annotations

import numpy as np
import pytest

from perennial.domain.modelling.precision import check_precision
from perennial.domain.versioning.manifest import Input, InputType
from perennial.errors import NotTrainable

DAY = np.arange(0, 86_400, 60)


def check(type_: InputType, values: object) -> None:
    column = np.asarray(values, dtype=np.float64)
    check_precision([Input("when", "x0", type_)], {"when": column})


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("integer", 1_300_000_000 + 3_600 * np.arange(1000)),  # hourly epoch seconds
        ("integer", 9_007_199_254_740_000 + np.arange(1000)),  # long ids
        ("number", 1_300_000_000 + DAY / 7),  # a day of epoch seconds with fractions
    ],
)
def test_epoch_seconds_and_long_ids_are_refused_by_name(type_: InputType, values: object) -> None:
    with pytest.raises(NotTrainable, match=r"column when .* type timestamp"):
        check(type_, values)


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("integer", [1, 2, 2**24, np.nan]),
        ("integer", [*range(1000), 16_777_217]),  # one of many is rounded: no harm
        ("integer", [10**9, 2 * 10**9, 3 * 10**9]),  # round numbers are exact
        ("number", np.random.default_rng(0).normal(1e9, 1e8, 1000)),
        ("number", [0.1, 0.2, np.inf, np.nan]),
        ("number", [np.nan, np.nan]),
        ("number", []),
        ("category", []),
    ],
)
def test_columns_that_survive_rounding_pass(type_: InputType, values: object) -> None:
    check(type_, values)
