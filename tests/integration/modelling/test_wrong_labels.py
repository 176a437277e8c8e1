"""Two real files with the labels of other rows are set aside, or found out by a good one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.bench.wrong_labels import follow

FILES = slice(44, 64)  # of bike, 20 weeks; the wrong ones are the stream's files 61 and 62
WRONG = [17, 18]
NAMES = ("bike/bike_0061_2012-02-20.csv", "bike/bike_0062_2012-02-27.csv")


@pytest.fixture(scope="module")
def weeks(bike: list[Path]) -> list[Path]:
    return bike[FILES]


def followed(weeks: list[Path], **promotion):
    score, outcomes, alerts = follow(
        "bike", weeks, window=26, wrong=WRONG, promotion=promotion, first=12
    )
    by_kind = Counter(alert.kind for _, alert in alerts)
    print(f"bike, {promotion}: mae {score.metrics()['mae']:.2f}, {outcomes}, {dict(by_kind)}")
    return score.metrics()["mae"], [one for one in alerts if set(one[1].files) & set(NAMES)]


@pytest.fixture(scope="module")
def alerted(weeks: list[Path]):
    """Where nothing surprises, and probation alerts."""
    return followed(weeks, surprise=None)


def test_by_default_both_are_set_aside_and_nothing_learns_from_them(weeks, alerted):
    loss, alerts = followed(weeks)
    assert [(file, one.kind, one.files) for file, one in alerts] == [
        (WRONG[0], "suspect", NAMES[:1]),
        (WRONG[1], "suspect", NAMES[1:]),
    ]
    assert loss < 0.7 * alerted[0]


def test_an_alert_names_the_last_clean_champion_and_the_files_after_the_first_good_file(alerted):
    _, alerts = alerted
    file, first = alerts[0]
    assert (file, first.kind) == (WRONG[1] + 1, "probation")
    assert first.version == "v000016"  # made by the file before the first wrong one
    assert first.files == NAMES


def test_with_an_automatic_return_the_damage_ends_with_the_first_good_file(weeks, alerted):
    loss, alerts = followed(weeks, surprise=None, probation="return")
    file, back = next((file, one) for file, one in alerts if one.kind == "returned")
    assert (file, back.version, back.files) == (WRONG[1] + 1, "v000016", NAMES)
    assert loss < 0.9 * alerted[0]
