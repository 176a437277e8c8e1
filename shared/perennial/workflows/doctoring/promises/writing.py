"""What writing means: once, or on the generation that was read."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from tempfile import TemporaryFile

from perennial.errors import ObjectNotFound, PreconditionFailed, StoreError
from perennial.workflows.doctoring.promises.room import Room, refused, require

_ROUNDS = 5
_UPDATES = 3  # of each writer
_TRIES = 200
_PARTS = 17 * 2**20 + 13
"""Bytes of a file that goes up in more than one part."""


def created_once(room: Room) -> None:
    """A name that is taken is refused, and what lies there stays."""
    first = room.store.create(room.name("a"), b"first")
    refused(
        PreconditionFailed,
        lambda: room.store.create(room.name("a"), b"second"),
        "a second create to be refused (412)",
    )
    found = room.store.read(room.name("a"))
    kept = (found.data, found.info.generation) == (b"first", first.generation)
    require(kept, "the first object to stay as it was", f"{found.data!r} of another generation")


def one_creator_wins(room: Room) -> None:
    """Of many who create at once one wins, and nobody else is told so."""
    for number in range(_ROUNDS):
        name = room.name(f"race-{number}")

        def create(writer: int, name: str = name) -> bool:
            try:
                room.store.create(name, b"%d" % writer)
            except PreconditionFailed:
                return False  # or its own success, whose answer was lost
            return True

        told = [writer for writer, won in enumerate(room.at_once(create)) if won]
        winner = int(room.store.read(name).data)
        require(
            told in ([winner], []),
            f"one of {room.writers} who create at once to win",
            f"that {len(told)} were told so, and the bytes of writer {winner}",
        )


def swapped_on_its_generation(room: Room) -> None:
    """An object is replaced only by whoever knows the generation that lies there."""
    old = room.store.create(room.name("head"), b"one").generation
    new = room.store.replace(room.name("head"), b"two", generation=old).generation
    expected = "a swap on {} to be refused (412)"
    refused(
        PreconditionFailed,
        lambda: room.store.replace(room.name("head"), b"three", generation=old),
        expected.format("an old generation"),
    )
    refused(
        PreconditionFailed,
        lambda: room.store.replace(room.name("absent"), b"three", generation=new),
        expected.format("an object that is not there"),
    )
    found = room.store.read(room.name("head"))
    kept = (found.data, found.info.generation) == (b"two", new)
    require(kept, "the first swap to stand", repr(found.data))


def no_update_is_lost(room: Room) -> None:
    """Many who read and swap at once all get their say, once."""
    name = room.name("counter")
    room.store.create(name, b"")

    def write(writer: int) -> None:
        for step in range(_UPDATES):
            mine = b"%d-%d\n" % (writer, step)
            for _ in range(_TRIES):
                found = room.store.read(name)
                if mine in found.data.splitlines(keepends=True):
                    break  # the 412 was its own success
                try:
                    room.store.replace(name, found.data + mine, generation=found.info.generation)
                except PreconditionFailed:
                    continue
                break

    room.at_once(write, 4)
    written = room.store.read(name).data.split()
    expected = {b"%d-%d" % (writer, step) for writer in range(4) for step in range(_UPDATES)}
    require(
        len(written) == len(expected) and set(written) == expected,
        f"{len(expected)} updates by compare-and-swap, each once",
        f"{len(written)}, and {len(expected - set(written))} of them lost",
    )


def generations_increase(room: Room) -> None:
    """Whatever writes an object gives it a higher generation, also after it was deleted."""
    store, name = room.store, room.name("a")
    found = [store.create(name, b"0").generation]
    found += [store.overwrite(name, b"1").generation for _ in range(3)]
    found.append(store.replace(name, b"2", generation=found[-1]).generation)
    store.delete(name)
    found.append(store.create(name, b"3").generation)
    require(found == sorted(set(found)), "each write to get a higher generation", found)


def large_files_arrive(room: Room) -> None:
    """A file that goes up in parts arrives whole, and is created once, too."""
    digest = hashlib.sha256()
    with TemporaryFile() as file:
        for number in range(_PARTS // 2**20 + 1):
            piece = hashlib.sha256(b"%d" % number).digest() * (2**20 // 32)
            piece = piece[: _PARTS - file.tell()]
            digest.update(piece)
            file.write(piece)
        info = room.store.create(room.name("large"), file)
        refused(
            PreconditionFailed,
            lambda: room.store.create(room.name("large"), file),
            "a second create of a large object to be refused (412)",
        )
    with TemporaryFile() as file:
        room.store.download(room.name("large"), file)
        size = file.tell()
        file.seek(0)
        found = hashlib.file_digest(file, "sha256").hexdigest()
    require(
        found == digest.hexdigest() and info.size == size == _PARTS,
        f"the {_PARTS:,} bytes that were sent",
        f"{size:,} bytes{'' if found == digest.hexdigest() else ' with another digest'}",
    )


def corruption_is_refused(room: Room) -> None:
    """Bytes that are not those of their checksum are not stored."""
    if room.corrupt is None:
        return
    name = room.name("corrupt")
    try:
        room.corrupt(name, b"petals")
    except StoreError as error:
        refused(
            ObjectNotFound,
            lambda: room.store.stat(name),
            f"nothing to be stored after it was refused ({error})",
        )
        return
    require(False, "bytes with a wrong checksum to be refused (400)", "it went through")


def copies_are_pinned(room: Room) -> None:
    """A copy is of the generation that was named, and overwrites nothing."""
    store = room.store
    old = store.create(room.name("a"), b"one", metadata={"k": "v"})
    store.copy_from(store, old.name, room.name("b"), generation=old.generation)
    require(store.read(room.name("b")).data == b"one", "a copy of the same bytes", "others")
    refused(
        PreconditionFailed,
        lambda: store.copy_from(store, old.name, room.name("b"), generation=old.generation),
        "a copy onto an object to be refused (412)",
    )
    store.overwrite(room.name("a"), b"two")
    try:
        store.copy_from(store, old.name, room.name("c"), generation=old.generation)
    except ObjectNotFound:
        return  # without versions, that generation is gone
    found = store.read(room.name("c")).data
    require(found == b"one", "a copy of the generation that was named", repr(found))


def deleted_is_gone(room: Room) -> None:
    """What is deleted is not found, and nothing that has been replaced is deleted."""
    store = room.store
    generation = store.create(room.name("a"), b"").generation
    store.delete(room.name("a"))
    missing = "a deleted object not to be found"
    refused(ObjectNotFound, lambda: store.read(room.name("a")), missing)
    refused(ObjectNotFound, lambda: store.delete(room.name("a")), missing)
    store.create(room.name("a"), b"again")
    with suppress(ObjectNotFound):  # without versions, that generation is gone
        store.delete(room.name("a"), generation=generation)
    found = store.read(room.name("a")).data
    require(found == b"again", "an old generation's deletion to spare the live one", repr(found))
