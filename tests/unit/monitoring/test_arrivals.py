"""How often a source sends is learned from its gaps, and never from too few."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from perennial.domain.monitoring.arrivals import prefix_of, rhythm
from perennial.domain.monitoring.reliability import grade

START = datetime(2026, 1, 1, tzinfo=UTC)


def arrivals(*hours: float) -> list[datetime]:
    found = [START]
    for gap in hours:
        found.append(found[-1] + timedelta(hours=gap))
    return found


def late_after(*hours: float) -> float | None:
    found = rhythm(arrivals(*hours), None)
    return found and found.late_after / timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("shop/visits.csv", ""),
        ("shop/north/visits.csv", "north/"),
        ("shop/north/web/2026/03/01/visits.csv", "north/web/"),
        ("shop/dt=2026-03-01/visits.csv", ""),
        ("shop/north/week-11/visits.csv", "north/"),
    ],
)
def test_a_source_is_its_folders_without_those_that_are_dates(name, source):
    assert prefix_of("shop", name) == source


def test_a_regular_source_is_late_after_twice_its_gap():
    assert late_after(*[24] * 12) == 48


def test_weekends_are_part_of_a_rhythm():
    assert late_after(*[24, 24, 24, 24, 72] * 6) >= 2 * 72


def test_an_outage_that_was_does_not_make_a_source_slow():
    assert late_after(*[24] * 20, 24 * 20, *[24] * 10) == 48


def test_too_few_files_tell_nothing():
    assert late_after(*[24] * 5) is None


def test_a_folder_that_is_uploaded_in_one_go_has_no_rhythm():
    assert late_after(*[0.0001] * 50) is None


def test_what_is_declared_needs_no_files():
    found = rhythm(arrivals(), 24)
    assert found is not None
    assert found.late_after == timedelta(hours=48)


@pytest.mark.parametrize(
    ("what", "gap"),
    [
        ("about daily", lambda chance, _: 24 * chance.uniform(0.7, 1.3)),
        ("whenever", lambda chance, _: 24 * chance.expovariate(1)),
        ("bursts of ten", lambda _, number: 24 if number % 10 == 0 else 0.01),
    ],
)
def test_a_source_that_goes_on_as_ever_is_never_late(what, gap):
    """Twenty sources with two hundred files each."""
    false = 0
    for seed in range(20):
        chance = random.Random(seed)
        gaps = [gap(chance, number) for number in range(200)]
        for number in range(8, 200, 3):
            late = late_after(*gaps[:number])
            false += late is not None and gaps[number] > late
    print(f"{what}: {false} false alarms")
    assert false == 0


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ({"accepted": 4}, ""),
        ({"accepted": 50}, "A"),
        ({"accepted": 97, "quarantined": 3}, "B"),
        ({"accepted": 9, "quarantined": 1}, "C"),
        ({"accepted": 8, "repaired": 1, "discarded": 1}, "D"),
        ({"accepted": 3, "quarantined": 2}, "E"),
        ({"quarantined": 9, "accepted": 1}, "F"),
        ({"accepted": 20, "duplicate": 20, "suspect": 5}, "A"),
    ],
)
def test_a_grade_is_the_share_of_files_that_were_no_use_as_they_came(verdicts, expected):
    assert grade(verdicts) == expected
