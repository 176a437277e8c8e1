"""Losses: for each row, and as sums that merge over files and workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perennial.domain.definition import Definition
from perennial.domain.labels import UNKNOWN_CLASS, Classes, classes_of, codes_of
from perennial.domain.recipe import Metric, Task

SMALLEST_PROBABILITY = 1e-15
"""What a class gets at least, also one that the model has never seen: its loss is 34.5."""


@dataclass(frozen=True, slots=True)
class Score:
    """How well predictions did, as sums over rows: scores of disjoint rows add up.

    Attributes:
        rows: rows with a label that were predicted.
        sums: for each metric the sum of its row losses; of `accuracy`, the right answers.
    """

    rows: int = 0
    sums: Mapping[str, float] = field(default_factory=dict)

    def __add__(self, other: Score) -> Score:
        """The score over both sets of rows."""
        names = [*self.sums, *(name for name in other.sums if name not in self.sums)]
        sums = {name: self.sums.get(name, 0.0) + other.sums.get(name, 0.0) for name in names}
        return Score(self.rows + other.rows, sums)

    def metrics(self) -> dict[str, float]:
        """The mean of each metric, `rmse` as its root; empty without rows."""
        means = {name: total / self.rows for name, total in self.sums.items() if self.rows}
        if "rmse" in means:
            means["rmse"] **= 0.5
        return means


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
    labels = np.asarray(truth)
    metrics: tuple[Metric, ...] = ("mae", "rmse") if task == "regression" else ("log_loss", "brier")
    sums: dict[str, float] = {}
    for metric in metrics:
        sums[metric] = float(row_losses(metric, labels, prediction, classes).sum())
    if task != "regression" and len(labels):
        guesses = np.asarray(prediction).argmax(axis=1)
        sums["accuracy"] = float((guesses == codes_of(labels, classes)).sum())
    return Score(len(labels), sums)


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
