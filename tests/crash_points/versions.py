"""Situations of versions: what runs make of files, and what people say of versions."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from perennial.workflows import promotion
from perennial.workflows.recall import Recaller
from perennial.workflows.retrain import retrain
from tests.crash_points.driver import Deed, Recovery, Scenario, again, swept, unless
from tests.crash_points.world import YEAR, World
from tests.unit.training.conftest import DEFINITION, day_of_taps
from tests.unit.training.test_static import TWO

KEYED = DEFINITION.replace("  at:", "  visit: {type: integer, role: key}\n  at:")
MANUAL = DEFINITION + "promotion: {mode: manual}\n"
SUPERSEDE = DEFINITION + "files: {redelivery: supersede}\n"
CALM = DEFINITION + "promotion: {surprise: null, probation: PROBATION, tolerance: 0.5}\n"


def taps(world: World, text: str = DEFINITION) -> None:
    world.apply(text)


def learned(world: World, *days: int, text: str = DEFINITION, rows: int = 100) -> None:
    """Each day's file came and was learned before the next."""
    taps(world, text)
    for day in days:
        world.day(day, rows=rows)
        world.run_what_was_asked_for()


def first(world: World) -> None:
    learned(world)
    world.day(0)


def too_few_rows(world: World) -> None:
    learned(world)
    world.day(0, rows=20)
    world.day(1, rows=15)


def one_class(world: World) -> None:
    """A run begins, and no model can be made."""
    learned(world)
    world.day(0, always=1)


def second(world: World, text: str = DEFINITION) -> None:
    learned(world, 0, text=text)
    world.day(1)


def three_at_once(world: World) -> None:
    learned(world, 0)
    for day in (1, 2, 3):
        world.day(day)


def worse(world: World) -> None:
    """Wrong labels make a worse model, before it is known what is usual."""
    taps(world)
    world.day(0, rows=200)
    world.run_what_was_asked_for()
    taps(world, DEFINITION + "  trigger: {files: 2}\n")
    world.day(1, rows=400, wrong=range(400))
    world.day(2)


def pinned(world: World) -> None:
    learned(world, 0, 1)
    promotion.pin(world.registry, world.clock, "taps", by="bob", why="calm")
    world.day(2)


def one_waits(world: World) -> None:
    """A version waits, and the next one that passes takes its place."""
    learned(world, 0, 1, text=MANUAL)
    world.day(2, rows=200)


def surprised(world: World) -> None:
    """Nine usual days, then one whose labels are all wrong, and a usual one."""
    learned(world, *range(9), rows=60)
    world.day(20, rows=60, wrong=range(60))
    world.day(21, rows=60)


def poisoned(world: World, probation: str) -> None:
    """A file whose labels are all wrong was learned, and the next ones show it."""
    learned(world, *range(4), text=CALM.replace("PROBATION", probation), rows=60)
    world.day(4, rows=600, wrong=range(600))
    world.run_what_was_asked_for()
    world.day(5)
    world.day(6)


def corrected(world: World) -> None:
    """A day came again, corrected, and takes the place of what was learned."""
    taps(world, SUPERSEDE)
    world.day(0)
    world.run_what_was_asked_for()
    world.day(1, wrong=range(2))
    world.run_what_was_asked_for()
    world.drop_and_ingest("taps/day1.csv", day_of_taps(1))


def keyed(world: World) -> None:
    """Rows have keys, so that a run adds to their index."""
    taps(world, KEYED)
    for day in (0, 1):
        lines = day_of_taps(day).decode().splitlines()
        rows = [f"{day * 90 + n},{line}" for n, line in enumerate(lines[1:])]
        world.drop_and_ingest(
            f"taps/day{day}.csv", "\n".join([f"visit,{lines[0]}", *rows]).encode()
        )
        if day == 0:
            world.run_what_was_asked_for()


def static(world: World) -> None:
    """The span is whole with the second file; a third is scored."""
    learned(world, text=TWO)
    for day in range(3):
        world.day(day)


def own_trigger(world: World) -> None:
    learned(world, 0, text=DEFINITION + "  trigger: {files: 2}\n")
    world.run_what_was_asked_for()
    world.day(1)
    world.day(2)


def other_recipe(world: World) -> None:
    learned(world, 0)
    taps(world, DEFINITION.replace("min_rows: 40", "min_rows: 40\n  parameters: {C: 0.5}"))
    world.day(1)


def upgraded(world: World) -> None:
    """Another environment than the champion's trains next."""
    old = {"python": "3.11.7", "scikit-learn": "1.9.1", "dependencies": "d" * 64, "code": "c" * 64}
    world.environment = old
    second(world)
    world.environment = {**old, "scikit-learn": "1.9.2", "dependencies": "e" * 64}


def train(world: World, *, force: bool = False) -> None:
    world.job(force=force)


