"""A history that was made up, in which the quality of every model is known.

Each row has a number. A model of known quality is a table of answers by that number, made so that
each row costs it what it is to cost. Rows differ in difficulty, so that two models which are judged
on different rows do not come out alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.definitions.recipe import Metric, Training
from perennial.domain.evaluation.scoring import Constant, row_losses
from perennial.domain.modelling.labels import Classes, classes_of, codes_of
from perennial.domain.names import FileId
from perennial.domain.verdict import VerdictSummary

TIME, ROW, KIND, LABEL = "at", "row", "kind", "y"

CHAMPION = 0.55
"""The champion's loss, of that of a constant predictor: what labels that say nothing lead to."""

KINDS = 3
_LEARNED = 500  # rows that the champion has learned
_FRESH = 1500  # rows that it has not, a fifth of which are held out
_MOST = 10_000  # held-out rows: with more the test would take seconds, and not tell more
_START = datetime(2026, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class World:
    """A pipeline's history of three files.

    Attributes:
        definition: with the task, metric, tolerance, duel rows, window and seed of what is tried.
        files: as verdicts list them, in time order; the champion has learned the first.
        frames: the rows of each: time, number, kind and label.
        classes: empty for regression.
        constant_loss: the metric of the best constant answer to all rows.
    """

    definition: Definition
    files: tuple[VerdictSummary, ...]
    frames: tuple[pd.DataFrame, ...]
    classes: Classes
    constant_loss: float
    seed: int

    @classmethod
    def make(cls, tried: Definition, seed: int) -> Self:
        """The same world for the same definition and seed."""
        definition = _definition(tried)
        fresh = max(_FRESH, 2 * min(tried.promotion.min_duel_rows, _MOST))
        chance = np.random.default_rng([seed, 0])
        frames, files, first = [], [], 0
        for day, count in enumerate((_LEARNED, fresh // 2, fresh - fresh // 2)):
            frames.append(_rows(definition, day, first, count, chance))
            files.append(_file(day, frames[-1]))
            first += count
        labels = pd.concat(frames)[LABEL].to_numpy()
        constant = Constant.fit(definition, labels)
        losses = row_losses(
            definition.metric, labels, constant.predict(len(labels)), constant.classes
        )
        return cls(
            definition=definition,
            files=tuple(files),
            frames=tuple(frames),
            classes=classes_of(definition, labels.tolist()),
            constant_loss=float(losses.mean()) ** _root(definition.metric),
            seed=seed,
        )

    @property
    def labels(self) -> NDArray[Any]:
        """Of every row, by its number."""
        return np.concatenate([frame[LABEL].to_numpy() for frame in self.frames])

    @property
    def learned(self) -> int:
        """How many rows the champion has learned: those with the lowest numbers."""
        return len(self.frames[0])

    def answers(self, loss: float, *, stream: int) -> NDArray[np.float64]:
        """A model's answers to every row.

        Args:
            loss: the metric that they come to, of the champion's: 1.0 is as good.
            stream: models with another one err on other rows.

        Returns:
            Shape [rows] for regression, probabilities [rows, classes] otherwise, in float32's
            precision.
        """
        metric = self.definition.metric
        chance = np.random.default_rng([self.seed, 1 + stream])
        labels = self.labels
        toil = np.random.default_rng([self.seed, 1]).uniform(0.5, 1.5, len(labels))
        mean = (loss * CHAMPION * self.constant_loss) ** (1 / _root(metric))
        wanted = mean * toil * chance.uniform(0.5, 1.5, len(labels))
        if not self.classes:
            size = np.sqrt(wanted) if metric == "rmse" else wanted
            answers = labels + size * chance.choice([-1.0, 1.0], len(labels))
        else:
            codes = codes_of(labels, self.classes)
            answers = _probabilities(metric, codes, len(self.classes), wanted)
        # As graphs answer.
        return np.asarray(answers, dtype=np.float32).astype(np.float64)


def _probabilities(
    metric: Metric, codes: NDArray[np.int64], classes: int, losses: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probabilities that lose so much on each row; what is left is shared by the other classes."""
    others = classes - 1
    if metric == "log_loss":
        right = np.exp(-losses)
    else:  # the squares of a row add up to (1 - p)² (1 + 1 / others), halved where there are two
        share = 1.0 if others == 1 else 1 + 1 / others
        right = 1 - np.sqrt(np.minimum(losses / share, 1.0))
    answers = np.repeat(((1 - right) / others)[:, None], classes, axis=1)
    answers[np.arange(len(codes)), codes] = right
    return answers


def _root(metric: Metric) -> float:
    """The power that makes a metric of its mean row loss."""
    return 0.5 if metric == "rmse" else 1.0


def _definition(tried: Definition) -> Definition:
    classes = {"binary": [0, 1], "multiclass": list(range(KINDS)), "regression": None}[tried.task]
    label: dict[str, Any] = {"type": "number" if classes is None else "integer", "role": "label"}
    return Definition.model_validate({
        "name": tried.name,
        "task": tried.task,
        "columns": {
            TIME: {"type": "timestamp", "role": "event_time"},
            ROW: {"type": "integer"},
            KIND: {"type": "integer"},
            LABEL: label | ({"classes": classes} if classes else {}),
        },
        "training": Training(
            seed=tried.training.seed,
            freshness=tried.training.freshness,
            window=tried.training.window,
        ),
        "promotion": {
            "metric": tried.metric,
            "tolerance": tried.promotion.tolerance,
            "min_duel_rows": tried.promotion.min_duel_rows,
            # Floors, slices and surprise speak of the pipeline's own rows, which these are not.
            "surprise": None,
            "probation": None,
        },
    })  # fmt: skip


def _rows(
    definition: Definition, day: int, first: int, count: int, chance: np.random.Generator
) -> pd.DataFrame:
    """One file: the label follows the kind, so that there is something to learn."""
    kinds = chance.integers(0, KINDS, count)
    if definition.task == "regression":
        labels: NDArray[Any] = kinds + chance.normal(0, 0.1, count)
    else:
        labels = kinds if definition.task == "multiclass" else kinds // (KINDS - 1)
    times = pd.date_range(_START + day * _DAY, periods=count, freq="s")
    numbers = np.arange(first, first + count)
    return pd.DataFrame({TIME: times, ROW: numbers, KIND: kinds, LABEL: labels})


def _file(day: int, rows: pd.DataFrame) -> VerdictSummary:
    last = rows[TIME].iloc[-1].to_pydatetime()
    generation = int((last + _DAY).timestamp() * 1e6)
    return VerdictSummary(
        file=FileId(generation, f"day-{day}"),
        number=1,
        decision="accepted",
        decided=last + _DAY,
        reason="",
        sha256="",
        rows=len(rows),
        rows_object="",
        first_event=rows[TIME].iloc[0].to_pydatetime(),
        last_event=last,
    )
