"""Faults that are let into a quiet stream: each is found in time, by its name, and nothing else is.

How long each may take is what the README declares.
"""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from perennial.domain.monitoring.report import Watch

from .conftest import answer

QUIET_FILES = 24
LOSS = 0.45


def day(world, visits, number: int, *, look: bool = True, **fault) -> Watch | None:
    """A file, the run that learns it, a hundred predictions, and a look."""
    chance = random.Random(number)
    world.wait(hours=22, minutes=chance.randint(0, 120))
    stem = world.drop(visits(f"day{number}", **fault.get("file", {})))
    world.wait(seconds=30)
    world.run(seconds=chance.uniform(15, 30))
    loss = fault.get("loss", LOSS) * chance.lognormvariate(0, 0.1)
    world.score(stem, loss)
    world.ask_about(visits(f"asked{number}", 120))
    world.wait(minutes=5)
    return world.look() if look else None


@pytest.fixture
def quiet(world, visits):
    """Twenty-four quiet days, with looks on the last ones."""
    for number in range(QUIET_FILES):
        day(world, visits, number, look=number >= QUIET_FILES - 6)
    assert world.opened() == []
    return world


def found_after(world, before) -> timedelta:
    return world.told[0][0] - before


def test_a_source_that_stops_is_down_after_twice_its_longest_silence(quiet):
    began = quiet.clock.now()
    while not quiet.told and quiet.clock.now() - began < timedelta(days=6):
        quiet.wait(hours=1)
        quiet.look()
    assert quiet.opened() == [("source_down", "")]
    took = found_after(quiet, began)
    print(f"source stops: found {took} after its last file, which came every {timedelta(hours=23)}")
    assert timedelta(hours=40) < took < timedelta(hours=52)


def test_a_source_that_comes_again_is_no_longer_down(quiet, visits):
    for _ in range(6):
        quiet.wait(hours=10)
        quiet.look()
    day(quiet, visits, 99)
    assert [(c.what, c.finding.kind) for _, c in quiet.told] == [
        ("opened", "source_down"), ("closed", "source_down"),
    ]  # fmt: skip


def test_another_unit_at_serving_only_is_skew_of_that_column_within_a_day(quiet, visits):
    began = quiet.clock.now()
    number = 100
    while quiet.clock.now() - began < timedelta(days=1):
        quiet.wait(hours=1)
        quiet.ask_about(visits(f"asked{number}", 10, scale=100))
        quiet.look()
        number += 1
    assert quiet.opened() == [("serving_skew", "amount")]
    took = found_after(quiet, began)
    print(f"cents for euros in requests: found after {took}")
    assert took <= timedelta(hours=24)
    [finding] = quiet.look().findings
    assert finding.evidence["quartiles_requests"][1] > 10 * finding.evidence["quartiles_learned"][1]


def test_a_category_that_vanishes_is_missed_after_two_files(quiet, visits):
    without = {"mail": 0.3, "shop": 0.4, "web": 0.2}
    for number in range(100, 104):
        day(quiet, visits, number, file={"channels": without})
        if quiet.told:
            break
    print(f"a category vanishes: found after {number - 99} files")
    assert number - 99 <= 4
    assert quiet.opened() == [("category_vanished", "channel")]
    assert "'radio'" in quiet.told[0][1].finding.summary


def test_a_category_that_vanished_is_missed_until_it_is_back(quiet, visits):
    without = {"mail": 0.3, "shop": 0.4, "web": 0.2}
    for number in range(100, 112):
        day(quiet, visits, number, file={"channels": without})
    assert [one.identity for one in quiet.look().findings] == [("category_vanished", "channel")]
    day(quiet, visits, 112)
    assert quiet.look().findings == ()
    assert quiet.opened() == [("category_vanished", "channel")]


def test_labels_that_flip_are_concept_drift_within_four_files(quiet, visits):
    for number in range(100, 104):
        day(quiet, visits, number, file={"flip": True}, loss=1.9)
        if quiet.told:
            break
    print(f"labels flip: found after {number - 99} files")
    assert quiet.opened() == [("concept_drift", "")]


