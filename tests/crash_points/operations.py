"""Situations of commands, and of what the clock starts: apply, import, score, drop, ticks."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import timedelta
from functools import cache, partial
from pathlib import Path

from perennial.domain import names
from perennial.domain.monitoring.report import Change
from perennial.domain.serving.batch import Request as ScoreRequest
from perennial.domain.versioning.importing import Request
from perennial.workflows.batch.asking import Asker
from perennial.workflows.drop import Dropper, Upload
from perennial.workflows.hand_in import hand_in
from perennial.workflows.monitoring.look import Lookout
from perennial.workflows.monitoring.tick import watch
from perennial.workflows.replays import keep_replay, latest_replay
from tests.crash_points.driver import Scenario, again, swept, unless
from tests.crash_points.versions import learned, one_class, taps
from tests.crash_points.world import World
from tests.integration.ingest.world import BAD, GOOD, VISITS
from tests.unit.batch.conftest import KEYED, visits
from tests.unit.importing.conftest import classifier
from tests.unit.training.conftest import DEFINITION, START, day_of_taps

LOOKED_UP = KEYED + "serving: {lookup: true}\n"
PATIENCE = 3600.0


@cache
def graph(*, wrong: bool = False) -> bytes:
    """A model from elsewhere."""
    return classifier(wrong=wrong).SerializeToString()


def nothing(world: World) -> None:
    """No pipeline at all."""


def files_wait(world: World) -> None:
    world.drop_and_ingest("shop/a.csv", GOOD)
    world.drop_and_ingest("shop/b.csv", BAD)


def apply(world: World, text: str = VISITS) -> None:
    world.apply(text)


def after_a_run_that_waits(world: World) -> None:
    """The last run could make no model of what it found, and nobody else will try it again."""
    one_class(world)
    world.run_what_was_asked_for()


MANUAL = DEFINITION + "promotion: {mode: manual}\n"
MORE_CLASSES = DEFINITION.replace("min_rows: 40", "min_rows: 30")


def unswept(world: World) -> None:
    """Events were lost: files of several kinds have no verdict, and one is to be scored."""
    learned(world, 0)
    for name, data in (("day1.csv", day_of_taps(1)), ("bad.csv", b"<html>"), ("score/a.csv", b"")):
        world.drop(f"taps/{name}", data or visits(20).encode())
    world.drop("tpas/day1.csv", day_of_taps(1))
    world.drop("other/a.csv", GOOD)


def sweep(world: World) -> None:
    world.sweep()


def to_score(world: World, text: str = DEFINITION, *, key: bool = False) -> None:
    taps(world, text)
    data = visits(100, seed=5, label=True, key=True).encode() if key else day_of_taps(0)
    world.drop_and_ingest("taps/day0.csv", data)
    world.run_what_was_asked_for()
    for name in ("a.csv", "b.csv"):
        world.drop_and_ingest(f"taps/score/{name}", visits(20, key=key, seed=len(name)).encode())


def score_waiting(world: World) -> None:
    world.task("job-0", "score", "taps", "waiting")


def requested(world: World) -> None:
    """A person asks for a file to be scored by a version that does not serve any more."""
    learned(world, 0, 1)
    file = world.drop_and_ingest("taps/score/a.csv", visits(20).encode()).file
    world.deliver()
    wanted = ScoreRequest("taps", "v000001", (file,))
    world.facts["digest"] = wanted.digest
    world.stores["data"].create(names.score_request("taps", wanted.digest), wanted.to_json())


def score_requested(world: World) -> None:
    world.task("job-0", "score", "taps", world.facts["digest"])


def uploads(*contents: bytes) -> list[Upload]:
    folder = Path(tempfile.mkdtemp(prefix="crash-points-"))
    found = []
    for number, data in enumerate(contents):
        path = folder / f"{number}.csv"
        path.write_bytes(data)
        found.append(Upload(path, path.name))
    return found


def asker(world: World, version: str | None = None) -> None:
    """`perennial score`: what it waits for happens meanwhile."""
    world.clock.others = world.deliver
    files = uploads(visits(20).encode(), visits(20, seed=3).encode())
    Asker(
        world.buckets, world.registry, world.platform, world.clock, "taps", PATIENCE
    ).score(files, version)  # fmt: skip


def drop(world: World, *, backfill: bool = False, wait: bool = False) -> None:
    """`perennial drop`."""
    world.clock.others = world.deliver
    files = uploads(day_of_taps(1), day_of_taps(2))
    Dropper(
        world.buckets, world.registry, world.platform, world.clock, "taps", PATIENCE
    ).drop(files, backfill=backfill, wait=wait)  # fmt: skip


def request(*, wrong: bool = False, through: int = -1) -> Request:
    sha256 = hashlib.sha256(graph(wrong=wrong)).hexdigest()
    time = START + timedelta(days=through, hours=23)
    return Request("taps", sha256, "elsewhere.onnx", time, "ada", "from the old system")


def handed_in(world: World, *, days: int = 1, wrong: bool = False, through: int = -1) -> None:
    """A graph and its request lie where the job finds them."""
    taps(world)
    for day in range(days):
        world.day(day)
    asked = request(wrong=wrong, through=through)
    models = world.stores["models"]
    models.create(names.import_graph("taps", asked.sha256), graph(wrong=wrong))
    models.create(names.import_request("taps", asked.digest), asked.to_json())
    world.facts["digest"] = asked.digest


def take_in(world: World) -> None:
    world.task("job-0", "import", "taps", world.facts["digest"])


def hands_in(world: World) -> None:
    """`perennial import`."""
    world.clock.others = world.others.run_what_was_asked_for
    hand_in(
        world.buckets.data, world.registry, world.platform, world.clock, request(), graph(),
        patience=PATIENCE,
    )  # fmt: skip


def with_rows(world: World) -> None:
    taps(world)
    world.day(0)
    world.platform.ended.add("job-1")


def rebuild(world: World) -> None:
    world.task("job-0", "rebuild", "taps", "v000001")


def failed(world: World) -> None:
    """The last run could make no model, and a monitor has something to tell."""
    after_a_run_that_waits(world)
    for day in range(1, 6):
        world.day(day, always=1)
        world.run_what_was_asked_for()
    world.clock.time += timedelta(days=3)


def tick(world: World) -> None:
    """As `functions/monitor` does."""
    world.sweep()

    def channel(pipeline: str, change: Change) -> None:
        world.told.append((pipeline, f"{change.what} {change.finding.kind}"))

    lookout = Lookout(world.buckets, world.registry, world.platform, world.clock)
    watched = watch(lookout, world.registry.pipelines(), {"log": channel, "webhook": channel})
    assert not watched.errors, watched.errors


def replayed(world: World) -> None:
    keep_replay(
        world.buckets.data, "taps", {"best": "every file"}, at=world.clock.now(), by="ada"
    )  # fmt: skip


AGAIN, BOTH = (again,), (again, swept)
OPERATIONS = [
    Scenario("apply, first", nothing, apply, AGAIN),
    Scenario("apply, files wait", files_wait, apply, AGAIN),
    Scenario(
        "apply, another", with_rows, partial(apply, text=MANUAL),
        AGAIN,
    ),
    Scenario(
        "apply, after a run that got nowhere", after_a_run_that_waits,
        partial(apply, text=MORE_CLASSES), AGAIN,
    ),
    Scenario("sweep", unswept, sweep, AGAIN, World.deliver, dear=True),
    Scenario("monitor tick", failed, tick, AGAIN, tick),
    Scenario("score, files wait", to_score, score_waiting, BOTH, World.deliver),
    Scenario(
        "score, with a look-up", partial(to_score, text=LOOKED_UP, key=True), score_waiting, BOTH,
        World.deliver,
    ),
    Scenario("score, requested", requested, score_requested, AGAIN, World.deliver),
    Scenario("score, command", lambda w: learned(w, 0), asker, AGAIN,
             World.deliver, dear=True),
    Scenario("score, command with a version", lambda w: learned(w, 0, 1),
             partial(asker, version="v000001"), AGAIN, World.deliver, dear=True),
    Scenario("drop", lambda w: learned(w, 0), drop, AGAIN, World.deliver, dear=True),
    Scenario("drop, backfill", lambda w: learned(w, 0), partial(drop, backfill=True), AGAIN,
             World.deliver, dear=True),
    Scenario("import, first version", handed_in, take_in, AGAIN, World.deliver, dear=True),
    Scenario("import, turned down", partial(handed_in, wrong=True), take_in, AGAIN, World.deliver,
             dear=True),
    Scenario("import, waits", partial(handed_in, through=9), take_in, AGAIN, World.deliver,
             dear=True),
    Scenario("import, command", with_rows, hands_in, AGAIN, World.deliver, dear=True),
    Scenario("rebuild", lambda w: learned(w, 0), rebuild, AGAIN, World.deliver, dear=True),
    Scenario("replay, kept", taps, replayed,
             (unless(lambda w: latest_replay(w.stores["data"], "taps")),)),
]  # fmt: skip
