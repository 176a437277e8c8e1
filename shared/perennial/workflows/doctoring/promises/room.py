"""Where a promise is tried: a prefix of a bucket, and how to say that it was broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Literal, TypeVar

from perennial.errors import StoreError
from perennial.ports import Clock, ObjectStore

T = TypeVar("T")


class Broken(Exception):
    """A promise was not kept.

    Args:
        expected: what it says.
        found: what happened instead.
    """

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected = expected
        self.found = found


@dataclass(frozen=True, slots=True)
class Room:
    """A place in a bucket that is one check's own.

    Attributes:
        store: the bucket.
        prefix: of every name that is written.
        clock: the time on this machine.
        corrupt: sends an object with a checksum that is not that of its bytes; None where no
            bytes travel.
        writers: how many write at once.
    """

    store: ObjectStore
    prefix: str
    clock: Clock
    corrupt: Callable[[str, bytes], None] | None = None
    writers: int = 8

    def name(self, name: str) -> str:
        """A name in this room."""
        return self.prefix + name

    def listed(self, prefix: str = "", **bounds: str | int | bool | None) -> list[str]:
        """Names as a listing shows them, without the room's prefix."""
        listed = self.store.list(self.prefix + prefix, **bounds)  # type: ignore[arg-type]
        return [info.name.removeprefix(self.prefix) for info in listed]

    def at_once(self, deed: Callable[[int], T], times: int | None = None) -> list[T]:
        """Do something in threads that start together; each gets its number."""
        number = times or self.writers
        barrier = Barrier(number)

        def do(one: int) -> T:
            barrier.wait()
            return deed(one)

        with ThreadPoolExecutor(number) as pool:
            return list(pool.map(do, range(number)))


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that a bucket does.

    Attributes:
        name: what it does, in a few words.
        check: tries to break it; raises `Broken`, or a `StoreError` where it could not be tried.
        needs: what it takes to try: a bucket with versions, one without, bytes that travel.
    """

    name: str
    check: Callable[[Room], None]
    needs: Literal["", "versions", "no versions", "travel"] = ""


def require(kept: bool, expected: str, found: object) -> None:
    """Raise `Broken` unless a promise was kept."""
    if not kept:
        raise Broken(expected, str(found))


def refused(error: type[StoreError], deed: Callable[[], object], expected: str) -> None:
    """See that something is refused by this error; raise `Broken` where it goes through."""
    try:
        deed()
    except error:
        return
    raise Broken(expected, "it went through")


def same(expected: Sequence[str], found: Sequence[str], what: str) -> None:
    """Raise `Broken` unless a listing shows these names in this order."""
    require(list(expected) == list(found), f"{what}: {_few(expected)}", _few(found))


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    return f"{shown}, … ({len(names)})" if len(names) > 8 else shown or "nothing"
