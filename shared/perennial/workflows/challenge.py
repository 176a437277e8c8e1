"""One challenge: what is new is predicted first, then held out in part, then learned.

The challenger that meets the champion has not seen the held-out rows, and neither has the champion.
The model that serves afterwards is trained once more with them (`freshness: refit`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.duel import CONSTANT, DuelResult, duel, tail_length
from perennial.domain.evaluation.floors import check_floors
from perennial.domain.evaluation.gate import rule
from perennial.domain.evaluation.measuring import Measurement, measure, told
from perennial.domain.evaluation.repeats import row_hashes, seen_before, tells_rows_apart
from perennial.domain.evaluation.scoring import Constant, row_losses
from perennial.domain.evaluation.surprise import Surprise
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.lineage import Batch, Lineage, lineage, within
from perennial.domain.versioning.registry import Status
from perennial.domain.words import counted
from perennial.errors import NotTrainable
from perennial.workflows.contestants import Contestant, ContestantT, Learn, RowSource
from perennial.workflows.loaded import LoadedVersion
from perennial.workflows.stopwatch import Stopwatch

NOTHING_LEARNED = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Candidate(Generic[ContestantT]):
    """A model that has been judged.

    Attributes:
        model: what would serve.
        lineage: what it knows.
        trained_rows: how many rows it learned.
        held_out: the rows of the duel, for the parity and smoke gates.
        status: what the gate and the promotion mode make of it; a pin may still keep it waiting.
        reason: what the gate decided and why, in one sentence.
        evaluation: every number behind the decision.
        suspect: stems of the new files that are to be set aside.
        judged: the model that met the champion.
        duel_rows: the rows on which it did, which it has not learned; perhaps none.
    """

    model: ContestantT
    lineage: Lineage
    trained_rows: int
    held_out: pd.DataFrame
    status: Status
    reason: str
    evaluation: dict[str, Any]
    judged: ContestantT
    duel_rows: pd.DataFrame
    suspect: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _HeldOut:
    """The rows of a duel, in time order, and how many of the new rows could not be among them."""

    rows: pd.DataFrame
    repeated: int = 0


def challenge(
    definition: Definition,
    batch: Batch,
    rows: RowSource,
    champion: LoadedVersion | None,
    watch: Stopwatch,
    learn: Learn[ContestantT],
    *,
    learned: NDArray[np.uint64] = NOTHING_LEARNED,
    surprises: Sequence[Surprise] = (),
) -> Candidate[ContestantT]:
    """Train a challenger, let it meet the champion, and train what would serve.

    Args:
        definition: the recipe.
        batch: the accepted files, sorted by what the champion knows of them.
        rows: their rows.
        champion: None for a first version, whose rival is then a constant predictor.
        watch: times the steps.
        learn: makes a model of rows.
        learned: hashes of the rows that the champion has learned: they prove nothing.
        surprises: the new files on which the champion did not do as usual.

    Raises:
        NotTrainable: when the rows cannot give a model.
    """
    used = within(definition.training.window, batch.history)
    with watch("read"):
        held = _held_out(definition, batch, rows, champion, learned)
        held_out = held.rows
        trained = _before(definition, batch, rows, held_out)
    with watch("train"):
        model = learn(definition, trained, among=_among(trained, held_out))
    with watch("duel"):
        answers = _answers(model, held_out)
        measured = measure(definition, held_out, answers, model.classes)
        losses = row_losses(
            definition.metric, held_out[definition.label].to_numpy(), answers, model.classes
        )
        result = _duel(definition, losses, champion, trained, held_out)
        floors = check_floors(definition.promotion, measured)
        ruling = rule(result, floors, surprises, constant=measured.constant)
    judged = model
    refit = ruling.promotes and len(held_out) > 0 and definition.training.freshness == "refit"
    if refit:
        with watch("refit"):
            trained = rows.of_all(used)
            model = learn(definition, trained)
    status: Status = "rejected"
    if ruling.promotes:
        status = "approved" if definition.promotion.mode == "automatic" else "waiting"
    return Candidate(
        model=model,
        lineage=lineage(batch.history, used, rows.portions(trained), batch.superseded),
        trained_rows=len(trained),
        held_out=held_out if len(held_out) else trained.tail(definition.promotion.min_duel_rows),
        status=status,
        reason=ruling.reason + _left_out(held),
        evaluation={
            "champion": champion.manifest.version if champion else None,
            "metric": definition.metric,
            "duel": asdict(result),
            "measured": {
                "challenger": _measured(measured),
                "champion": _measured(champion.measure(definition, held_out)) if champion else None,
            },
            "floors": [asdict(floor) | {"sentence": floor.sentence} for floor in floors],
            "surprises": [asdict(one) | {"sentence": one.sentence} for one in surprises],
            "held_out": describe(definition, held_out) | {"repeated": held.repeated},
            "trained": describe(definition, trained),
            "refit": refit,
            "freshness": definition.training.freshness,
            "mode": definition.promotion.mode,
            "suspect": list(ruling.suspect),
        },
        suspect=ruling.suspect,
        judged=judged,
        duel_rows=held_out,
    )


def _answers(model: Contestant, frame: pd.DataFrame) -> NDArray[np.float64]:
    if len(frame):
        return model.predict(frame)
    return np.empty((0, len(model.classes)) if model.classes else 0)


def _left_out(held: _HeldOut) -> str:
    if not held.repeated:
        return ""
    return f"; {counted(held.repeated, 'new row')} came before and could prove nothing"


def _measured(measured: Measurement) -> dict[str, Any]:
    return {
        "rows": measured.score.rows,
        "metrics": measured.score.metrics(),
        "constant": measured.constant,
        "slices": told(measured.slices),
    }


def _among(trained: pd.DataFrame, held_out: pd.DataFrame) -> str:
    """Which of the rows a challenger learns from: what is missing there may be in the others."""
    if not len(held_out):
        return ""
    return (
        f" in the {counted(len(trained), 'row')} before the newest {len(held_out):,}, "
        "which are held out to judge it on"
    )


def _held_out(
    definition: Definition,
    batch: Batch,
    rows: RowSource,
    champion: LoadedVersion | None,
    learned: NDArray[np.uint64],
) -> _HeldOut:
    """The newest rows that no model of this duel has learned, in time order."""
    if champion is not None:
        fresh, repeated = _unlearned(definition, rows.of_all(batch.proof), learned)
        fresh = in_time_order(definition, fresh)
        tail = tail_length(len(fresh), definition.promotion.min_duel_rows)
        return _HeldOut(fresh.tail(tail), repeated)
    last = in_time_order(definition, rows.of_all(batch.history[-1:]))
    # A last file that outweighs all before it would leave too little to learn from.
    if 2 * len(last) <= sum(file.rows for file in batch.history):
        return _HeldOut(last)
    return _HeldOut(last.tail(len(last) // 5))


def _unlearned(
    definition: Definition, frame: pd.DataFrame, learned: NDArray[np.uint64]
) -> tuple[pd.DataFrame, int]:
    """The rows that neither the champion has learned nor an earlier one of these files had."""
    if not len(frame) or not tells_rows_apart(definition):
        return frame, 0
    files = pd.Series(frame.index.get_level_values(0).to_numpy())
    first = files.groupby(row_hashes(definition, frame)).transform("first")
    seen = seen_before(definition, frame, learned) | (first != files).to_numpy()
    return frame[~seen], int(seen.sum())


def _before(
    definition: Definition, batch: Batch, rows: RowSource, held_out: pd.DataFrame
) -> pd.DataFrame:
    """What the challenger learns: a window that ends where the held-out rows begin.

    Copies of held-out rows, which another file may have, are held out with them.
    """
    kept = held_out.groupby(level=0).size().to_dict()
    whole = {
        f for f in batch.history if f.file.stem in kept and len(rows.of(f)) == kept[f.file.stem]
    }
    files = [file for file in batch.history if file not in whole]
    learnable = rows.of_all(within(definition.training.window, files))
    learnable = learnable.drop(index=held_out.index, errors="ignore")
    if not len(held_out) or not tells_rows_apart(definition):
        return learnable
    return learnable[~seen_before(definition, learnable, row_hashes(definition, held_out))]


def in_time_order(definition: Definition, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows by their event time, where they have one, else as the files came."""
    if definition.event_time is None:
        return frame
    return frame.sort_values(definition.event_time, kind="stable")


