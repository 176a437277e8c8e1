"""A measurement: score, blocks of time and slices of the same rows; and what floors make of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_percentage_error, r2_score

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.floors import check_floors
from perennial.domain.evaluation.measuring import MISSING, OTHERS, VALUES, measure, merged, sliced
from perennial.domain.evaluation.scoring import score

RNG = np.random.default_rng(1)


def definition(**promotion) -> Definition:
    return Definition.model_validate({
        "name": "shop",
        "task": "regression",
        "columns": {
            "at": {"type": "timestamp", "role": "event_time"},
            "room": {"type": "category", "nullable": True},
            "y": {"type": "number", "role": "label"},
        },
        "promotion": promotion,
    })  # fmt: skip


def rows(count: int = 100) -> pd.DataFrame:
    times = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(count), unit="h")
    rooms = np.where(np.arange(count) % 4 == 0, "small", "large")
    return pd.DataFrame({"at": times, "room": rooms, "y": RNG.normal(10, 3, count)})


def test_mape_and_r2_are_scikit_learns_and_merge():
    truth, guess = RNG.normal(5, 2, 300), RNG.normal(5, 2, 300)
    whole = score("regression", truth, guess).metrics()
    assert whole["r2"] == pytest.approx(r2_score(truth, guess))
    assert whole["mape"] == pytest.approx(mean_absolute_percentage_error(truth, guess))
    parts = score("regression", truth[:100], guess[:100]) + score(
        "regression", truth[100:], guess[100:]
    )
    assert parts.metrics() == pytest.approx(whole)


def test_labels_that_are_zero_do_not_make_mape_infinite_and_equal_labels_have_no_r2():
    metrics = score("regression", [0.0, 2.0], [1.0, 1.0]).metrics()
    assert metrics["mape"] == 0.5
    assert "r2" not in score("regression", [3.0, 3.0], [1.0, 2.0]).metrics()
    assert "mape" not in score("regression", [0.0], [1.0]).metrics()


def test_blocks_follow_the_time_and_add_up_to_the_score():
    frame = rows()
    answers = frame["y"].to_numpy() + np.arange(100)  # the error grows with time
    mixed = RNG.permutation(100)
    found = measure(definition(), frame.iloc[mixed], answers[mixed], ())
    assert len(found.blocks) == 24
    means = [block.loss / block.rows for block in found.blocks]
    assert means == sorted(means)
    assert sum(block.loss for block in found.blocks) == pytest.approx(found.score.sums["mae"])


def test_no_rows_give_an_empty_measurement():
    found = measure(definition(slices={"room": {}}), rows().iloc[:0], np.empty(0), ())
    assert (found.score.rows, found.blocks, found.slices) == (0, (), {"room": {}})


def test_slices_are_scores_of_their_rows_and_merge_by_value():
    frame = rows()
    wanted = definition(slices={"room": {}})
    whole = measure(wanted, frame, np.zeros(100), ()).slices["room"]
    assert {value: one.rows for value, one in whole.items()} == {"large": 75, "small": 25}
    parts = merged(
        measure(wanted, part, np.zeros(len(part)), ()).slices
        for part in (frame.iloc[:30], frame.iloc[30:])
    )
    assert parts["room"]["small"].metrics() == pytest.approx(whole["small"].metrics())


def test_rare_values_are_others_and_missing_ones_have_a_name():
    column = pd.Series([None, *(f"room {n}" for n in range(15) for _ in range(15 - n))])
    masks = sliced(column)
    assert len(masks) == VALUES + 1
    assert sum(mask.sum() for mask in masks.values()) == len(column)
    assert OTHERS in masks
    assert MISSING in sliced(pd.Series([None, "a"]))


def test_a_floor_asks_losses_at_most_and_gains_at_least():
    frame = rows()
    found = measure(definition(), frame, frame["y"] + 1.0, ())
    wanted = definition(floors={"mae": 0.9, "r2": 0.5, "rmse": 1.1})
    floors = {floor.quality: floor for floor in check_floors(wanted.promotion, found)}
    assert {quality: floor.passed for quality, floor in floors.items()} == {
        "mae": False, "r2": True, "rmse": True,
    }  # fmt: skip
    assert floors["mae"].sentence == "mae is 1 on 100 rows, and must be at most 0.9"


def test_floors_of_a_slice_count_where_it_has_the_rows():
    frame = rows()
    error = np.where(frame["room"] == "small", 5.0, 0.0)
    wanted = definition(slices={"room": {"floors": {"mae": 1.0}, "min_rows": 20}})
    found = measure(wanted, frame, frame["y"] + error, ())
    passed = {floor.slice: floor.passed for floor in check_floors(wanted.promotion, found)}
    assert passed == {"room = large": True, "room = small": False}
    few = measure(wanted, frame.iloc[:40], (frame["y"] + error).iloc[:40], ())
    small = next(f for f in check_floors(wanted.promotion, few) if f.slice == "room = small")
    assert small.passed is None
    assert small.sentence == "mae where room = small cannot be told on 10 rows"
