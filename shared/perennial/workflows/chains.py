"""Create-only chains: numbered objects of which the last one counts."""

from __future__ import annotations

from perennial.domain import names
from perennial.ports import ObjectStore


def last_number(store: ObjectStore, base: str) -> int:
    """The number of a chain's last entry, in one listing; 0 while it has none.

    Args:
        store: the bucket.
        base: name of the first entry, with which no other object's name may begin.
    """
    return max((names.parse_number(info.name) for info in store.list(base)), default=0)
