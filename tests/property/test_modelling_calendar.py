"""Hours, weekdays and months are the calendar's, in Python and in the graph, for any date."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import Int64TensorType

from perennial.adapters import onnx_converters
from perennial.domain.modelling.calendar import CalendarParts
from perennial.domain.modelling.inputs import MISSING_TIME, encode
from perennial.domain.versioning.manifest import Input

TIMES = st.datetimes(timezones=st.just(UTC))
INPUT = Input("time", "x0", "timestamp", nullable=True)


@pytest.fixture(scope="module")
def graph() -> onnxruntime.InferenceSession:
    """The calendar alone, as a graph."""
    onnx_converters.register()
    parts = CalendarParts().fit(np.zeros((1, 1), dtype=np.int64))
    proto = convert_sklearn(
        parts, initial_types=[("x0", Int64TensorType([None, 1]))], target_opset={"": 20}
    )
    return onnxruntime.InferenceSession(proto.SerializeToString())


@given(times=st.lists(TIMES | st.none(), min_size=1))
def test_parts_are_those_of_datetime(
    graph: onnxruntime.InferenceSession, times: list[datetime | None]
) -> None:
    expected = [
        [np.nan] * 3 if time is None else [time.hour, time.weekday(), time.month] for time in times
    ]
    tensors = encode([INPUT], {"time": times})
    ours = CalendarParts().fit(tensors["x0"]).transform(tensors["x0"])
    np.testing.assert_array_equal(ours, expected)
    np.testing.assert_array_equal(graph.run(None, tensors)[0], expected)


def test_every_day_of_two_cycles_of_leap_years_agrees(graph: onnxruntime.InferenceSession) -> None:
    days = np.arange(-146_097, 146_097, dtype=np.int64).reshape(-1, 1) * 86_400
    days[0] = MISSING_TIME
    ours = CalendarParts().fit(days).transform(days)
    np.testing.assert_array_equal(graph.run(None, {"x0": days})[0], ours)
