"""Static mode: what a run does for a model that is trained once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.span import covered, lacking
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.lineage import Batch, Lineage
from perennial.domain.words import counted
from perennial.errors import NotTrainable


@dataclass(frozen=True, slots=True)
class Task:
    """What a run of a static pipeline has to do beside predicting what is new.

    Attributes:
        learn: what a new version is made of, and proved on; None where none is to be made.
        reason: why none is; empty where that needs no words.
        later: files that came after the span: they are for the next run, which has the version to
            predict them with.
    """

    learn: Batch | None
    reason: str = ""
    later: tuple[VerdictSummary, ...] = ()


def first_task(definition: Definition, batch: Batch) -> Task:
    """What the run of a pipeline without a champion does.

    Raises:
        NotTrainable: while the span is not whole; it says what is waited for.
    """
    if lack := lacking(definition.training, batch.history):
        raise NotTrainable(lack)
    files = covered(definition.training.span, batch.history)
    later = tuple(file for file in batch.history if file.order > files[-1].order)
    return Task(Batch(files, files, files), later=later)


def next_task(
    definition: Definition,
    batch: Batch,
    champion: Lineage,
    version: str,
    *,
    remade: bool,
    force: bool,
) -> Task:
    """What a run does when a champion serves: train anew when it is told to, and never otherwise.

    A model of the same span meets the champion on files that came after both.

    Args:
        definition: the recipe.
        batch: the accepted files, sorted by what the champion knows of them.
        champion: what the champion knows.
        version: the champion.
        remade: whether the recipe is another than the one that the champion was made by.
        force: whether somebody asked for a new version.
    """
    retrain = f"`perennial retrain {definition.name}`"
    if not force:
        reason = f"the recipe changed since {version} was made: {retrain} trains by it"
        return Task(None, reason if remade else "")
    if lack := lacking(definition.training, batch.history):
        return Task(None, lack)
    files = covered(definition.training.span, batch.history)
    if not remade and {file.file.stem for file in files} == champion.used:
        return Task(None, f"{version} has learned this very span, by the same recipe")
    if definition.training.span == "all":
        learn = batch
    else:
        proof = tuple(file for file in batch.proof if file.order > files[-1].order)
        learn = Batch(files, proof, proof)
    if sum(file.rows for file in learn.proof) < 2:
        return Task(
            None,
            f"no rows are left that neither {version} nor a new model of this span has learned: "
            f"{retrain} once a later file has come",
        )
    return Task(learn)


def made_otherwise(before: Definition, after: Definition) -> bool:
    """Whether two definitions make different models of the same files, or learn from other ones.

    What a dynamic definition learned from says nothing of the span of a static one.
    """
    both = before.training.mode == after.training.mode == "static"
    return _recipe(before, span=both) != _recipe(after, span=both)


def _recipe(definition: Definition, *, span: bool) -> tuple[Any, ...]:
    training = definition.training
    columns = {name: (c.type, c.role, c.classes) for name, c in definition.columns.items()}
    own = (definition.task, columns, training.model, training.parameters, training.seed)
    return (*own, training.span) if span else own


def told(
    version: str, metric: str, loss: float | None, rows: int, files: int, reason: str = ""
) -> str:
    """What a run that only predicted says of itself.

    Args:
        version: what predicted.
        metric: the name of the loss.
        loss: on the new files; None without labelled rows.
        rows: labelled rows that were new to it.
        files: how many files they came in.
        reason: what else there is to say.
    """
    done = f"{version} is static, and predicted {counted(rows, 'row')} of "
    done += counted(files, "new file") + ("" if loss is None else f": {metric} {loss:.4g}")
    return f"{done}; {reason}" if reason else done
