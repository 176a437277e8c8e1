"""Doing the next step of a sequence while its last one is worked on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


def ahead(items: Iterable[_T]) -> Iterator[_T]:
    """The same items, the next of which is made in a thread of its own meanwhile.

    For work that leaves the interpreter to others, as parsing does; one item waits at most.
    """
    source = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as maker:
        coming = maker.submit(_next, source)
        while (found := coming.result()) is not None:
            coming = maker.submit(_next, source)
            yield found[0]


def _next(source: Iterator[_T]) -> tuple[_T] | None:
    return next(((item,) for item in source), None)
