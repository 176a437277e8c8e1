"""Run a plan to its rest, and say what does not hold then."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from unittest import mock

from perennial.errors import InvariantBroken, PerennialError
from perennial.workflows import at_once
from perennial.workflows.sweep import sweep
from tests.calls import Crash
from tests.simulation.deployment import CLAIM_SECONDS, Deployment
from tests.simulation.invariants import broken
from tests.simulation.operations import Operations
from tests.simulation.plan import Plan
from tests.simulation.scheduler import Task

_TOGETHER = 5  # tasks at most that operations begin beside others
_ROUNDS = 15  # in which everything must come to rest


@dataclass
class Outcome:
    """What a run showed.

    Attributes:
        broken: what does not hold; empty when all is well.
        trace: digest of all that happened.
        counts: how much of what.
        lines: the trace, where it was asked for.
    """

    plan: Plan
    broken: list[str]
    trace: str
    counts: Counter[str]
    lines: list[str] = field(default_factory=list)


def run(plan: Plan, *, traced: bool = False) -> Outcome:
    """Run a plan: operations and faults in any order, then rest, then a look at what is there."""
    faults = {(task, call): kind for task, call, kind in plan.faults}
    deployment = Deployment(plan.seed, faults)
    deployment.lines = [] if traced else None
    operations = Operations(deployment, plan.settings)
    with _by_chance(plan.seed):
        try:
            operations.apply()
            _disturb(deployment, operations, plan)
            found = _settle(deployment, operations)
            found += broken(deployment)
        finally:
            deployment.close()
    deployment.counts["judged"] = len(deployment.seen.uploads)
    deployment.counts["commits"] = len(deployment.seen.heads)
    promoted = {head.champion for head in deployment.seen.heads} - {None}
    deployment.counts["champions"] = len(promoted)
    return Outcome(plan, found, deployment.trace, deployment.counts, deployment.lines or [])


def _disturb(deployment: Deployment, operations: Operations, plan: Plan) -> None:
    """Everything at once, in an order that the seed decides."""
    waiting = list(plan.operations)
    while True:
        moves = _moves(deployment)
        if waiting and sum(1 for _ in deployment.scheduler.active()) < _TOGETHER:
            moves += [lambda: operations.begin(waiting.pop(0))] * 2
        if not moves:
            return
        deployment.chance.choice(moves)()


def _moves(deployment: Deployment) -> list[Callable[[], None]]:
    """What could happen next: somebody's turn, an event, a job."""
    scheduler = deployment.scheduler
    moves: list[Callable[[], None]] = []
    if ready := scheduler.ready():
        moves += [lambda task=task: _turn(deployment, task) for task in ready]  # type: ignore[misc]
    due = [event for event in deployment.events if event[0] <= deployment.clock.time]
    if not due and not moves and deployment.events:
        deployment.clock.time = min(event[0] for event in deployment.events)
        due = [event for event in deployment.events if event[0] <= deployment.clock.time]
    moves += [lambda event=event: deployment.deliver(event) for event in due]  # type: ignore[misc]
    moves += [lambda one=one: deployment.begin(one) for one in deployment.pending()]  # type: ignore[misc]
    return moves


def _turn(deployment: Deployment, task: Task) -> None:
    deployment.scheduler.turn(task)
    if task.state != "done" or task.error is None:
        return
    if isinstance(task.error, Crash):
        deployment.counts["deaths"] += 1
    elif task.kind == "predict" or not _foreseen(task.error):
        deployment.seen.unforeseen.append(f"{task.name} ended with {task.error!r}")


def _foreseen(error: BaseException) -> bool:
    return isinstance(error, PerennialError) and not isinstance(error, InvariantBroken)


def _settle(deployment: Deployment, operations: Operations) -> list[str]:
    """Trouble ends; events that are left arrive, and sweeps find what has none."""
    deployment.faults = {}
    for _ in range(_ROUNDS):
        deployment.clock.pass_(CLAIM_SECONDS + 1)
        for task in [t for t in deployment.scheduler.tasks if t.state == "hung"]:
            deployment.scheduler.kill(task)
        for recall in [*operations.unfinished]:
            deployment.scheduler.spawn("recall", lambda recall=recall: _again(recall))  # type: ignore[misc]
        operations.unfinished.clear()
        found = deployment.scheduler.spawn("sweep", lambda: _sweep(deployment))
        before = len(deployment.executions)
        while moves := _moves(deployment):
            deployment.chance.choice(moves)()
        swept: Any = found.result
        if swept is None:
            return [f"the sweep ended with {found.error!r}"]
        if swept.errors:
            return [f"the sweep ended with {swept.errors}"]
        if not swept.judged and len(deployment.executions) == before:
            return _served(deployment)
    return [f"it did not come to rest in {_ROUNDS} sweeps"]


def _sweep(deployment: Deployment) -> Any:
    return sweep(deployment.buckets, deployment.registry, deployment, deployment.clock)


def _again(recall: Callable[[], object]) -> None:
    try:
        recall()
    except PerennialError as error:
        if isinstance(error, InvariantBroken):
            raise


def _served(deployment: Deployment) -> list[str]:
    """At rest, predict serves what the head names, from a process that was there all along."""
    deployment.clock.pass_(60)
    task = deployment.scheduler.spawn("predict", lambda: deployment.predict(0.5))
    while task.state != "done":
        _turn(deployment, task)
    champion = deployment.seen.heads[-1].champion
    answered: Any = task.result
    served = answered.version if answered else None
    return [] if served == champion else [f"{champion} is champion, and predict serves {served}"]


@contextmanager
def _by_chance(seed: int) -> Iterator[None]:
    """All that is drawn while a plan runs comes from its seed, and nothing runs beside it."""
    draws = Random(f"draws {seed}")
    with (
        mock.patch.object(
            secrets, "token_hex", lambda size=8: f"{draws.getrandbits(8 * size):0{2 * size}x}"
        ),
        mock.patch.object(random, "random", draws.random),
        mock.patch.object(at_once, "ThreadPoolExecutor", _OneByOne),
        mock.patch.object(asyncio, "to_thread", _here),
    ):
        yield


async def _here(call: Callable[..., Any], *arguments: Any) -> Any:
    """What a thread would do, done here."""
    return call(*arguments)


class _OneByOne:
    """An executor that does everything at once, here."""

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> _OneByOne:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, call: Callable[[Any], Any], items: Any) -> Iterator[Any]:
        """The answers, in order."""
        return map(call, items)
