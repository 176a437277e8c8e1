"""Fewer points that still show every peak: the lowest and the highest of each stretch."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite


def thinned(places: Sequence[float], values: Sequence[float], most: int) -> list[int]:
    """Which of N points to draw, in order: all of them, or at most `most`.

    The axis is cut into stretches of the same width; of each, the first point with the lowest and
    the first with the highest value are kept, so that nothing that sticks out is lost. Where a
    stretch knows no value, one of its gaps is kept.

    Args:
        places: N places across, ascending, from 0 to 1.
        values: N values; what is not finite is a gap.
        most: at least 2.
    """
    if len(places) <= most:
        return list(range(len(places)))
    stretches = most // 2
    members: dict[int, list[int]] = {}
    for index, place in enumerate(places):
        members.setdefault(min(int(place * stretches), stretches - 1), []).append(index)
    kept: set[int] = set()
    for indexes in members.values():
        known = [index for index in indexes if isfinite(values[index])]
        if known:
            kept |= {min(known, key=values.__getitem__), max(known, key=values.__getitem__)}
        else:
            kept.add(indexes[0])
    return sorted(kept)
