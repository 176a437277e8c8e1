"""Claims: the right to work on a pipeline, one holder at a time."""

from __future__ import annotations

from functools import partial

from perennial.domain.versioning import registry as state
from perennial.domain.versioning.registry import Head
from perennial.ports import Clock, JobLauncher
from perennial.workflows.registry import Registry


def claim(
    registry: Registry,
    launcher: JobLauncher,
    clock: Clock,
    pipeline: str,
    holder: str,
    *,
    seconds: float,
    execution: str = "",
) -> Head:
    """Take a pipeline's claim, or renew one's own.

    The claim of a run whose process is over does not count, nor does that of an earlier attempt of
    the same execution.

    Args:
        registry: where the claim is.
        launcher: knows which executions are over.
        clock: sets the deadline.
        pipeline: which one.
        holder: the run, or whatever else claims.
        seconds: how long the claim lives.
        execution: the platform's name of this process.

    Returns:
        The head with the claim.

    Raises:
        RefusedError: while another holder's claim lives.
    """
    living = registry.require(pipeline).claim
    dead = ""
    if living and living.execution:
        mine = living.execution == execution
        dead = living.run if mine or launcher.has_ended(living.execution) else ""
    return registry.commit(
        pipeline,
        lambda head: state.take_claim(
            head, run=holder, now=clock.now(), seconds=seconds, execution=execution, dead=dead
        ),
        action="claim",
        by=f"run {holder}",
    )


def release(registry: Registry, head: Head, holder: str) -> None:
    """Give back a claim without having worked. Raises `ClaimLost` when another has it."""
    change = partial(state.release_claim, epoch=head.epoch)
    registry.commit(head.pipeline, change, action="release", by=f"run {holder}")
