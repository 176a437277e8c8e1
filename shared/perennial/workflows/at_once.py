"""Store calls many at a time: an answer takes tens of milliseconds, whatever is in it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")

AT_ONCE = 16


def at_once(call: Callable[[_Item], _Answer], items: Collection[_Item]) -> list[_Answer]:
    """What the call answers to each item, in their order; the first that fails raises."""
    if not items:
        return []
    with ThreadPoolExecutor(min(AT_ONCE, len(items))) as pool:
        return list(pool.map(call, items))
