"""What a run of a static pipeline is to do, as the registry and its definitions tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.scoring import Score
from perennial.domain.evaluation.static import Task, first_task, next_task, told
from perennial.domain.modelling.training import Model
from perennial.domain.versioning.lineage import Batch, Lineage, lineage
from perennial.domain.versioning.registry import Head
from perennial.workflows.challenge import Candidate
from perennial.workflows.ledger import Entry
from perennial.workflows.loaded import LoadedVersion
from perennial.workflows.recipe import recipe_changed
from perennial.workflows.registry import Registry
from perennial.workflows.runs import Outcome


def plan(
    registry: Registry,
    head: Head,
    definition: Definition,
    batch: Batch,
    champion: LoadedVersion | None,
    *,
    force: bool,
) -> Task:
    """What to do with these files.

    Args:
        registry: has the definition that made the champion, and what was tried before it.
        head: the current state.
        definition: the one in force.
        batch: the accepted files, sorted by what the champion knows of them.
        champion: None before there is one.
        force: whether somebody asked for a new version.

    Raises:
        NotTrainable: while there is no champion, and the span is not whole.
    """
    if champion is not None:
        remade = recipe_changed(registry, head, definition, champion.manifest.definition)
        return next_task(
            definition, batch, champion.lineage, champion.manifest.version,
            remade=remade, force=force,
        )  # fmt: skip
    if head.waiting and not force:
        return Task(None, f"{head.waiting[-1]} waits for `perennial approve {head.pipeline}`")
    task = first_task(definition, batch)
    if task.learn is not None and not force and (tried := _tried(registry, head, task.learn)):
        return Task(None, tried)
    return task


def _tried(registry: Registry, head: Head, learn: Batch) -> str:
    """Why the same files need not be learned again before there is a champion."""
    newest = max(head.statuses, default=None)
    if newest is None:
        return ""
    manifest = registry.manifest(head.pipeline, newest, head=head)
    known = Lineage.from_json(registry.read_version_file(manifest, "lineage.json"))
    same = known.used == {file.file.stem for file in learn.history}
    if not same or manifest.definition != head.definition:
        return ""
    return (
        f"{newest} learned this very span by this definition, and is {head.standing(newest)}: "
        "another span or another recipe may do better"
    )


def whole_span(definition: Definition) -> Definition:
    """The definition as a challenge reads it: a span is learned whole."""
    training = definition.training.model_copy(update={"window": "all"})
    return definition.model_copy(update={"training": training})


def with_what_came_before(
    candidate: Candidate[Model], batch: Batch, learned: Batch
) -> Candidate[Model]:
    """Let a version take into account what it did not learn, too, as far as it was judged.

    Neither files before its span nor those that decided its duel can prove anything about it.
    """
    judged_on = set(candidate.held_out.index.get_level_values(0))
    decisive = [file for file in batch.history if file.file.stem in judged_on]
    last = max(file.order for file in (*learned.history, *decisive))
    known = [file for file in batch.history if file.order <= last]
    rows = candidate.lineage.rows
    there = {file.file for file in known}
    superseded = [(old, new) for old, new in batch.superseded if new.file in there]
    return replace(candidate, lineage=lineage(known, learned.history, rows, superseded))


def what_came_of_scoring(
    head: Head, definition: Definition, scored: Sequence[Entry], reason: str
) -> tuple[Outcome, str]:
    """How a run ends that makes no version, and a sentence.

    Args:
        head: the current state.
        definition: the one in force.
        scored: what the champion predicted for the first time.
        reason: why no version is made.
    """
    if head.champion is None:
        return ("waiting_approval" if head.waiting else "nothing_new"), reason
    if not scored:
        return "nothing_new", reason or f"{head.champion} is static, and no later file is new to it"
    total = sum((entry.score for entry in scored), Score())
    loss = total.metrics().get(definition.metric)
    said = told(head.champion, definition.metric, loss, total.rows, len(scored), reason)
    return "scored", said
