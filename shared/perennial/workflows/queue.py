"""The queue of training: accepted verdicts that no run has considered yet."""

from __future__ import annotations

from collections.abc import Sequence

from perennial.domain.registry import Head
from perennial.domain.trigger import due
from perennial.domain.verdict import VerdictSummary
from perennial.ports import Clock, JobLauncher, ObjectStore
from perennial.workflows.registry import Registry
from perennial.workflows.runs import read_considered
from perennial.workflows.verdicts import list_in_force


def accepted_files(data: ObjectStore, pipeline: str) -> Sequence[VerdictSummary]:
    """Every file whose decision in force is `accepted`, in the order of their drops."""
    return [file for file in list_in_force(data, pipeline) if file.decision == "accepted"]


def waiting_files(data: ObjectStore, head: Head) -> Sequence[VerdictSummary]:
    """The accepted files that the last run has not considered."""
    considered = read_considered(data, head.pipeline, head.last_run)
    return [f for f in accepted_files(data, head.pipeline) if f.file.stem not in considered]


def work_is_due(data: ObjectStore, registry: Registry, pipeline: str) -> bool:
    """Whether the accepted files of a pipeline call for a run, by a full listing."""
    head = registry.require(pipeline)
    fresh = waiting_files(data, head)
    if not fresh:
        return False
    training = registry.definition(head).training
    if head.champion is not None:
        return due(training.trigger, fresh)
    # A first version learns from everything; and a run that found too few rows is done with none
    # of them: it left `learned_through` where it was.
    everything = accepted_files(data, pipeline)
    undone = [f for f in everything if f in fresh or f.file.generation > head.learned_through]
    rows = sum(file.rows for file in everything)
    return due(training.trigger, undone, at_least=training.min_rows, rows=rows)


def is_at_work(head: Head, launcher: JobLauncher, clock: Clock) -> bool:
    """Whether a run holds the claim and its process may still live."""
    if head.claim is None or not head.claim_lives(clock.now()):
        return False
    return not (head.claim.execution and launcher.has_ended(head.claim.execution))
