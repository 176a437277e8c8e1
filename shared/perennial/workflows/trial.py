"""Trying a model from elsewhere: against the champion, or against a constant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.duel import CONSTANT, DuelResult, duel
from perennial.domain.evaluation.scoring import Constant, row_losses
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.lineage import Batch
from perennial.errors import ModelError
from perennial.workflows.challenge import in_time_order
from perennial.workflows.loaded import LoadedVersion
from perennial.workflows.rows import Rows

_SLACK = 1e-3
"""By how much probabilities in float32 may miss 1 together."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What the graph and its rival answered.

    Attributes:
        rows: of the duel, in time order.
        duel: how it went.
        fair: whether the champion had not learned these rows.
    """

    rows: pd.DataFrame
    duel: DuelResult
    fair: bool


def try_out(
    definition: Definition,
    batch: Batch,
    rows: Rows,
    champion: LoadedVersion | None,
    imported: LoadedVersion,
    through: datetime | None,
) -> Trial:
    """Let it meet the champion on rows that neither has learned, else on those it has not.

    Args:
        definition: the one in force.
        batch: the accepted files.
        rows: their rows.
        champion: None before there is one; its rival is then the constant that is best on these
            very rows.
        imported: the model from elsewhere.
        through: event time of the newest row that it learned; None where nobody says, and all rows
            are tried.

    Raises:
        ModelError: where it does not answer each row.
    """
    unseen = [file for file in batch.history if through is None or file.order[0] > through]
    files, fair = _fair(unseen, batch, champion)
    frame = in_time_order(definition, rows.of_all(files))
    if through is not None and definition.event_time is not None and len(frame):
        frame = frame[frame[definition.event_time] > through]
    metric, truth = definition.metric, frame[definition.label].to_numpy()
    answers = checked_answers(imported, frame)
    theirs, their_classes = _rival(definition, champion, frame)
    result = duel(
        row_losses(metric, truth, theirs, their_classes),
        row_losses(metric, truth, answers, imported.manifest.classes),
        opponent=champion.manifest.version if champion else CONSTANT,
        tolerance=definition.promotion.tolerance,
        seed=definition.training.seed,
        min_rows=definition.promotion.min_duel_rows,
        squared=metric == "rmse",
    )
    return Trial(frame, result, fair)


def _fair(
    unseen: list[VerdictSummary], batch: Batch, champion: LoadedVersion | None
) -> tuple[list[VerdictSummary], bool]:
    """The files to judge it on, and whether the champion has not learned them."""
    if champion is None:
        return unseen, True
    replaced = {earlier.file.stem: later for earlier, later in batch.superseded}
    sorted_out = Batch.of(batch.history, champion.lineage, replaced)
    proof = {file.file.stem for file in sorted_out.proof}
    both = [file for file in unseen if file.file.stem in proof]
    return (both, True) if both or not unseen else (unseen, False)


def _rival(
    definition: Definition, champion: LoadedVersion | None, frame: pd.DataFrame
) -> tuple[NDArray[np.float64], Any]:
    """What the champion answers, or the constant that would have done best on these very rows."""
    if not len(frame):
        return np.empty(0), ()
    if champion is not None:
        return champion.predict(frame), champion.manifest.classes
    constant = Constant.fit(definition, frame[definition.label].to_numpy())
    return constant.predict(len(frame)), constant.classes


def checked_answers(imported: LoadedVersion, frame: pd.DataFrame) -> NDArray[np.float64]:
    """What a model from elsewhere answers.

    Raises:
        ModelError: where that is not an answer for each row.
    """
    if not len(frame):
        return np.empty(0)
    answers, classes = imported.predict(frame), len(imported.manifest.classes)
    wanted = (len(frame), classes) if classes else (len(frame),)
    if answers.shape != wanted:
        raise ModelError(f"expected answers of shape {list(wanted)}, found {list(answers.shape)}")
    if wrong := int((~np.isfinite(answers)).reshape(len(frame), -1).any(axis=1).sum()):
        raise ModelError(
            f"expected numbers, found none in its answers to {wrong:,} of {len(frame):,} rows"
        )
    if classes and (answers.min() < -_SLACK or abs(answers.sum(axis=1) - 1).max() > _SLACK):
        worst = answers[int(abs(answers.sum(axis=1) - 1).argmax())]
        raise ModelError(
            f"expected probabilities, from 0 to 1 and 1 together, found {worst.tolist()}"
        )
    return answers
