"""What is known of two years of bike rentals is found in the statistics of their weekly files."""

from __future__ import annotations

import polars as pl
import pytest

DEFINITION = """
name: bike
task: regression
columns:
  event_time: {type: timestamp, role: event_time}
  season: {type: integer}
  mnth: {type: integer}
  hr: {type: integer}
  holiday: {type: integer}
  weekday: {type: integer}
  workingday: {type: integer}
  weathersit: {type: integer}
  temp: {type: number}
  atemp: {type: number}
  hum: {type: number}
  windspeed: {type: number}
  cnt: {type: integer, role: label}
"""
HURRICANE = "bike/bike_0097_2012-10-29.csv"
"""Sandy reached Washington on 29 October 2012; for a day and a half nobody rented a bike."""


@pytest.fixture(scope="module")
def story(bike, worlds):
    """Every change that the looks told of, with the file that had come last."""
    world = worlds(DEFINITION)
    told = []
    for path in bike:
        world.wait(days=7)
        world.drop(pl.read_csv(path).drop("event_time"), name=path.name)
        world.wait(seconds=10)
        world.run(seconds=5)
        world.wait(minutes=5)
        before = len(world.told)
        world.look()
        told += [(path.name[10:20], change) for _, change in world.told[before:]]
    return told


def test_the_week_of_the_hurricane_is_a_jump_with_its_numbers(story):
    [rows] = [
        change.finding
        for week, change in story
        if (week, change.what, change.finding.kind) == ("2012-10-29", "opened", "jump")
        and change.finding.subject == "number of rows"
    ]
    print(rows.summary)
    assert rows.evidence["file"] == HURRICANE
    assert (rows.evidence["rows"], rows.evidence["usual"]) == (132, 168.0)
    assert "perennial recall bike" in rows.advice


def test_the_hurricane_is_news_for_three_weeks(story):
    over = [
        week
        for week, change in story
        if change.what == "closed" and change.finding.evidence.get("file") == HURRICANE
    ]
    assert set(over) == {"2012-11-19"}


def test_the_growth_from_one_year_to_the_next_is_label_drift_from_spring_to_autumn(story):
    of_label = [
        (week, change)
        for week, change in story
        if change.finding.kind == "label_drift" and week > "2012"
    ]
    for week, change in of_label:
        print(week, change.what, change.finding.summary)
    opened, *worse, closed = of_label
    assert (opened[1].what, closed[1].what) == ("opened", "closed")
    assert "2012-03" <= opened[0] <= "2012-04-30"
    assert {change.what for _, change in worse} == {"worsened"}
    assert closed[0] > "2012-09"
    evidence = worse[0][1].finding.evidence
    assert evidence["quartiles_now"][1] > 1.6 * evidence["quartiles_before"][1]


def test_what_wanders_by_nature_is_told_but_alarms_nobody(story):
    """Seasons and weather are information; warnings are few: about one a month."""
    opened = [change.finding for _, change in story if change.what == "opened"]
    warnings = [one for one in opened if one.severity != "info"]
    kinds = sorted({one.kind for one in opened})
    print(f"{len(opened)} findings in 106 weeks, {len(warnings)} of them warnings: {kinds}")
    assert kinds == ["jump", "label_drift", "training_drift"]
    assert {one.severity for one in opened if one.kind == "training_drift"} == {"info"}
    assert len(warnings) <= 24
