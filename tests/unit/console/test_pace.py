"""One person may ask so often; time gives it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from perennial.console import pace
from perennial.console.pace import Pace
from perennial.errors import TooManyError


class SetClock:
    time = datetime(2026, 1, 5, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def test_after_a_while_one_may_ask_again_and_what_was_refused_does_not_count():
    clock = SetClock()
    asked = Pace(2, 60, clock)
    asked.take("bob")
    clock.sleep(40)
    asked.take("bob")
    for _ in range(5):
        with pytest.raises(TooManyError, match="ask again in 20"):
            asked.take("bob")
    clock.sleep(20)
    asked.take("bob")
    with pytest.raises(TooManyError, match="ask again in 40"):
        asked.take("bob")


def test_who_has_not_asked_for_long_is_forgotten_and_who_has_is_not(monkeypatch):
    monkeypatch.setattr(pace, "_MOST_CALLERS", 10)
    clock = SetClock()
    asked = Pace(1, 60, clock)
    for number in range(10):
        asked.take(f"{number}")
    clock.sleep(60)
    asked.take("bob")
    assert len(asked._asked) == 1
    with pytest.raises(TooManyError):
        asked.take("bob")
