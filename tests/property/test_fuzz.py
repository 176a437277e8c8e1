"""A short run of `make fuzz`, always with the same files."""

from __future__ import annotations

from pathlib import Path

from tests.corpus.fuzz import fuzz


def test_spoiled_weeks_of_bike_are_judged_soundly(bike: list[Path]) -> None:
    found = fuzz("bike", bike, cases=250, seed=1)

    assert found.total() - found["rows set aside"] == 250
    assert found["rows set aside"] > 10
    assert found["accepted"] > 20
    assert len(found) > 10


def test_spoiled_comments_are_judged_soundly(ytspam: list[Path]) -> None:
    found = fuzz("ytspam", ytspam, cases=250, seed=1)

    assert found.total() - found["rows set aside"] == 250
    assert found["rows set aside"] > 10
    assert found["accepted"] > 20
    assert len(found) > 10
