"""What reading means: at once, whole, and of the generation that was named."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Event

from perennial.errors import ObjectNotFound, PreconditionFailed, StoreUnavailable
from perennial.workflows.doctoring.promises.room import Room, refused, require

SKEW = timedelta(seconds=60)
"""By how much the clocks of this machine and of the store may differ."""

_METADATA = {"kind": "rose; ünïcödé", "rows": "12"}
_READS = 30
_NAMES = (
    "with space",
    "ünïcödé/日本語/🌼",
    "hash#mark?query=1&x=2",
    "per%20cent%2Fcoded%",
    "a/../b",
    "double//slash",
    "quote'\"back\\slash",
    "bracket[0]*{x}?",
)


def facts_are_kept(room: Room) -> None:
    """Bytes, size, generation and metadata are those of the write, at once."""
    created = room.store.create(room.name("a"), b"petals", metadata=_METADATA)
    read, stat = room.store.read(room.name("a")), room.store.stat(room.name("a"))
    require(read.data == b"petals", "the bytes that were written", repr(read.data))
    require(dict(stat.metadata) == _METADATA, f"metadata {_METADATA}", dict(stat.metadata))
    found = {one.generation for one in (created, read.info, stat)}
    require(len(found) == 1, "write, read and look to name one generation", sorted(found))
    listed = [one for one in room.store.list(room.prefix) if one.name == created.name]
    require(listed == [stat], "a listing to show what a look shows", listed)


def absent_is_not_found(room: Room) -> None:
    """What was never written is not found, nor is a generation that never was."""
    generation = room.store.create(room.name("there"), b"").generation
    expected = "what is not there not to be found (404)"
    refused(ObjectNotFound, lambda: room.store.read(room.name("absent")), expected)
    refused(ObjectNotFound, lambda: room.store.stat(room.name("absent")), expected)
    refused(
        ObjectNotFound,
        lambda: room.store.read(room.name("there"), generation=generation - 1),
        "a generation that never was not to be found (404)",
    )


def reads_are_pinned(room: Room) -> None:
    """Who names a generation gets its bytes, whatever came later, or nothing."""
    old = room.store.create(room.name("a"), b"one").generation
    new = room.store.overwrite(room.name("a"), b"two").generation
    found = room.store.read(room.name("a"), generation=new).data
    require(found == b"two", "the bytes of the live generation", repr(found))
    try:
        found = room.store.read(room.name("a"), generation=old).data
    except ObjectNotFound:
        return
    require(found == b"one", "the bytes of the generation that was named", repr(found))


def replaced_is_gone(room: Room) -> None:
    """Without versions, a generation that was replaced is not found."""
    old = room.store.create(room.name("a"), b"one").generation
    room.store.overwrite(room.name("a"), b"two")
    expected = "a replaced generation not to be found (404)"
    refused(ObjectNotFound, lambda: room.store.read(room.name("a"), generation=old), expected)
    refused(ObjectNotFound, lambda: room.store.stat(room.name("a"), generation=old), expected)


def versions_are_kept(room: Room) -> None:
    """With versions, what was replaced or deleted can be read, and is listed, the oldest first."""
    store, name = room.store, room.name("a")
    one = store.create(name, b"one").generation
    two = store.overwrite(name, b"two").generation
    store.delete(name)
    refused(ObjectNotFound, lambda: store.read(name), "a deleted object not to be found")
    for generation, data in ((one, b"one"), (two, b"two")):
        found = store.read(name, generation=generation).data
        require(found == data, "the bytes of a noncurrent generation", repr(found))
    listed = [(info.generation, info.deleted is None) for info in store.list(name, versions=True)]
    expected = [(one, False), (two, False)]
    require(listed == expected, "a listing of both generations, noncurrent", listed)
    require(not list(store.list(name)), "nothing in a listing of what is live", "something")


def bytes_fit_their_generation(room: Room) -> None:
    """While others overwrite, bytes and generation of a read belong together."""
    name = room.name("busy")
    written = {room.store.create(name, b"0" * 1000).generation: b"0"}
    enough = Event()

    def write() -> None:
        for number in range(10_000):
            digit = b"%d" % (number % 10)
            with suppress(StoreUnavailable):  # too many writes a second of one object
                written[room.store.overwrite(name, digit * 1000).generation] = digit
            if enough.is_set():
                return

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            seen = [room.store.read(name) for _ in range(_READS)]
        finally:
            enough.set()
        writing.result()
    for found in seen:
        digit = written.get(found.info.generation, found.data[:1])  # whose answer was lost
        require(
            found.data == digit * 1000,
            f"the bytes of generation {found.info.generation}",
            f"{found.data[:1]!r} {len(found.data)} times, not {digit!r}",
        )


def any_name_is_a_name(room: Room) -> None:
    """Names mean nothing to the store: slashes, dots, percent signs and any letters."""
    for name in _NAMES:
        room.store.create(room.name(name), name.encode())
        found = room.store.read(room.name(name)).data
        require(found == name.encode(), f"what was written as {name!r}", repr(found))
    listed = room.listed()
    require(set(listed) == set(_NAMES), "a listing of exactly these names", listed)


def clocks_agree(room: Room) -> None:
    """Claims expire by this machine's clock; what the store stamps is held against it."""
    before = room.clock.now()
    try:
        info = room.store.create(room.name("clock"), b"")
    except PreconditionFailed:  # its own success
        info = room.store.stat(room.name("clock"))
    after = room.clock.now()
    early, late = before - info.created, info.created - after
    require(
        early <= SKEW and late <= SKEW,
        f"clocks that differ by at most {SKEW.total_seconds():.0f} s",
        f"that the store's is {max(early, late).total_seconds():.0f} s "
        f"{'behind' if early > late else 'ahead'}",
    )
    stamped = datetime.fromtimestamp(info.generation / 1e6, UTC)
    require(
        abs(stamped - info.created) <= SKEW,
        "generations that say when they were written (microseconds since 1970)",
        f"{info.generation}, written {info.created:%Y-%m-%d %H:%M:%S}",
    )
