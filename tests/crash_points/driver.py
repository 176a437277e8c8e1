"""Ends a workflow at every storage call it makes, before and after the call took effect.

What follows is what follows in earnest: the same command or event once more, or nothing but the
sweep. Then whatever is due happens, and the buckets must say the same as without the crash.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from perennial.errors import RefusedError
from tests.crash_points.state import State, differences, end_state, wrong
from tests.crash_points.world import World

Deed = Callable[[World], object]


def again(world: World, act: Deed) -> None:
    """Somebody asks for the same once more; a refusal says that it is done."""
    with suppress(RefusedError):
        act(world)


def swept(world: World, act: Deed) -> None:
    """Nobody comes back. The platform tells that the process is over, and the sweep finds out."""
    world.platform.ended.add("job-0")


Recovery = Callable[[World, Deed], None]


def unless(done: Callable[[World], object]) -> Recovery:
    """Somebody looks, and asks once more unless it is done: of deeds that may be done twice."""

    def looked(world: World, act: Deed) -> None:
        if not done(world.others):
            act(world)

    return looked


@dataclass(frozen=True)
class Point:
    """A crash point: at which call, whether the call took effect, and what follows."""

    at: int
    after: bool
    recovery: Recovery

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} call {self.at}, then {self.recovery.__name__}"


@dataclass(frozen=True)
class Scenario:
    """A workflow in a situation.

    Attributes:
        name: of the workflow, then of the situation.
        prepare: brings a new world into the situation.
        act: what the process does that will end.
        recoveries: what follows, each tried at each point.
        settle: what is due in the end, in other processes; it is done without a crash, too.
        dear: whether it trains, so that tests try a part of its points (see `points`).
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
    def calm(self) -> tuple[int, State]:
        """Storage calls of an undisturbed process, and what it leads to."""
        world = self.world
        world.calls.made.clear()
        self.act(world)
        calls = len(world.calls.made)
        assert calls > 0, f"{self.name} calls no store"
        self.settle(world.others)
        assert not wrong(world), wrong(world)
        return calls, end_state(world)

    def points(self, share: float = 1.0) -> list[Point]:
        """Its crash points; of dear ones a share, chosen by its name."""
        calls, _ = self.calm
        every = [Point(*one) for one in product(range(1, calls + 1), (False, True), self.recoveries)]
        if not self.dear or share >= 1:
            return every
        chance = random.Random(self.name)
        return chance.sample(every, max(1, round(len(every) * share)))

    def crash(self, point: Point) -> list[str]:
        """End the process there; what is wrong afterwards, one line each."""
        world = self.world
        with world.calls.ended(point.at, after=point.after):
            self.act(world)
        found = [f"right after the crash, {one}" for one in wrong(world)]
        point.recovery(world, self.act)
        self.settle(world.others)
        found += wrong(world)
        found += differences(self.calm[1], end_state(world))
        return [f"{self.name}, {point}: {one}" for one in found]

    def crashes(self, points: Iterable[Point]) -> Iterator[str]:
        """What is wrong after any of these."""
        for point in points:
            try:
                yield from self.crash(point)
            except Exception as error:  # noqa: BLE001 (reported with its crash point)
                yield f"{self.name}, {point}: {type(error).__name__}: {error}"
