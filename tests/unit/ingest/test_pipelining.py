"""Making the next item while the last one is worked on."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from perennial.domain.formats.pipelining import ahead


def test_items_come_in_order() -> None:
    assert list(ahead(range(100))) == list(range(100))
    assert list(ahead(ahead([None, 0, ""]))) == [None, 0, ""]
    assert list(ahead([])) == []


def test_the_next_one_is_made_meanwhile() -> None:
    """Each waits until its forerunner is in use: in one thread that would never be."""
    in_use = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        assert in_use.wait(10)
        yield 2

    taken = []
    for item in ahead(items()):
        in_use.set()
        taken.append(item)
    assert taken == [1, 2]


def test_what_goes_wrong_reaches_the_one_who_asks() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    taken = ahead(items())
    assert next(taken) == 1
    with pytest.raises(ValueError, match="broken"):
        next(taken)


def test_nothing_goes_on_once_nobody_asks() -> None:
    before = threading.active_count()
    taken = ahead(iter(range(10**9)))
    assert next(taken) == 0
    taken.close()
    assert threading.active_count() == before
