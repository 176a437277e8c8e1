"""What a listing shows: everything, at once, in the order of the names' bytes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from perennial.workflows.doctoring.promises.room import Room, require, same

_ODD = (
    "b", "a/b", "a", "a b", "a-", "Z", "é", "e\u0301", "z", "\uffff", "🌼", "a/", "10", "9",
)  # fmt: skip
_MANY = 1010
"""Objects that take a second page."""

_AT_ONCE = 16


def shown_at_once(room: Room) -> None:
    """What was written or deleted a moment ago is shown, or not, by the next listing."""
    for number in range(10):
        room.store.create(room.name(str(number)), b"")
        same([str(n) for n in range(number + 1)], room.listed(), "a listing after a write")
    for number in range(10):
        room.store.delete(room.name(str(number)))
        same([str(n) for n in range(number + 1, 10)], room.listed(), "a listing after a deletion")


def in_order(room: Room) -> None:
    """Names come in the order of their UTF-8 bytes."""
    for name in _ODD:
        room.store.create(room.name(name), b"")
    same(sorted(_ODD, key=str.encode), room.listed(), "the order of UTF-8 bytes")


def within_bounds(room: Room) -> None:
    """The start of a listing is included, its end is not; prefix and limit hold."""
    for name in "abcde":
        room.store.create(room.name(name), b"")
    start, end = room.name("b"), room.name("d")
    same(["b", "c"], room.listed(start=start, end=end), "from b to before d")
    same(["c", "d", "e"], room.listed(start=room.name("bb")), "from bb on")
    same(["a"], room.listed(end=start), "before b")
    same(["c"], room.listed("c"), "names that begin with c")
    same(["b", "c"], room.listed(start=start, limit=2), "two from b on")


def past_a_page(room: Room) -> None:
    """A listing goes on past its first thousand, and misses none."""
    names = [f"{number:05d}" for number in range(_MANY)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda name: room.store.create(room.name(name), b""), reversed(names)))
    found = room.listed()
    require(
        found == names,
        f"{_MANY:,} names in order",
        f"{len(found):,}, {len(set(names) - set(found)):,} of them missing",
    )
    same(names[:1002], room.listed(limit=1002), "a limit beyond a page")
    same(
        names[5 : _MANY - 2],
        room.listed(start=room.name(names[5]), end=room.name(names[_MANY - 2])),
        "bounds on both pages",
    )