def _duel(
    definition: Definition,
    losses: NDArray[np.float64],
    champion: LoadedVersion | None,
    trained: pd.DataFrame,
    held_out: pd.DataFrame,
) -> DuelResult:
    """Hold the challenger's losses on the held-out rows against the champion's on the same."""
    label, metric = definition.label, definition.metric
    if champion is not None:
        theirs = champion.predict(held_out) if len(held_out) else champion.nothing
        their_classes: Sequence[object] = champion.manifest.classes
    else:
        constant = Constant.fit(definition, trained[label].to_numpy())
        theirs, their_classes = constant.predict(len(held_out)), constant.classes
    return duel(
        row_losses(metric, held_out[label].to_numpy(), theirs, their_classes),
        losses,
        opponent=champion.manifest.version if champion else CONSTANT,
        tolerance=definition.promotion.tolerance,
        seed=definition.training.seed,
        min_rows=definition.promotion.min_duel_rows,
        squared=metric == "rmse",
    )


def describe(definition: Definition, frame: pd.DataFrame) -> dict[str, Any]:
    """How many rows, and from when to when."""
    facts: dict[str, Any] = {"rows": len(frame)}
    if definition.event_time is not None and len(frame):
        times = frame[definition.event_time]
        facts |= {"first": times.min().isoformat(), "last": times.max().isoformat()}
    return facts


def require_rows(definition: Definition, files: Sequence[VerdictSummary]) -> None:
    """Refuse to make a first version of too few rows.

    Raises:
        NotTrainable: saying how many there are and how many it takes.
    """
    rows = sum(file.rows for file in files)
    if rows < definition.training.min_rows:
        raise NotTrainable(
            f"{counted(rows, 'row')} so far; a first version needs {definition.training.min_rows} "
            "(training.min_rows)"
        )
