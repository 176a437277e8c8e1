"""A time's parts are those that a calendar shows."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from perennial.domain.modelling.calendar import CalendarParts
from perennial.domain.modelling.inputs import MISSING_TIME


def parts(*times: datetime) -> list[list[float]]:
    seconds = np.array([[int(t.timestamp())] for t in times], dtype=np.int64)
    return CalendarParts().fit(seconds).transform(seconds).tolist()


def test_hour_weekday_from_monday_and_month_in_utc() -> None:
    friday = datetime(2025, 2, 14, 23, 59, 59, tzinfo=UTC)
    assert parts(friday) == [[23, 4, 2]]


def test_times_before_1970_have_their_own_parts() -> None:
    assert parts(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)) == [[23, 2, 12]]


def test_a_missing_time_has_missing_parts() -> None:
    seconds = np.array([[MISSING_TIME]])
    assert np.isnan(CalendarParts().fit(seconds).transform(seconds)).all()


def test_several_times_lie_side_by_side_as_float32() -> None:
    seconds = np.array([[0, 86_400 * 31], [3_600, MISSING_TIME]], dtype=np.int64)
    found = CalendarParts().fit(seconds).transform(seconds)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [[0, 3, 1, 0, 6, 2], [1, 3, 1, np.nan, np.nan, np.nan]])
