"""From the instances of a request to typed columns, or to a list of what is wrong and where.

A missing key and null are missing values, and so is the empty string, as an empty cell is (but an
empty text is a text). How other values are read, `instance_values` tells.

Columns that the model does not read (the label, keys, anything else) are ignored; `ignored_fields`
names those that may be a slip.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

from perennial.domain.serving.instance_groups import GROUPS
from perennial.domain.serving.instance_values import expected, reader, shortened, shown
from perennial.domain.versioning.manifest import Input, InputType

MAX_ERRORS = 100
"""Errors that an answer lists; it counts them all."""

MAX_IGNORED = 100
"""Names of ignored fields that an answer lists."""


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
        bare: whether each instance has the inputs and surely nothing else.
    """

    columns: Mapping[str, Sequence[object]]
    errors: tuple[FieldError, ...] = ()
    error_count: int = 0
    bare: bool = False


class InstanceReader:
    """Reads requests for one version: made once, when it is loaded.

    Columns of one type are judged together, in a few passes that run in C, so that good requests
    cost by the types and not by the columns. Only where one of these values is not plainly right
    is each looked at by itself, which finds the error or reads what is unusual. Both ways read a
    value as the same.

    Args:
        inputs: the columns that the model reads.
    """

    def __init__(self, inputs: Sequence[Input]) -> None:
        self._inputs = inputs
        self._names = [one.name for one in inputs]
        self._readers = [reader(one) for one in inputs]
        self._expected = [expected(one) for one in inputs]
        self._pick = _picker(self._names)
        together: dict[tuple[InputType, bool], list[int]] = {}
        for place, one in enumerate(inputs):
            together.setdefault((one.type, one.nullable), []).append(place)
        self._groups = [
            (GROUPS.get(kind), nullable, places, _picker(places))
            for (kind, nullable), places in together.items()
        ]

    def read(self, instances: Sequence[Any]) -> Reading:
        """Read N instances.

        Args:
            instances: parsed JSON; objects of column values, if all is well.
        """
        try:
            rows = list(map(self._pick, instances))
        except (KeyError, TypeError):  # one lacks a column, or is no object
            if wrong := _no_objects(instances):
                return _failed(wrong, len(wrong))
            rows = [tuple(map(one.get, self._names)) for one in instances]
            bare = False
        else:
            bare = max(map(len, instances), default=0) == len(self._names)
        columns: list[Sequence[object]]
        columns = [*zip(*rows, strict=True)] if rows else [() for _ in self._names]
        errors: list[tuple[int, int, FieldError]] = []
        count = 0
        for read, nullable, places, pick in self._groups:
            found = pick(rows[0]) if len(rows) == 1 else [*chain.from_iterable(pick(columns))]
            values = read(found, nullable) if read else None
            if values is None:
                for place in places:
                    columns[place], wrong_ones = self._each(
                        place, columns[place], instances, errors
                    )
                    count += wrong_ones
            elif values is not found:
                for at, place in enumerate(places):
                    columns[place] = values[at * len(rows) : (at + 1) * len(rows)]
        if errors:
            return _failed([error for *_, error in sorted(errors, key=itemgetter(0, 1))], count)
        return Reading(dict(zip(self._names, columns, strict=True)), bare=bare)

    def _each(
        self,
        place: int,
        column: Sequence[object],
        instances: Sequence[Mapping[str, object]],
        errors: list[tuple[int, int, FieldError]],
    ) -> tuple[Sequence[object], int]:
        """The typed values of a column, each read by itself, and how many cannot be.

        All are counted, but only the first `MAX_ERRORS` described, among which are those of them
        that an answer lists: a small body can hold a million.
        """
        one, read = self._inputs[place], self._readers[place]
        missing = (None,) if one.type == "text" else (None, "")
        values: list[object] = []
        count = 0
        for row, found in enumerate(column):
            value, wrong = None, ""
            if found not in missing:
                try:
                    value = read(found)
                except ValueError as error:
                    wrong = str(error)
            elif not one.nullable:
                wrong = self._expected[place]
            if wrong:
                count += 1
                if count <= MAX_ERRORS:
                    said = shown(found) if one.name in instances[row] else "nothing"
                    errors.append((row, place, FieldError(row, one.name, wrong, said)))
            values.append(value)
        return values, count


def read_instances(inputs: Sequence[Input], instances: Sequence[object]) -> Reading:
    """Read N instances, once (see `InstanceReader`)."""
    return InstanceReader(inputs).read(instances)


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
    return tuple(shortened(name) for name in ignored[:MAX_IGNORED])


def _picker(keys: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes these items, as a tuple, out of a mapping or a list."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda items: tuple(items[key] for key in keys)  # itemgetter of one makes no tuple


def _no_objects(instances: Sequence[object]) -> list[FieldError]:
    return [
        FieldError(place, "", "an object of column values", shown(instance))
        for place, instance in enumerate(instances)
        if not isinstance(instance, dict)
    ]


def _failed(errors: Sequence[FieldError], count: int) -> Reading:
    return Reading({}, tuple(errors[:MAX_ERRORS]), count)
