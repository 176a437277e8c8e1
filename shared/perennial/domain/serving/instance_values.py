"""Reads one JSON value, or one cell, as a column's type; what it says is what was expected.

Every value becomes what training read from the files:

- integer, number: a JSON number, or a string that holds one (the cells of a CSV file are strings);
  an integer that float32 cannot hold exactly is refused, for the model would see another one;
- boolean: true and false, 0 and 1, and their strings;
- category, text: a string;
- timestamp: a string in the declared format or in ISO 8601; without an offset it is UTC.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from perennial.domain.versioning.manifest import Input

LARGEST = 3.4028234663852886e38
"""Of float32."""

EXACT = 2**24
"""Up to here float32 holds every integer."""

MAX_TEXT = 1024 * 1024
"""Characters of a string that a model reads: as many as a line of a file may have by default. Its
words take some ninety times the memory: one of 8 MB took 700 MiB, and 6 seconds and more."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,39}")
BOOLEANS: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}
"""The strings that are booleans, in lower case."""

_FOUND = 80  # characters of an offending value or name that an answer repeats

Reader = Callable[[object], object]
"""From a value that is not missing to a typed one; raises `ValueError` with what was expected."""


def reader(one: Input) -> Reader:
    """What reads the values of a column."""
    return _formatted(one.format) if one.format else _READERS[one.type]


def expected(one: Input) -> str:
    """What a value of the column looks like."""
    return _in_format(one.format) if one.format else _EXPECTED[one.type]


def shown(found: object) -> str:
    """A value as an answer repeats it: JSON, shortened, or the name of its kind or its length."""
    if isinstance(found, str) and len(found) > MAX_TEXT:
        return f"one of {len(found)}"
    if isinstance(found, (dict, list)):
        return "an object" if isinstance(found, dict) else "a list"
    return shortened(json.dumps(found, ensure_ascii=False))


def shortened(text: str) -> str:
    """The text, or its beginning."""
    return text if len(text) <= _FOUND else text[: _FOUND - 1] + "…"


def _number(found: object) -> float:
    if isinstance(found, str) and _NUMBER.fullmatch(found):
        found = float(found)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise ValueError(_EXPECTED["number"])  # noqa: TRY004 (one kind of error for every bad value)
    if not -LARGEST <= found <= LARGEST:
        raise ValueError("a number within the range of float32, at most 3.4e38")
    return found


def _integer(found: object) -> float:
    if isinstance(found, str) and _INTEGER.fullmatch(found):
        found = int(found)  # exactly, not by way of a float
    number = _number(found)
    if number != int(number):
        raise ValueError(_EXPECTED["integer"])
    if not -EXACT <= number <= EXACT and not _exact_in_float32(int(number)):
        raise ValueError("an integer that float32 holds exactly, as all up to 16777216 are")
    return number


def _exact_in_float32(value: int) -> bool:
    """Whether 24 significant bits suffice."""
    return abs(value) // (value & -value) < EXACT


def _boolean(found: object) -> bool:
    if isinstance(found, bool):
        return found
    if isinstance(found, (int, float)) and found in (0, 1):
        return found == 1
    if isinstance(found, str) and found.lower() in BOOLEANS:
        return BOOLEANS[found.lower()]
    raise ValueError(_EXPECTED["boolean"])


def _string(found: object) -> str:
    if not isinstance(found, str):
        raise ValueError(_EXPECTED["text"])  # noqa: TRY004 (one kind of error for every bad value)
    if len(found) > MAX_TEXT:
        raise ValueError(f"a string of at most {MAX_TEXT} characters")
    return found


def _timestamp(found: object) -> datetime:
    if isinstance(found, str):
        try:
            return _utc(datetime.fromisoformat(found))
        except ValueError:
            pass
    raise ValueError(_EXPECTED["timestamp"])


def _formatted(pattern: str) -> Reader:
    """A reader of timestamps in a declared format, or in ISO 8601."""

    def read(found: object) -> datetime:
        if isinstance(found, str):
            for parse in (_strptime, datetime.fromisoformat):
                try:
                    return _utc(parse(found))
                except ValueError:
                    continue
        raise ValueError(_in_format(pattern))

    def _strptime(found: str) -> datetime:
        return datetime.strptime(found, pattern)  # noqa: DTZ007 (`_utc` adds the zone)

    return read


def _in_format(pattern: str) -> str:
    return f"a time in the format {pattern} or in ISO 8601"


def _utc(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


_EXPECTED: Mapping[str, str] = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "category": "a string",
    "text": "a string",
    "timestamp": "a time in ISO 8601, such as 2025-02-14T09:30:00Z",
}
_READERS: Mapping[str, Reader] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "category": _string,
    "text": _string,
    "timestamp": _timestamp,
}
