"""Rows in, model out: one scikit-learn pipeline from typed inputs to predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from perennial.domain.definitions.definition import Definition
from perennial.domain.definitions.own_models import check_fitted
from perennial.domain.definitions.recipe import Task
from perennial.domain.modelling.estimators import estimator_for
from perennial.domain.modelling.features import as_frame, pipeline_for
from perennial.domain.modelling.frames import columns_of, inputs_of
from perennial.domain.modelling.inputs import encode
from perennial.domain.modelling.labels import UNKNOWN_CLASS, Classes, classes_of, codes_of
from perennial.domain.modelling.precision import check_precision
from perennial.domain.modelling.text import TEXT_V1
from perennial.domain.modelling.trees import round_thresholds
from perennial.domain.versioning.manifest import Input
from perennial.domain.words import counted
from perennial.errors import NotTrainable

_CLASSES_NAMED = 10


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model, as scikit-learn runs it.

    Attributes:
        task: binary, multiclass or regression.
        inputs: the columns that it reads.
        text: name of the text normalisation; empty without text inputs.
        classes: in the order of its probabilities; empty for regression.
        seen: places in `classes` of those that occurred in training, in the estimator's order;
            the others have probability 0.
        bounds: lowest and highest value that a regression may predict; infinite where open.
        pipeline: from a frame of encoded rows (see `features.as_frame`) to raw predictions.
        rows: rows that it learned from.
        unlabelled_rows: rows left out because they had no label.
        seed: of every random choice.
    """

    task: Task
    inputs: tuple[Input, ...]
    text: str
    classes: Classes
    seen: tuple[int, ...]
    bounds: tuple[float, float]
    pipeline: Pipeline
    rows: int
    unlabelled_rows: int
    seed: int

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Answer N typed rows: shape [N] for regression, probabilities [N, classes] otherwise."""
        return self.answer(encode(self.inputs, columns_of(self.inputs, frame)))

    def answer(self, tensors: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Answer N encoded rows; shapes as those of `predict`."""
        rows = as_frame(tensors)
        if self.task == "regression":
            raw = np.asarray(self.pipeline.predict(rows), dtype=np.float64).reshape(len(rows))
            return np.clip(raw, *self.bounds)
        probabilities = np.zeros((len(rows), len(self.classes)))
        probabilities[:, self.seen] = self.pipeline.predict_proba(rows)
        return probabilities


def fit(
    definition: Definition, frame: pd.DataFrame, *, seed: int | None = None, among: str = ""
) -> Model:
    """Train a model as the definition says. The same rows and seed give the same model.

    Args:
        definition: columns, estimator and its parameters.
        frame: typed rows, with the definition's columns; those without a label are left out.
        seed: of every random choice; the definition's own when None.
        among: where the rows are not all there are, which ones: " in the first 80 rows".

    Raises:
        NotTrainable: when these rows cannot give a model.
        DefinitionError: for a parameter that the estimator does not have, or a factory that gives
            no estimator.
        RefusedError: for a factory that this process may not import.
    """
    seed = definition.training.seed if seed is None else seed
    estimator = estimator_for(definition.task, definition.training, seed)
    labelled = frame[frame[definition.label].notna()]
    inputs = inputs_of(definition)
    columns = columns_of(inputs, labelled)
    labels = labelled[definition.label].to_numpy()
    classes = classes_of(definition, labels)
    truth = codes_of(labels, classes) if classes else labels.astype(np.float64)
    _check_truth(definition, labels, truth, classes, among)
    check_precision(inputs, columns)
    rows = as_frame(encode(inputs, columns))
    pipeline = pipeline_for(definition.training.model, estimator, inputs, rows)
    try:
        pipeline.fit(rows, truth)
    except ValueError as error:
        # The rows are encoded, so what is left to refuse is a parameter, or labels for a loss.
        raise NotTrainable(f"scikit-learn refuses to train: {error}") from error
    check_fitted(definition.training, definition.task, pipeline[-1])
    round_thresholds(pipeline[-1])
    return Model(
        task=definition.task,
        inputs=inputs,
        text=TEXT_V1 if any(i.type == "text" for i in inputs) else "",
        classes=classes,
        seen=tuple(int(code) for code in getattr(pipeline[-1], "classes_", ())),
        bounds=_bounds(definition),
        pipeline=pipeline,
        rows=len(labelled),
        unlabelled_rows=len(frame) - len(labelled),
        seed=seed,
    )


def _check_truth(
    definition: Definition,
    labels: NDArray[Any],
    truth: NDArray[Any],
    classes: Classes,
    among: str,
) -> None:
    label = definition.label
    if definition.task == "regression":
        if len(truth) < 2:
            found = counted(len(truth), "row")
            raise NotTrainable(f"a regression needs two rows with {label}, found {found}{among}")
        return
    if (truth == UNKNOWN_CLASS).any():
        strange = labels.tolist()[int(np.argmin(truth))]
        raise NotTrainable(
            f"{label} has the value {strange!r}, which is none of its classes ({_named(classes)})"
        )
    present = [classes[code] for code in np.unique(truth)]
    if definition.task == "binary" and len(present) > 2:
        raise NotTrainable(
            f"task binary is for two values of {label}, found {len(present)}{among}: "
            f"{_named(present)}; task multiclass learns any number"
        )
    if len(present) < 2:
        only = f"only {_named(present)}" if present else "none"
        raise NotTrainable(f"two values of {label} are needed to learn from, found {only}{among}")


def _named(classes: Sequence[object]) -> str:
    """The first few classes: 0, 1, 2 or 'a', 'b', 'c'."""
    left = len(classes) - _CLASSES_NAMED
    shown = ", ".join(repr(value) for value in classes[:_CLASSES_NAMED])
    return f"{shown} and {left} more" if left > 0 else shown


def _bounds(definition: Definition) -> tuple[float, float]:
    """What the label's rejecting range rules allow: no file can have a value beyond them."""
    low, high = -np.inf, np.inf
    for rule in definition.columns[definition.label].rules:
        if rule.range is not None and rule.severity != "warn":
            low = low if rule.range[0] is None else max(low, rule.range[0])
            high = high if rule.range[1] is None else min(high, rule.range[1])
    return low, high
