"""Losses: for each row, and as sums that merge over files and workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.definitions.recipe import METRICS, Metric, Task
from perennial.domain.evaluation.separation import Separation
from perennial.domain.modelling.labels import UNKNOWN_CLASS, Classes, classes_of, codes_of

SMALLEST_PROBABILITY = 1e-15
"""What a class gets at least, also one that the model has never seen: its loss is 34.5."""

_NO_SPREAD = 1e-12  # of the labels' mean square: below it, their variance is a rounding error


@dataclass(frozen=True, slots=True)
class Score:
    """How well predictions did, as sums over rows: scores of disjoint rows add up.

    Attributes:
        rows: rows with a label that were predicted.
        sums: by name the sum over rows: of the losses of each metric; of `accuracy`, the right
            answers; of `mape`, the errors relative to the labels that are not zero, of which there
            are `mape_rows`; of `label` and `label_squared`, the labels.
        separation: of two classes, how their probabilities lie.
    """

    rows: int = 0
    sums: Mapping[str, float] = field(default_factory=dict)
    separation: Separation = field(default_factory=Separation)

    def __add__(self, other: Score) -> Score:
        """The score over both sets of rows."""
        names = [*self.sums, *(name for name in other.sums if name not in self.sums)]
        sums = {name: self.sums.get(name, 0.0) + other.sums.get(name, 0.0) for name in names}
        return Score(self.rows + other.rows, sums, self.separation + other.separation)

    def loss(self, metric: Metric) -> float | None:
        """One loss, as `metrics` has it, without working out the rest; None without rows."""
        if not self.rows or metric not in self.sums:
            return None
        mean = self.sums[metric] / self.rows
        return mean**0.5 if metric == "rmse" else mean

    def metrics(self) -> dict[str, float]:
        """Every quality that these rows can tell, by name; empty without rows.

        `mape` is over the rows whose label is not zero, `r2` is missing where all labels are
        equal, and the areas under curves where a class is.
        """
        if not self.rows:
            return {}
        means = {name: total / self.rows for name, total in self.sums.items()}
        squared, label = means.pop("label_squared", None), means.pop("label", 0.0)
        relative = self.sums.get("mape_rows", 0.0)
        means.pop("mape_rows", None)
        if "mape" in means:
            del means["mape"]
            if relative:
                means["mape"] = self.sums["mape"] / relative
        if "rmse" in means:
            spread = 0.0 if squared is None else squared - label**2
            if spread > _NO_SPREAD * (squared or 0.0):
                means["r2"] = 1 - means["rmse"] / spread
            means["rmse"] **= 0.5
        return means | self.separation.areas()


def score(
    task: Task, truth: ArrayLike, prediction: ArrayLike, classes: Sequence[object] = ()
) -> Score:
    """Score N predictions.

    Args:
        task: which metrics apply.
        truth: N labels.
        prediction: shape [N] for regression, probabilities [N, classes] otherwise.
        classes: what the columns of the probabilities mean.
    """
    labels, answers = np.asarray(truth), np.asarray(prediction, dtype=np.float64)
    sums: dict[str, float] = {
        metric: float(row_losses(metric, labels, answers, classes).sum())
        for metric in METRICS[task]
    }
    if not len(labels):
        return Score(0, sums)
    if task == "regression":
        return Score(len(labels), sums | _of_numbers(labels.astype(np.float64), answers))
    codes = codes_of(labels, classes)
    sums["accuracy"] = float((answers.argmax(axis=1) == codes).sum())
    if task != "binary" or answers.shape[1] != 2:
        return Score(len(labels), sums)
    known = codes != UNKNOWN_CLASS
    return Score(len(labels), sums, Separation.of(codes[known] == 1, answers[known, 1]))


def _of_numbers(labels: NDArray[np.float64], answers: NDArray[np.float64]) -> dict[str, float]:
    """What MAPE and R² are made of."""
    there = labels != 0
    return {
        "mape": float(np.abs((answers[there] - labels[there]) / labels[there]).sum()),
        "mape_rows": float(there.sum()),
        "label": float(labels.sum()),
        "label_squared": float(np.square(labels).sum()),
    }


def row_losses(
    metric: Metric, truth: ArrayLike, prediction: ArrayLike, classes: Sequence[object] = ()
) -> NDArray[np.float64]:
    """The loss of each row; a metric is their mean, `rmse` the root of it.

    Probabilities are made to add up to 1 and kept above `SMALLEST_PROBABILITY`. The Brier score is
    the sum of squares over the classes, halved where there are two, as is usual.

    Args:
        metric: which loss.
        truth: N labels.
        prediction: shape [N] for regression, probabilities [N, classes] otherwise.
        classes: what the columns of the probabilities mean.

    Returns:
        Shape [N].
    """
    answers = np.asarray(prediction, dtype=np.float64)
    if not len(answers):
        return np.empty(0)
    if metric in ("mae", "rmse"):
        errors: NDArray[np.float64] = np.abs(answers - np.asarray(truth, dtype=np.float64))
        return errors if metric == "mae" else np.square(errors)
    codes = codes_of(truth, classes)
    known = codes != UNKNOWN_CLASS
    probabilities = answers / np.maximum(answers.sum(axis=1, keepdims=True), SMALLEST_PROBABILITY)
    if metric == "log_loss":
        given = np.where(known, probabilities[np.arange(len(codes)), codes], 0.0)
        losses: NDArray[np.float64] = -np.log(np.clip(given, SMALLEST_PROBABILITY, 1.0))
        return losses
    hits = (codes[:, None] == np.arange(answers.shape[1])).astype(np.float64)
    # A label outside of the classes is one more of them, to which the model gave nothing.
    squares: NDArray[np.float64] = ((probabilities - hits) ** 2).sum(axis=1) + ~known
    return np.divide(squares, 2) if answers.shape[1] == 2 else squares


@dataclass(frozen=True, slots=True)
class Constant:
    """The rival of a first version: it has seen the labels and nothing else.

    Attributes:
        classes: empty for regression.
        answer: the frequency of each class; of a regression the median, or for `rmse` the mean.
    """

    classes: Classes
    answer: tuple[float, ...]

    @classmethod
    def fit(cls, definition: Definition, labels: ArrayLike) -> Self:
        """Learn the answer that is best without looking, from at least one label."""
        values = np.asarray(labels)
        classes = classes_of(definition, values.tolist())
        if not classes:
            best = np.median if definition.metric == "mae" else np.mean
            return cls((), (float(best(values.astype(np.float64))),))
        counts = np.bincount(codes_of(values, classes), minlength=len(classes))
        return cls(classes, tuple((counts / counts.sum()).tolist()))

    def predict(self, count: int) -> NDArray[np.float64]:
        """The same answer `count` times: shape [count], or [count, classes]."""
        answers = np.tile(np.array(self.answer), (count, 1))
        return answers if self.classes else answers[:, 0]
