"""From the JSON of a request to typed columns, or to a list of what is wrong and where.

Every value becomes what training read from the files:

- a missing key and null are missing values, and so is the empty string, as an empty cell is
  (but an empty text is a text);
- integer, number: a JSON number, or a string that holds one (the cells of a CSV file are strings);
  an integer that float32 cannot hold exactly is refused, for the model would see another one;
- boolean: true and false, 0 and 1, and their strings;
- category, text: a string;
- timestamp: a string in the declared format or in ISO 8601; without an offset it is UTC.

Columns that the model does not read (the label, keys, anything else) are ignored; `ignored_fields`
names those that may be a slip.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from perennial.domain.manifest import Input

MAX_ERRORS = 100
"""Errors that an answer lists; it counts them all."""

MAX_IGNORED = 100
"""Names of ignored fields that an answer lists."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,39}")
_BOOLEANS: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}
_LARGEST = 3.4028234663852886e38  # of float32
_EXACT = 2**24  # up to here float32 holds every integer
_FOUND = 80  # characters of an offending value or name that an answer repeats

_Reader = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One value that cannot be read.

    Attributes:
        instance: its place in the request, from 0.
        field: the column; empty when the instance itself is wrong.
        expected: what would be right.
        found: what was there: a JSON value, shortened, or the name of its kind.
    """

    instance: int
    field: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a request's instances.

    Attributes:
        columns: for each input's name its values, typed; of no use where there are errors.
        errors: the first `MAX_ERRORS` errors, in the order of instances and inputs.
        error_count: how many there are.
    """

    columns: Mapping[str, Sequence[object]]
    errors: tuple[FieldError, ...]
    error_count: int


def read_instances(inputs: Sequence[Input], instances: Sequence[object]) -> Reading:
    """Read N instances.

    Args:
        inputs: the columns that the model reads.
        instances: parsed JSON; objects of column values, if all is well.
    """
    errors: list[FieldError] = []
    rows: list[Mapping[str, object]] = []
    for place, instance in enumerate(instances):
        if isinstance(instance, dict):
            rows.append(instance)
        else:
            errors.append(FieldError(place, "", "an object of column values", _shown(instance)))
    if errors:
        return _reading({}, errors)
    columns = {one.name: _column(one, rows, errors) for one in inputs}
    return _reading(columns, errors)


def ignored_fields(known: frozenset[str], instances: Sequence[object]) -> tuple[str, ...]:
    """The fields that mean nothing to a model, each once, in the order in which they come.

    Args:
        known: the names that an instance may well carry.
        instances: parsed JSON; what is no object has no fields.

    Returns:
        At most `MAX_IGNORED` names, long ones shortened.
    """
    ignored: list[str] = []
    for instance in instances:
        if isinstance(instance, dict) and not instance.keys() <= known:
            ignored += (name for name in instance if name not in known)
            if len(ignored) >= MAX_IGNORED:
                break
            known = known.union(ignored)
    return tuple(_shortened(name) for name in ignored[:MAX_IGNORED])


def _reading(columns: Mapping[str, Sequence[object]], errors: list[FieldError]) -> Reading:
    errors.sort(key=lambda error: error.instance)  # stable: inputs keep their order
    return Reading(columns, tuple(errors[:MAX_ERRORS]), len(errors))


def _column(
    one: Input, rows: Sequence[Mapping[str, object]], errors: list[FieldError]
) -> Sequence[object]:
    read = _formatted(one.format) if one.format else _READERS[one.type]
    missing = (None,) if one.type == "text" else (None, "")
    values: list[object] = []
    for place, row in enumerate(rows):
        found = row.get(one.name)
        value = None
        if found in missing:
            if not one.nullable:
                shown = _shown(found) if one.name in row else "nothing"
                errors.append(FieldError(place, one.name, _expected(one), shown))
        else:
            try:
                value = read(found)
            except ValueError as error:
                errors.append(FieldError(place, one.name, str(error), _shown(found)))
        values.append(value)
    return values


def _expected(one: Input) -> str:
    return _in_format(one.format) if one.format else _EXPECTED[one.type]


def _number(found: object) -> float:
    if isinstance(found, str) and _NUMBER.fullmatch(found):
        found = float(found)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise ValueError(_EXPECTED["number"])  # noqa: TRY004 (one kind of error for every bad value)
    if not -_LARGEST <= found <= _LARGEST:
        raise ValueError("a number within the range of float32, at most 3.4e38")
    return found


def _integer(found: object) -> float:
    if isinstance(found, str) and _INTEGER.fullmatch(found):
        found = int(found)  # exactly, not by way of a float
    number = _number(found)
    if number != int(number):
        raise ValueError(_EXPECTED["integer"])
    if not -_EXACT <= number <= _EXACT and not _exact_in_float32(int(number)):
        raise ValueError("an integer that float32 holds exactly, as all up to 16777216 are")
    return number


def _exact_in_float32(value: int) -> bool:
    """Whether 24 significant bits suffice."""
    return abs(value) // (value & -value) < _EXACT


def _boolean(found: object) -> bool:
    if isinstance(found, bool):
        return found
    if isinstance(found, (int, float)) and found in (0, 1):
        return found == 1
    if isinstance(found, str) and found.lower() in _BOOLEANS:
        return _BOOLEANS[found.lower()]
    raise ValueError(_EXPECTED["boolean"])


def _string(found: object) -> str:
    if isinstance(found, str):
        return found
    raise ValueError(_EXPECTED["text"])


def _timestamp(found: object) -> datetime:
    if isinstance(found, str):
        try:
            return _utc(datetime.fromisoformat(found))
        except ValueError:
            pass
    raise ValueError(_EXPECTED["timestamp"])


def _formatted(pattern: str) -> _Reader:
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


def _shown(found: object) -> str:
    if isinstance(found, (dict, list)):
        return "an object" if isinstance(found, dict) else "a list"
    return _shortened(json.dumps(found, ensure_ascii=False))


def _shortened(text: str) -> str:
    return text if len(text) <= _FOUND else text[: _FOUND - 1] + "…"


_EXPECTED: Mapping[str, str] = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "category": "a string",
    "text": "a string",
    "timestamp": "a time in ISO 8601, such as 2025-02-14T09:30:00Z",
}
_READERS: Mapping[str, _Reader] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "category": _string,
    "text": _string,
    "timestamp": _timestamp,
}
