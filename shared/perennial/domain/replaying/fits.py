"""The unit of work of replay and ablation: one training, and what its model says of later files.

Policies share fits: whoever learns the same rows by the same recipe is the same model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.definitions.recipe import METRICS, Metric
from perennial.domain.evaluation.scoring import row_losses
from perennial.domain.modelling.training import Model
from perennial.domain.modelling.training import fit as train
from perennial.domain.replaying.history import History


@dataclass(frozen=True, slots=True)
class Fit:
    """Which rows a model learns.

    Attributes:
        files: places of the files in the history, ascending.
        held: rows of the history that are held out of these files, or follow them, to judge the
            model on; ascending.
        without: columns that the model does not read although its recipe does; sorted.
    """

    files: tuple[int, ...]
    held: tuple[int, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model's losses on rows that it has not learned.

    Attributes:
        through: the first file that is not predicted any more.
        rows: the rows that were predicted, ascending: shape [N].
        losses: for each metric the loss of each of these rows: shape [N].
        seconds: processor time of the training.
        error: why there is no model; empty where there is one.
    """

    through: int
    rows: NDArray[np.int64]
    losses: Mapping[Metric, NDArray[np.float32]]
    seconds: float
    error: str = ""

    def at(self, metric: Metric, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The losses of some of the rows. Raises `KeyError` for one that was not predicted."""
        places = np.searchsorted(self.rows, rows)
        known = places < len(self.rows)
        if not known.all() or (self.rows[places] != rows).any():
            raise KeyError("a row that this model has not predicted")
        return self.losses[metric][places].astype(np.float64)


class Fitter(Protocol):
    """Makes fits, each once, or remembers them."""

    def __call__(self, wanted: Mapping[Fit, int]) -> Iterator[tuple[Fit, Fitted]]:
        """Make these fits, in any order.

        Args:
            wanted: each with the first file that need not be predicted any more.
        """


def predicted_rows(history: History, fit: Fit, through: int) -> NDArray[np.int64]:
    """The rows that a fit is asked about: those held out, and the files that follow."""
    following = range(max(fit.files, default=-1) + 1, through)
    held = np.array(fit.held, dtype=np.int64)
    return np.union1d(held, history.rows_of(following)).astype(np.int64)


def learn(definition: Definition, history: History, fit: Fit) -> Model:
    """Train the model of a fit. Raises `NotTrainable`."""
    held = np.array(fit.held, dtype=np.int64)
    recipe = _ignoring(definition, fit.without)
    return train(recipe, history.frame.iloc[np.setdiff1d(history.rows_of(fit.files), held)])


def _ignoring(definition: Definition, names: Collection[str]) -> Definition:
    """The recipe with some columns of role `ignore`."""
    columns = {
        name: column.model_copy(update={"role": "ignore"}) if name in names else column
        for name, column in definition.columns.items()
    }
    return definition.model_copy(update={"columns": columns}) if names else definition


def losses_of(
    definition: Definition, model: Model, history: History, rows: NDArray[np.int64]
) -> dict[Metric, NDArray[np.float32]]:
    """A model's loss on each of the rows, by every metric of its task."""
    frame = history.frame.iloc[rows]
    predictions = model.predict(frame) if len(frame) else np.empty(0)
    truth = frame[definition.label].to_numpy()
    # In single precision also before they are stored, so that a second run finds the same numbers.
    return {
        metric: row_losses(metric, truth, predictions, model.classes).astype(np.float32)
        for metric in METRICS[definition.task]
    }


def key_of(
    definition: Definition, history: History, environment: Mapping[str, str]
) -> Callable[[Fit], str]:
    """What names fits wherever they are remembered: rows, recipe, seed and libraries."""
    recipe = definition.model_dump(mode="json", exclude={"name", "files", "promotion"})
    for choice in ("mode", "window", "span", "trigger", "freshness", "min_rows"):
        del recipe["training"][choice]
    common = json.dumps([recipe, dict(sorted(environment.items()))], sort_keys=True)
    starts = np.array(history.starts)

    def key(fit: Fit) -> str:
        digest = hashlib.sha256(common.encode())
        for file in fit.files:
            digest.update(f" {history.digests[file]}".encode())
        files = np.searchsorted(starts, fit.held, side="right") - 1
        for file, row in zip(files.tolist(), fit.held, strict=True):
            digest.update(f" -{history.digests[file]}/{row - starts[file]}".encode())
        for name in fit.without:
            digest.update(f" without {json.dumps(name)}".encode())
        return digest.hexdigest()

    return key
