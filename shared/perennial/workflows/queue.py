"""The queue of training: accepted verdicts that no run has considered yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from perennial.domain.evaluation.span import learnable
from perennial.domain.evaluation.trigger import due
from perennial.domain.judging.redelivery import in_effect
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.registry import Head
from perennial.ports import Clock, JobLauncher, ObjectStore
from perennial.workflows.registry import Registry
from perennial.workflows.runs import read_considered
from perennial.workflows.verdicts import list_in_force


def accepted_files(data: ObjectStore, pipeline: str) -> Sequence[VerdictSummary]:
    """Every file whose decision in force is `accepted`, in the order of their drops."""
    return [file for file in list_in_force(data, pipeline) if file.decision == "accepted"]


def counting_files(
    head: Head, accepted: Sequence[VerdictSummary], considered: Collection[str]
) -> Sequence[VerdictSummary]:
    """The accepted files that count for the trigger; none when no run has anything new to see.

    They are those that the last run has not considered. Without a champion those count again that
    it found too few rows in: it is done with none of them, and left `learned_through` where it was.

    Args:
        head: the current state.
        accepted: every accepted file.
        considered: stems of those that the last run considered.
    """
    fresh = [file for file in accepted if file.file.stem not in considered]
    if head.champion is not None or not fresh:
        return fresh
    through = head.learned_through
    return [
        f for f in accepted if f.file.stem not in considered or f.file.generation > through
    ]  # fmt: skip


def work_is_due(data: ObjectStore, registry: Registry, pipeline: str) -> bool:
    """Whether the accepted files of a pipeline call for a run, by a full listing."""
    head = registry.require(pipeline)
    considered = read_considered(data, pipeline, head.last_run)
    accepted = accepted_files(data, pipeline)
    if head.relearn:
        return bool(accepted)
    counting = counting_files(head, accepted, considered)
    if not counting:
        return False
    definition = registry.definition(head)
    training = definition.training
    if head.champion is not None:
        return due(training.trigger, counting)
    rows = sum(file.rows for file in learnable(training, in_effect(definition, accepted)))
    return due(training.trigger, counting, at_least=training.min_rows, rows=rows)


def is_at_work(head: Head, launcher: JobLauncher, clock: Clock) -> bool:
    """Whether a run holds the claim and its process may still live."""
    if head.claim is None or not head.claim_lives(clock.now()):
        return False
    return not (head.claim.execution and launcher.has_ended(head.claim.execution))
