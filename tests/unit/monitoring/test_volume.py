"""What moves rows and predictions alike is no loop; rows that follow predictions are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import pytest

from perennial.domain.monitoring.feedback import Pair
from perennial.domain.monitoring.settings import Monitoring
from perennial.domain.monitoring.volume_loop import arrival_loop, volume_loop
from perennial.domain.monitoring.volumes import MOST_FILES, Came, Said, Volume, volumes

START = datetime(2026, 1, 5, tzinfo=UTC)
FILES = 200
LIMIT = Monitoring().volume


def history(rows, mean, asked=None, *, days: float = 1.0) -> list[Volume]:
    asked = np.full(len(rows), 50) if asked is None else asked
    return [
        Volume("", f"{place}", START + timedelta(days=days * place), int(r), int(a), float(m))
        for place, (r, m, a) in enumerate(zip(rows, mean, asked, strict=True))
    ]


def found_after(known: list[Volume], *, every: int = 1) -> int | None:
    """Files until it is found, looked at after every so many; None for never."""
    for seen in range(1, len(known) + 1, every):
        symptoms = volume_loop("p", known[max(0, seen - MOST_FILES) : seen], LIMIT, "f")
        if any(one.strength >= 1 for one in symptoms):
            return seen
    return None


def autoregressive(chance: np.random.Generator, much: float) -> np.ndarray:
    course = np.zeros(FILES)
    for place, step in enumerate(chance.normal(size=FILES - 1), start=1):
        course[place] = much * course[place - 1] + step
    return course


def harmless(kind: str, chance: np.random.Generator) -> list[Volume]:
    noise = chance.normal(size=FILES)
    again = chance.normal(size=FILES)
    match kind:
        case "nothing in common":
            return history(chance.integers(60, 160, FILES), noise)
        case "both wander":
            walk = autoregressive(chance, 0.9)
            return history(1000 * np.exp(0.2 * walk), autoregressive(chance, 0.9))
        case "busy Saturdays":
            days = np.array([0, 0, 0.2, 0.3, 0.5, 1.5, 1.2])[np.arange(FILES) % 7]
            return history(1000 * np.exp(days + 0.15 * noise), 0.1 * days + 0.02 * again)
        case "busy evenings":
            turns = 1 - np.cos(2 * np.pi * np.arange(FILES) / 3)  # three files a day
            return history(
                1000 * np.exp(turns + 0.15 * noise), 0.1 * turns + 0.02 * again, days=1 / 3
            )
        case "seasons":
            year = np.sin(2 * np.pi * np.arange(FILES) / 52)
            return history(1000 * np.exp(0.5 * year + 0.1 * noise), year + 0.1 * again, days=7)
        case "as many as were asked about":
            rows = 1000 * np.exp(0.3 * noise)
            return history(rows, 0.1 * np.log(rows) + 0.03 * again, rows)
        case _:
            raise ValueError(kind)


@pytest.mark.parametrize(
    "kind",
    ["nothing in common", "both wander", "busy Saturdays", "busy evenings", "seasons",
     "as many as were asked about"],
)  # fmt: skip
def test_what_moves_both_is_no_loop(kind, capsys):
    false = sum(
        found_after(harmless(kind, np.random.default_rng(seed)), every=4) is not None
        for seed in range(15)
    )
    with capsys.disabled():
        print(f"\n{kind}: {false} false alarms in 15 x {FILES} files")
    assert false == 0


@pytest.mark.parametrize("steers", [4.0, -4.0])
def test_rows_that_follow_predictions_are_found_in_time(steers, capsys):
    took = []
    for seed in range(10):
        chance = np.random.default_rng(seed)
        said = chance.normal(0.5, 0.05, FILES)
        rows = 1000 * np.exp(steers * (said - 0.5) + 0.1 * chance.normal(size=FILES))
        took.append(found_after(history(rows, said)))
    with capsys.disabled():
        print(f"\na source that follows: found after {sorted(map(str, took))} files")
    assert all(after is not None and after <= 60 for after in took)


def test_a_limit_of_null_looks_for_nothing():
    said = np.random.default_rng(1).normal(size=FILES)
    assert [*volume_loop("p", history(1000 + 100 * said, said)[-MOST_FILES:], LIMIT, "f")]
    assert not [*volume_loop("p", history(1000 + 100 * said, said)[-MOST_FILES:], None, "f")]


def test_a_source_that_always_brings_as_many_follows_nothing():
    said = np.random.default_rng(1).normal(size=MOST_FILES)
    assert not [*volume_loop("p", history(np.full(MOST_FILES, 168), said), LIMIT, "f")]
    assert not [*volume_loop("p", history(1000 + 100 * said, np.ones(MOST_FILES)), LIMIT, "f")]


# --- the history -----------------------------------------------------------------------------


NUMBERS = count()


def came(hours: float, rows: int = 10, prefix: str = "") -> Came:
    return Came(f"f{next(NUMBERS)}", prefix, START + timedelta(hours=hours), rows)


def said(hours: float, value: float, times: int = 20) -> list[Said]:
    return [Said(START + timedelta(hours=hours), value)] * times


def test_a_file_stands_beside_what_was_said_since_the_one_before_it():
    files = [came(0), came(24, 30), came(48, 40)]
    [first, second] = volumes((), files, [*said(1, 0.2), *said(25, 0.6), *said(49, 9.0)], START)
    assert (first.rows, first.asked, first.mean) == (30, 20, 0.2)
    assert (second.rows, second.asked, second.mean) == (40, 20, 0.6)


def test_files_of_one_burst_are_one():
    files = [came(0), came(24, 30), came(24.5, 5), came(25.4, 5), came(48, 7)]
    known = volumes((), files, [*said(1, 0.2), *said(26, 0.5)], START)
    assert [one.rows for one in known] == [40, 7]


def test_each_source_has_a_past_of_its_own():
    files = [came(0, prefix="n/"), came(0, prefix="s/"), came(24, 3, "n/"), came(36, 4, "s/")]
    known = volumes((), files, [*said(1, 0.2), *said(30, 0.6)], START)
    assert [(one.prefix, one.rows, one.asked) for one in known] == [("n/", 3, 20), ("s/", 4, 40)]
    assert [round(one.mean, 6) for one in known] == [0.2, 0.4]


def test_few_predictions_say_nothing():
    assert volumes((), [came(0), came(24)], said(1, 0.2, times=19), START) == ()


def test_a_time_that_the_log_does_not_cover_whole_says_nothing():
    files = [came(0), came(24), came(48, 5)]
    known = volumes((), files, [*said(23, 1.0), *said(30, 0.5)], START + timedelta(hours=20))
    assert [(one.rows, one.mean) for one in known] == [(5, 0.5)]


def test_lines_that_came_late_count_at_the_next_look_and_old_files_are_forgotten():
    files = [came(24 * day) for day in range(MOST_FILES + 9)]
    spoken = [one for day in range(MOST_FILES + 9) for one in said(24 * day + 1, day)]
    known = volumes((), files[:3], spoken[:30], START)
    assert [one.asked for one in known] == [20]
    known = volumes(known, files[:3], [*spoken, *said(2, 1.0)], START)
    assert [one.asked for one in known] == [40, 20]
    known = volumes(known, files, spoken, START)
    assert [one.stem for one in known] == [one.stem for one in files[-MOST_FILES:]]


# --- by row, with a holdout ------------------------------------------------------------------


def asked_about(seed: int, *, steers: float, chooses: float, rows: int = 1500) -> list[Pair]:
    """Which rows come: more often with a high prediction, by nature and by what is made of it."""
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(rows):
        value, held = chance.random(), chance.random() < 0.2
        share = 0.5 + (value - 0.5) * (chooses + (0 if held else steers))
        found.append(Pair(value, float(chance.random() < share), 0.0, held))
    return found


def test_rows_that_come_by_themselves_more_often_are_no_loop():
    for seed in range(100):
        assert not [*arrival_loop("p", asked_about(seed, steers=0.0, chooses=0.6), "f")]


def test_rows_that_come_only_where_the_model_lets_them_are_one():
    for seed in range(10):
        [symptom] = arrival_loop("p", asked_about(seed, steers=0.9, chooses=0.0), "f")
        assert symptom.strength >= 1
        assert symptom.evidence["used_correlation"] > symptom.evidence["holdout_correlation"]


def test_without_enough_held_out_rows_there_is_nothing_to_compare():
    pairs = [one for one in asked_about(1, steers=0.9, chooses=0.0) if not one.holdout]
    assert not [*arrival_loop("p", pairs, "f")]


def test_all_rows_that_come_of_the_held_out_ones_are_the_other_side():
    """Where nobody acts every row comes, so that nothing correlates there."""
    pairs = [
        one if not one.holdout else Pair(one.prediction, 1.0, 0.0, True)
        for one in asked_about(1, steers=0.9, chooses=0.0)
    ]
    [symptom] = arrival_loop("p", pairs, "f")
    assert symptom.evidence["holdout_correlation"] == 0
