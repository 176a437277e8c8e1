"""A good model is no feedback loop; labels that echo it are."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from perennial.domain.monitoring.feedback import Pair, Whole, feedback_loop
from perennial.domain.monitoring.pairs import pairs
from perennial.domain.monitoring.requests import Answer
from perennial.domain.monitoring.sampled import describe_predictions
from perennial.domain.versioning.manifest import Manifest

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def manifest(task: str, classes: tuple = ()) -> Manifest:
    return Manifest(
        "p", "v000001", task, "y", classes, (), "", {}, "r", None, "", 1, NOW, NOW, 0
    )  # fmt: skip


def drawn(seed: int, rows: int, *, echo: float, holdout: float) -> list[Pair]:
    """Labels that are the prediction and noise; where it was used, less noise by `echo`."""
    chance, found = random.Random(seed), []
    for _ in range(rows):
        held = chance.random() < holdout
        said = chance.gauss(0, 1)
        came = said + chance.gauss(0, 1) * (1 if held else 1 - echo)
        found.append(Pair(said, came, abs(came - said), held))
    return found


def whole(seed: int, exposed: list[Pair], others: int) -> Whole:
    """The exposed rows, and as many others whose labels nobody influenced."""
    chance = random.Random(f"{seed} others")
    losses = [abs(chance.gauss(0, 1)) for _ in range(others)]
    blocks = [sum(losses[n : n + 20]) / 20 for n in range(0, others - 19, 20)]
    total = sum(losses) + sum(pair.loss for pair in exposed)
    return Whole(len(exposed) + others, total, blocks)


@pytest.mark.parametrize("holdout", [0.2, 0.0])
def test_a_good_model_is_no_loop(holdout):
    false = 0
    for seed in range(200):
        found = drawn(seed, 500, echo=0.0, holdout=holdout)
        false += bool([*feedback_loop("p", found, whole(seed, found, 500), "f")])
    print(f"holdout {holdout}: {false} false alarms in 200 looks")
    assert false == 0


@pytest.mark.parametrize(("holdout", "says"), [(0.2, "held out"), (0.0, "monitoring.holdout")])
def test_labels_that_echo_predictions_are_one(holdout, says):
    for seed in range(20):
        found = drawn(seed, 800, echo=0.6, holdout=holdout)
        [symptom] = feedback_loop("p", found, whole(seed, found, 500), "f")
        assert symptom.strength >= 1
        assert says in symptom.summary + symptom.advice


def test_few_rows_tell_nothing():
    found = drawn(1, 40, echo=1.0, holdout=0.2)
    assert not [*feedback_loop("p", found, whole(1, found, 500), "f")]


def answered(prediction: object) -> dict:
    return {("a",): Answer(prediction, "v000001", holdout=False, at=NOW)}


@pytest.mark.parametrize(
    ("version", "prediction", "label", "expected"),
    [
        (manifest("regression"), 3.0, 5, (3.0, 5.0, 2.0)),
        (
            manifest("binary", (0, 1)),
            {"label": 1, "probabilities": {"0": 0.25, "1": 0.75}}, 1, (0.75, 1.0, 0.0625),
        ),
        (
            manifest("multiclass", ("x", "y", "z")),
            {"label": "y", "probabilities": {"x": 0.2, "y": 0.5, "z": 0.3}}, "z",
            (0.5, 0.0, 0.78),
        ),
    ],
)  # fmt: skip
def test_predictions_and_labels_are_paired_by_key(version, prediction, label, expected):
    metric = "mae" if version.task == "regression" else "brier"
    rows = [(("a",), label), (("b",), label), (("a",), None)]
    [pair] = pairs(rows, answered(prediction), version, metric)
    assert (pair.prediction, pair.label, pair.loss) == pytest.approx(expected)


@pytest.mark.parametrize("odd", [None, "7 apples", {"label": 1}, {"probabilities": {"0": 1}}, [1]])
def test_what_cannot_be_a_prediction_pairs_with_nothing(odd):
    for version in (manifest("regression"), manifest("binary", (0, 1))):
        assert (
            pairs([(("a",), 1)], answered(odd), version, "mae" if not version.classes else "brier")
            == []
        )
        assert describe_predictions([odd], version)["count"] == 0


def test_predictions_are_described_as_columns_are():
    classes = manifest("multiclass", ("x", "y", "z"))
    said = [{"label": "x"}, {"label": "x"}, {"label": "z"}]
    assert describe_predictions(said, classes)["top"] == {"x": 2, "z": 1}
    assert describe_predictions([1.0, 2.0, None], manifest("regression"))["nulls"] == 1
