"""Situations of files: every kind of verdict, every way out of quarantine."""

from __future__ import annotations

from functools import partial

from perennial.workflows.queue import accepted_files
from perennial.workflows.repairing import repair
from perennial.workflows.suspects import set_aside
from tests.crash_points.driver import Deed, Scenario, again, unless
from tests.crash_points.world import World
from tests.integration.ingest.world import BAD, GOOD, LENIENT, OTHER, UNLABELLED, VISITS, crown

LARGE = bytes(80_000)
"""Large enough to be too much, packed; no file of any format, so that it is judged in no time."""

KEYED = VISITS.replace("  people:", "  visit: {type: category, role: key}\n  people:")
REDELIVERED = b"when,visit,people,bought\n2024-02-01,x,2,true\n2024-02-02,y,1,false\n"


def applied(world: World, text: str = VISITS) -> None:
    world.apply(text)


def arrives(name: str, data: bytes = GOOD, text: str = VISITS) -> Deed:
    """A definition is in force, and a file lies in landing."""

    def prepare(world: World) -> None:
        applied(world, text)
        world.facts["file"] = world.drop(name, data)

    return prepare


def ingest(world: World) -> None:
    world.ingest(world.facts["file"])


def duplicate(world: World) -> None:
    applied(world)
    world.drop_and_ingest("shop/a.csv", GOOD)
    world.platform.ended.add("job-1")
    world.facts["file"] = world.drop("shop/b.csv", GOOD)


def overtaken_duplicate(world: World) -> None:
    """Its owner has no verdict yet."""
    applied(world)
    first = world.drop("shop/a.csv", GOOD)
    with world.calls.ended(("data", "create", 2), after=True):
        world.ingest(first)
    world.facts["file"] = world.drop("shop/b.csv", GOOD)


def next_owner(world: World) -> None:
    """The content belongs to a file that was rejected."""
    applied(world)
    world.drop_and_ingest("shop/a.csv", BAD)
    applied(world, LENIENT)
    world.facts["file"] = world.drop("shop/b.csv", BAD)


def pending(world: World) -> None:
    world.facts["file"] = world.drop("shop/a.csv", GOOD)


def vanished(world: World) -> None:
    arrives("shop/a.csv")(world)
    world.drop("shop/a.csv", BAD)


def redelivered(world: World) -> None:
    """A correction of the day before, under a definition by which it takes its place."""
    text = KEYED + "files: {redelivery: supersede}\n"
    applied(world, text)
    world.drop_and_ingest("shop/a.csv", REDELIVERED)
    world.platform.ended.add("job-1")
    world.facts["file"] = world.drop("shop/b.csv", REDELIVERED.replace(b"y,1", b"y,3"))


def with_champion(name: str, data: bytes = UNLABELLED) -> Deed:
    def prepare(world: World) -> None:
        applied(world)
        crowned(world)
        world.facts["file"] = world.drop(name, data)

    return prepare


def crowned(world: World) -> None:
    """A version serves, as far as its manifest tells: nothing is predicted here."""
    crown("shop", world.others.buckets, created=world.clock.now())


INGEST = {
    "good": arrives("shop/a.csv"),
    "bad": arrives("shop/a.csv", BAD),
    "a few bad rows": arrives("shop/a.csv", BAD, VISITS + "rows: {max_bad_row_fraction: 0.5}\n"),
    "duplicate": duplicate,
    "overtaken duplicate": overtaken_duplicate,
    "content of a rejected file": next_owner,
    "correction": redelivered,
    "pending": pending,
    "vanished": vanished,
    "misspelt": arrives("shp/a.csv"),
    "at the root": arrives("a.csv"),
    "reserved folder": arrives("shop/labels/a.csv"),
    "large": arrives("shop/a.csv.gz", LARGE),
    "to score": with_champion("shop/score/a.csv"),
    "bad, to score": with_champion("shop/score/a.csv", b"when,people\n2024-02-08,99\n"),
}


def quarantined(world: World, data: bytes = BAD, text: str = LENIENT) -> None:
    """A file is in quarantine, and the definition in force may say otherwise."""
    applied(world)
    world.facts["file"] = world.drop_and_ingest("shop/a.csv", data).file
    if text != VISITS:
        applied(world, text)


def suspect(world: World) -> None:
    applied(world)
    world.facts["file"] = world.drop_and_ingest("shop/a.csv", GOOD).file
    put_aside(world)
    world.platform.ended.add("job-1")


def put_aside(world: World) -> None:
    """As a run does with what surprises it."""
    data = world.buckets.data
    files = accepted_files(data, "shop")
    now = world.clock.now()
    set_aside(data, "shop", files, by="run r1", reason="it surprises", decided=now)


def two_accepted(world: World) -> None:
    applied(world)
    world.drop_and_ingest("shop/a.csv", GOOD)
    world.drop_and_ingest("shop/b.csv", OTHER)
    world.platform.ended.update({"job-1", "job-2"})


def bad_rows(world: World) -> None:
    arrives("shop/a.csv", BAD, VISITS + "rows: {max_bad_row_fraction: 0.5}\n")(world)
    ingest(world)


def held_to_score(world: World) -> None:
    with_champion("shop/score/a.csv", b"when,people\n2024-02-08,99\n")(world)
    ingest(world)


def retry(world: World) -> None:
    world.hospital().retry(world.facts["file"], by="ann")


def release(world: World) -> None:
    world.hospital().release(world.facts["file"], by="ann", why="I know better")


def discard(world: World) -> None:
    world.hospital().discard(world.facts["file"], by="ann", why="a joke")


def repaired(world: World) -> None:
    data = BAD.replace(b"99", b"9")
    repair(world.hospital(), world.facts["file"], data, how="by hand", by="ann")


def gone(world: World) -> None:
    """Landing has lost the original since; quarantine holds it."""
    _still_bad(world)
    file = world.facts["file"]
    world.stores["landing"].delete(file.name, generation=file.generation)


def decided_twice(world: World) -> bool:
    return any(info.name.endswith(".0002.json") for info in world.stores["data"].list("shop/v"))


_still_bad = partial(quarantined, text=VISITS)

HOSPITAL: dict[str, tuple[Deed, Deed]] = {
    "retry, accepted": (quarantined, retry),
    "retry of a suspect": (suspect, retry),
    "release": (_still_bad, release),
    "release of a suspect": (suspect, release),
    "release of a file to score": (held_to_score, release),
    "discard": (_still_bad, discard),
    "discard of a suspect": (suspect, discard),
    "discard of bad rows": (bad_rows, discard),
    "repair": (_still_bad, repaired),
}

FILES = [
    *(Scenario(f"ingest, {name}", prepare, ingest) for name, prepare in INGEST.items()),
    *(
        Scenario(name, prepare, act, recoveries=(again,))
        for name, (prepare, act) in HOSPITAL.items()
    ),
    Scenario("retry, rejected again", _still_bad, retry, recoveries=(unless(decided_twice),)),
    Scenario("retry, original gone", gone, retry, recoveries=(unless(decided_twice),)),
    Scenario("set aside, two files", two_accepted, put_aside, recoveries=(again,)),
]
