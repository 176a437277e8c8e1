"""A real drifting stream, whole, by real judging and training runs on the in-memory store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.wrong_labels import FIRST, follow

pytestmark = pytest.mark.stream


def test_the_progressive_score_of_bike_is_that_of_plain_scikit_learn(bike: list[Path]) -> None:
    """Each file predicted before it was learned, gate on; 35.0 by the data's README, within 3 %."""
    score, outcomes, _ = follow(
        "bike", bike, window=26, wrong=[], promotion={}, first=FIRST["bike"]
    )
    print(f"bike, window of 26: mae {score.metrics()['mae']:.2f}, {outcomes}")
    assert sum(outcomes.values()) == len(bike)
    assert outcomes["promoted"] > 60
    assert score.metrics()["mae"] <= 35.0 * 1.03