def test_a_job_that_hangs_is_found_after_a_quarter_of_an_hour(quiet):
    run = quiet.claim(execution="job-7")
    began = quiet.clock.now()
    while not quiet.told and quiet.clock.now() - began < timedelta(hours=2):
        quiet.wait(minutes=1)
        quiet.look()
    took = found_after(quiet, began)
    print(f"a job hangs: found after {took}")
    assert quiet.opened() == [("job_hung", "")]
    assert took <= timedelta(minutes=16)
    assert quiet.look().findings[0].evidence["run"] == run


def test_a_feedback_loop_is_found_within_eight_files_of_labels_that_echo_it(world, visits):
    """A fifth of the requests is held out; from a day on buyers buy what the model says."""
    world.apply(world.text + "monitoring: {holdout: 0.2}\n")
    for number in range(QUIET_FILES):
        exposed_day(world, visits, number, echo=False, look=number > QUIET_FILES - 6)
    assert world.opened() == []
    for number in range(100, 108):
        exposed_day(world, visits, number, echo=True)
        if world.told:
            break
    print(f"a feedback loop: found after {number - 99} files")
    assert world.opened() == [("feedback_loop", "")]


def exposed_day(world, visits, number: int, *, echo: bool, look: bool = True) -> None:
    """Predictions for a day's rows, then the rows with their labels."""
    world.wait(hours=20)
    rows = visits(f"day{number}", 200)
    chance = random.Random(number)
    columns = ("id", "amount", "basket", "channel")
    for place in range(200):
        one = {name: rows[name][place] for name in columns}
        held = chance.random() < 0.2
        said = answer(one["amount"])
        world.ask([one], [said], holdout=held)
        if echo and not held:
            rows["bought"][place] = int(chance.random() < 0.02) ^ said["label"]
    world.wait(hours=4)
    stem = world.drop(rows)
    world.wait(seconds=30)
    world.run(seconds=20)
    world.score(stem, LOSS, rows=200)
    world.wait(minutes=5)
    if look:
        world.look()


def test_a_source_that_brings_what_was_predicted_is_a_loop_within_sixty_files(world, visits):
    """The more of a day's visitors are said to buy, the more rows one of two folders brings."""
    chance = random.Random(1)
    for number in range(1, 61):
        mood = chance.uniform(-0.1, 0.1)
        world.ask_about(visits(f"asked{number}", 60), shift=mood)
        steered = round(100 * (1 + 3 * mood + chance.gauss(0, 0.05)))
        for folder, rows in (("north", steered), ("south", chance.randint(70, 130))):
            world.wait(hours=12)
            stem = world.drop(visits(f"{folder}{number}", rows), name=f"{folder}/{number}.csv")
            world.wait(seconds=30)
            world.run(seconds=20)
            world.score(stem, LOSS, rows=rows)
        world.wait(minutes=5)
        world.look()
        if world.told:
            break
    print(f"a source that follows the model: found after {number} files")
    assert world.opened() == [("feedback_loop", "number of rows from north/")]


def test_rows_that_the_model_lets_through_are_a_loop_that_the_holdout_tells(world, visits):
    """Of whom it expects nothing no row comes, unless the answer was held out."""
    world.apply(world.text + "monitoring: {holdout: 0.2}\n")
    for number in range(8):
        rows = visits(f"day{number}", 200)
        chance, come = random.Random(number), []
        for place in range(200):
            one = {name: rows[name][place] for name in ("id", "amount", "basket", "channel")}
            held, said = chance.random() < 0.2, answer(one["amount"])
            world.ask([one], [said], holdout=held)
            if held or said["label"] or chance.random() < 0.1:
                come.append(place)
        world.wait(hours=24)
        stem = world.drop({name: [values[n] for n in come] for name, values in rows.items()})
        world.run()
        world.score(stem, LOSS, rows=len(come))
        world.look()
        if world.told:
            break
    print(f"rows that the model lets through: found after {number + 1} files")
    assert ("feedback_loop", "number of rows") in world.opened()
