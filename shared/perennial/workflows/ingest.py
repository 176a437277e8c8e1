"""What a finalised landing object leads to: its verdict, and a training run where one is due."""

from __future__ import annotations

from collections.abc import Sequence

from perennial.domain.evaluation.span import learnable
from perennial.domain.evaluation.trigger import due
from perennial.domain.judging.redelivery import in_effect
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict, VerdictSummary
from perennial.domain.versioning.registry import Head
from perennial.ports import Buckets, Clock, JobLauncher, ObjectStore
from perennial.workflows.batch.queue import launch_scoring
from perennial.workflows.judging import judge
from perennial.workflows.queue import accepted_files, is_at_work
from perennial.workflows.registry import Registry
from perennial.workflows.relaunching import Launches
from perennial.workflows.runs import read_considered
from perennial.workflows.verdicts import list_in_force


def ingest(
    buckets: Buckets, registry: Registry, clock: Clock, file: FileId, launcher: JobLauncher
) -> Verdict:
    """Judge a file and launch a run if its pipeline's trigger is due and no run is at work.

    A file to be scored leads to an execution that scores it, as soon as there is a champion.

    Safe to do again at any time: the verdict is made once, and the launch is considered again,
    because a crash may have come between the two.

    Raises:
        StoreError: when an outcome is unknown.
        LaunchError: when a run is due, or scoring, and could not be started.
    """
    verdict = judge(buckets, registry, clock, file)
    if verdict.decision in ("accepted", "duplicate"):
        launch_if_due(buckets, registry, launcher, clock, verdict.pipeline, verdict)
    if verdict.decision == "to_score":
        launch_scoring(buckets.data, registry, launcher, clock, verdict.pipeline)
    return verdict


def launch_if_due(
    buckets: Buckets,
    registry: Registry,
    launcher: JobLauncher,
    clock: Clock,
    pipeline: str,
    verdict: Verdict | None = None,
) -> str | None:
    """Launch a run if the trigger is due and no run is at work or on its way.

    After runs that died it waits, longer and longer; the sweep starts the next one.
    Looks only at files that came after those which the last run is done with, in one bounded
    listing, and at the one file that the caller knows of; the sweep looks at all of them. Only
    while there is no champion are the rows that a first version learns from counted here, too.

    Args:
        buckets: the four buckets.
        registry: where the head and the definition are.
        launcher: starts the run.
        clock: tells whether the claim in the head lives.
        pipeline: which one.
        verdict: a decision about what may be an older file: a late one, or one that was healed.

    Returns:
        The execution that was started.

    Raises:
        LaunchError: when it could not be started.
    """
    head = registry.head(pipeline)
    if head is None or is_at_work(head, launcher, clock):
        return None
    # Before any look at files, because it costs the same however many came: a storm is long.
    launches = Launches.at(buckets.data, launcher, head)
    if launches.on_its_way or launches.deaths.must_wait(clock.now()):
        return None
    fresh = _fresh(buckets.data, head, verdict)
    if not fresh:
        return None
    definition = registry.definition(head)
    training = definition.training
    at_least, rows = 0, None
    if head.champion is None:
        at_least = training.min_rows
        accepted = in_effect(definition, accepted_files(buckets.data, pipeline))
        rows = sum(file.rows for file in learnable(training, accepted))
    if not due(training.trigger, fresh, at_least=at_least, rows=rows):
        return None
    return launches.start()


def _fresh(data: ObjectStore, head: Head, verdict: Verdict | None) -> Sequence[VerdictSummary]:
    """Accepted files that the last run is not done with, as far as one listing shows.

    A run that found too few rows is done with none: it leaves `learned_through` where it was.
    """
    recent = list_in_force(data, head.pipeline, since_generation=head.learned_through)
    fresh = [file for file in recent if file.decision == "accepted"]
    if verdict is None or verdict.file.generation > head.learned_through:
        return fresh
    if verdict.decision == "accepted":
        stem = verdict.file.stem
        if stem not in read_considered(data, head.pipeline, head.last_run):
            fresh.append(VerdictSummary.from_metadata(stem, verdict.number, verdict.summary))
    return fresh
