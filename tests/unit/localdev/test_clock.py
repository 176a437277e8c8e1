"""The clock that every part of the local cloud goes by."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from localdev.clock import Clock


def test_unscaled_it_tells_the_real_time() -> None:
    before = time.time_ns() // 1000
    micros = Clock().micros()
    assert before <= micros <= time.time_ns() // 1000
    assert abs(Clock().now() - datetime.now(UTC)) < timedelta(seconds=10)


def test_scaled_it_runs_from_its_origin() -> None:
    origin = time.time() - 50
    before = (time.time() - origin) * 100
    elapsed = Clock(scale=100, origin=origin).now().timestamp() - origin
    after = (time.time() - origin) * 100
    assert before - 0.01 <= elapsed <= after + 0.01


def test_without_an_origin_it_starts_at_the_real_time() -> None:
    before = time.time()
    clock = Clock(scale=3600)
    assert before <= clock.now().timestamp() <= before + (time.time() - before) * 3600 + 0.01


def test_processes_with_the_same_origin_agree() -> None:
    origin = time.time() - 10
    first, second = Clock(60, origin), Clock(60, origin)
    assert first.micros() <= second.micros() <= first.micros()


def test_now_and_micros_are_the_same_moment() -> None:
    clock = Clock(scale=1e-6, origin=1_700_000_000)  # as good as standing still
    moment = datetime.fromtimestamp(clock.micros() // 1_000_000, UTC)
    assert clock.now().replace(microsecond=0) == moment


def test_virtual_waits_are_shorter_in_reality() -> None:
    assert Clock(scale=60).real_seconds(90) == 1.5
    assert Clock().real_seconds(90) == 90


@pytest.mark.parametrize("scale", [0, -1])
def test_time_must_pass(scale: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        Clock(scale)
