"""Reads values of one type together, where they are plainly right.

Each function is given values and whether some may be missing. It returns them typed (the same
list where nothing had to be converted), or None where one of them is unusual or wrong: then they
must be read one by one. What it does accept is what `instance_values` accepts, and comes out the
same. Sets of types, minima and sums run in C, some 20 ns for a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from perennial.domain.serving.instance_values import BOOLEANS, EXACT, LARGEST, MAX_TEXT
from perennial.domain.versioning.manifest import InputType

_NULL = type(None)
_DIGITS = frozenset("0123456789+-")
_DECIMALS = _DIGITS | {"."}

GroupReader = Callable[[Sequence[Any], bool], Sequence[object] | None]


def _numbers(values: Sequence[Any], nullable: bool) -> Sequence[object] | None:
    present, kinds = _present(values, nullable)
    if kinds == {str}:
        # Of what these characters spell, float takes the same as the pattern of numbers does.
        values = _converted(float, values, _DECIMALS)
        present, kinds = _present(values, nullable)
    return values if kinds <= {float, int} and _within(present, LARGEST) else None


def _integers(values: Sequence[Any], nullable: bool) -> Sequence[object] | None:
    present, kinds = _present(values, nullable)
    if kinds == {str}:
        values = _converted(int, values, _DIGITS)
        present, kinds = _present(values, nullable)
    if not kinds <= {float, int} or not _within(present, EXACT):
        return None
    return None if float in kinds and any(value % 1 for value in present) else values


def _booleans(values: Sequence[Any], nullable: bool) -> Sequence[object] | None:
    present, kinds = _present(values, nullable)
    if kinds == {str}:
        typed = [None if value is None else BOOLEANS.get(value.lower()) for value in values]
        return None if typed.count(None) > len(values) - len(present) else typed
    return values if kinds <= {bool, int} and set(present) <= {0, 1} else None


def _categories(values: Sequence[Any], nullable: bool) -> Sequence[object] | None:
    present, kinds = _present(values, nullable)
    return values if kinds <= {str} and "" not in present and _short(present) else None


def _texts(values: Sequence[Any], nullable: bool) -> Sequence[object] | None:
    present, kinds = _present(values, nullable)
    return values if kinds <= {str} and _short(present) else None


def _short(texts: Sequence[str]) -> bool:
    return max(map(len, texts), default=0) <= MAX_TEXT


def _present(values: Sequence[Any], nullable: bool) -> tuple[Sequence[Any], set[type]]:
    """The values without the missing ones, where these are allowed, and the types that remain."""
    kinds = set(map(type, values))
    if nullable and _NULL in kinds:
        kinds.remove(_NULL)
        return [value for value in values if value is not None], kinds
    return values, kinds


def _within(numbers: Sequence[Any], limit: float) -> bool:
    if not numbers:
        return True
    if not (-limit <= min(numbers) and max(numbers) <= limit):
        return False
    total = sum(numbers)
    return bool(total == total)  # NaN, which neither minimum nor maximum need show


def _converted(
    convert: Callable[[str], object], values: Sequence[Any], alphabet: frozenset[str]
) -> Sequence[Any]:
    """Numbers for strings of these characters; strings as they are where one is no such number."""
    try:
        if set().union(*(value for value in values if value)) <= alphabet:
            return [None if value is None else convert(value) for value in values]
    except ValueError:
        pass
    return values


GROUPS: Mapping[InputType, GroupReader] = {
    "integer": _integers,
    "number": _numbers,
    "boolean": _booleans,
    "category": _categories,
    "text": _texts,
}
"""By type; times are read one by one."""