RUNS: dict[str, Deed] = {
    "first version": first,
    "too few rows": too_few_rows,
    "no model can be made": one_class,
    "promotion": second,
    "promotion, three files": three_at_once,
    "rejection": worse,
    "waits, pinned": pinned,
    "waits, superseding another": one_waits,
    "suspect": surprised,
    "probation, alert": partial(poisoned, probation="alert"),
    "probation, return": partial(poisoned, probation="return"),
    "correction": corrected,
    "keys": keyed,
    "static, then scored": static,
    "own trigger": own_trigger,
    "another recipe": other_recipe,
    "upgrade check": upgraded,
}


def settled_by_another_file(world: World) -> None:
    """What only a run looks at, the next one looks at again, when another file comes."""
    world.deliver()
    world.clock.time = datetime(YEAR, 1, 9, tzinfo=UTC)  # whatever took how long before
    world.day(7)
    world.deliver()


LATER = {"probation, alert": settled_by_another_file, "upgrade check": settled_by_another_file}


def waiting(world: World) -> None:
    learned(world, 0, text=MANUAL)


def waiting_behind_a_champion(world: World) -> None:
    waiting(world)
    promotion.approve(world.registry, "taps", None, by="ann", why="fine")
    world.day(1)
    world.run_what_was_asked_for()


def line(world: World) -> None:
    learned(world, 0, 1, 2)


def rolled_back(world: World) -> None:
    line(world)
    rollback(world, "v000002")
    world.day(3)
    world.run_what_was_asked_for()


def unpinned(world: World) -> None:
    rolled_back(world)
    unpin(world)


def rollback(world: World, to: str | None) -> None:
    promotion.rollback(world.registry, world.clock, "taps", to, by="bob", why="a feeling")


def unpin(world: World) -> None:
    promotion.unpin(world.registry, "taps", by="bob")


def pin(world: World) -> None:
    promotion.pin(world.registry, world.clock, "taps", by="bob", why="calm")


def approve(world: World, version: str | None = None) -> None:
    promotion.approve(world.registry, "taps", version, by="ann", why="fine")


def reject(world: World) -> None:
    promotion.reject(world.registry, "taps", None, by="ann", why="no")


def is_pinned(world: World) -> bool:
    return world.head().pin is not None


AGAIN: tuple[Recovery, ...] = (again,)
LOOKED: tuple[Recovery, ...] = (unless(is_pinned),)

VERBS: dict[str, tuple[Deed, Deed, tuple[Recovery, ...]]] = {
    "rollback, to a named version": (line, partial(rollback, to="v000001"), AGAIN),
    "rollback": (line, partial(rollback, to=None), LOOKED),
    "pin": (line, pin, LOOKED),
    "unpin": (rolled_back, unpin, AGAIN),
    "approve, first": (waiting, approve, AGAIN),
    "approve": (waiting_behind_a_champion, approve, AGAIN),
    "approve, a named version": (unpinned, partial(approve, version="v000004"), AGAIN),
    "reject": (waiting_behind_a_champion, reject, AGAIN),
}  # fmt: skip


def five_and_a_pin(world: World) -> None:
    learned(world, *range(5))
    rollback(world, "v000004")


def recall(world: World, file: str = "day2.csv", *, without_champion: bool = False) -> None:
    Recaller(
        world.buckets, world.registry, world.platform, world.clock, "taps", without_champion
    ).recall(file, by="ada", why="cents")


def retrains(world: World) -> None:
    """The job that the platform was asked for works while the command waits for it."""
    world.clock.others = world.others.run_what_was_asked_for
    retrain(world.buckets, world.registry, world.platform, world.clock, "taps")


def static_and_learned(world: World) -> None:
    """Static, so that nothing but a person's wish makes another version."""
    learned(world, 0, 1, text=TWO)


VERSIONS = [
    *(
        Scenario(
            f"train, {name}", prepare, train, (again, swept), LATER.get(name, World.deliver),
            dear=True,
        )
        for name, prepare in RUNS.items()
    ),
    *(
        Scenario(name, prepare, act, recoveries, World.deliver)
        for name, (prepare, act, recoveries) in VERBS.items()
    ),
    Scenario(
        "recall, of a pinned champion", five_and_a_pin, recall, (again,), World.deliver, dear=True
    ),
    Scenario(
        "recall, without champion", lambda w: learned(w, 0, 1),
        partial(recall, file="day0.csv", without_champion=True), (again,), World.deliver, dear=True,
    ),
    Scenario(
        "retrain", static_and_learned, retrains,
        (unless(lambda world: ("train", "taps", "force") in world.platform.asked),),
        World.deliver, dear=True,
    ),
    Scenario(
        "train, forced", static_and_learned, partial(train, force=True),
        (unless(lambda world: "v000002" in world.head().statuses),), World.deliver, dear=True,
    ),
]  # fmt: skip
