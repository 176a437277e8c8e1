"""Ends a workflow at every storage call it makes, before and after the call took effect.

What a process that was killed leaves behind is what lies in the buckets at that moment, and what it
has asked the platform for. So one undisturbed run shows every end that it could have had: the world
is copied around each of its calls. Two ends between which nothing was written are one and the same,
and what follows them is tried once.

What follows is what follows in earnest: the same command or event once more, or nothing but the
sweep. Then whatever is due happens, and the buckets must say the same as without the crash.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from perennial.errors import RefusedError
from tests.crash_points.coverage import Sites, writing_frames
from tests.crash_points.state import State, differences, end_state, wrong
from tests.crash_points.world import World

Deed = Callable[[World], object]
Recovery = Callable[[World, Deed], None]


def again(world: World, act: Deed) -> None:
    """Somebody asks for the same once more; a refusal says that it is done."""
    with suppress(RefusedError):
        act(world)


def swept(world: World, act: Deed) -> None:
    """Nobody comes back. The platform tells that the process is over, and the sweep finds out."""
    world.platform.ended.add("job-0")


def unless(done: Callable[[World], object]) -> Recovery:
    """Somebody looks, and asks once more unless it is done: of deeds that may be done twice."""

    def looked(world: World, act: Deed) -> None:
        if not done(world.others):
            act(world)

    return looked


@dataclass(frozen=True)
class End:
    """What a process leaves that ends at any of these moments.

    Attributes:
        moments: numbers of its calls, and whether they took effect.
        left: the world, to be copied.
    """

    left: World
    moments: list[tuple[int, str]] = field(default_factory=list)

    def __str__(self) -> str:
        number, when = self.moments[0]
        return f"{when} call {number}"


@dataclass(frozen=True)
class Calm:
    """An undisturbed process.

    Attributes:
        calls: how many storage calls it made.
        ends: those that it could have had, in order.
        state: what it leads to.
        sites: where in the workflows it wrote.
    """

    calls: int
    ends: list[End]
    state: State
    sites: Sites


@dataclass(frozen=True)
class Scenario:
    """A workflow in a situation.

    Attributes:
        name: of the workflow, then of the situation.
        prepare: brings a new world into the situation.
        act: what the process does that will end.
        recoveries: what follows, each tried after each end.
        settle: what is due in the end, in other processes; it is done without a crash, too.
        dear: whether it trains, so that tests try a part of its ends (see `pairs`).
    """

    name: str
    prepare: Deed
    act: Deed
    recoveries: tuple[Recovery, ...] = (again, swept)
    settle: Deed = World.sweep
    dear: bool = False

    @cached_property
    def _prepared(self) -> World:
        world = World.new()
        self.prepare(world)
        return world

    @property
    def world(self) -> World:
        """A new world in this situation."""
        return self._prepared.copied()

    @cached_property
    def calm(self) -> Calm:
        """What happens without a crash, and where it could have ended."""
        world, ends, sites = self.world, [], Sites()
        left: dict[object, End] = {}

        def watch(when: str, bucket: str, method: str) -> None:
            end = left.get(world.effects)
            if end is None:
                end = left[world.effects] = End(world.copied())
                ends.append(end)
            end.moments.append((len(world.calls.made), when))
            if when == "before":
                sites.update(writing_frames(method))

        world.calls.made.clear()
        world.calls.watcher = watch
        self.act(world)
        world.calls.watcher = None
        calls = len(world.calls.made)
        assert calls > 0, f"{self.name} calls no store"
        self.settle(world.others)
        found = wrong(world)
        assert not found, found
        return Calm(calls, ends, end_state(world), sites)

    @property
    def points(self) -> int:
        """How many crash points there are: each call, before and after, with each recovery."""
        return 2 * self.calm.calls * len(self.recoveries)

    def pairs(self, share: float = 1.0) -> list[tuple[End, Recovery]]:
        """What is to be tried; of dear scenarios a share, chosen by the name."""
        every = [(end, recovery) for end in self.calm.ends for recovery in self.recoveries]
        if not self.dear or share >= 1:
            return every
        return random.Random(self.name).sample(every, max(1, round(len(every) * share)))

    def follow(self, end: End, recovery: Recovery) -> list[str]:
        """Let happen what follows an end; what is wrong then, one line each."""
        world = end.left.copied()
        found = [f"right after the crash, {one}" for one in wrong(world)]
        recovery(world, self.act)
        self.settle(world.others)
        found += wrong(world)
        found += differences(self.calm.state, end_state(world))
        return [f"{self.name}, {end}, then {recovery.__name__}: {one}" for one in found]

    def crashes(self, pairs: Iterable[tuple[End, Recovery]]) -> Iterator[str]:
        """What is wrong after any of these."""
        for end, recovery in pairs:
            try:
                yield from self.follow(end, recovery)
            except Exception as error:  # noqa: BLE001 (reported with its crash point)
                said = f"{type(error).__name__}: {error}"
                yield f"{self.name}, {end}, then {recovery.__name__}: {said}"
