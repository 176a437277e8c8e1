"""Mistakes in a definition, in the words of its author: file, line, key, expected, found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from perennial.domain.definitions.yaml_text import Place, Text

Keys = Mapping[Place, type[BaseModel]]
"""Which keys a mapping may have, by its place; `*` stands for any column and any list index."""

_SHAPES: Mapping[Place, str] = {
    ("columns",): "a mapping of columns, as in petals: {type: integer}",
    ("columns", "*"): "a mapping, as in {type: integer}",
    ("columns", "*", "classes"): "a list of classes",
    ("columns", "*", "classes", "*"): "text, a whole number, true or false",
    ("columns", "*", "rules"): "a list of rules, as in [{range: [0, 10]}]",
    ("columns", "*", "rules", "*"): "a mapping, as in {range: [0, 10]}",
    ("columns", "*", "rules", "*", "range"): "[lowest, highest], with null for an open side",
    ("columns", "*", "rules", "*", "range", "*"): "a number, or null for an open side",
    ("columns", "*", "rules", "*", "allowed"): "a list of values",
    ("columns", "*", "rules", "*", "allowed", "*"): "text, a number, true or false",
    ("columns", "*", "rules", "*", "observed"): "[lowest, highest], or a list of values",
    ("columns", "*", "rules", "*", "observed", "*"): "text, a number, true or false",
    ("files", "csv"): 'a mapping, as in {delimiter: ";", decimal: ","}',
    ("files", "csv", "null_words"): "a list of words, as in [NA, n/a]",
    ("files", "csv", "null_words", "*"): "text",
    ("files", "formats"): "a list of formats, as in [csv, parquet]",
    ("rows",): "a mapping, as in {max_future_days: 2}",
    ("checks",): "a mapping, as in {unit_change: warn}",
    ("checks", "duplicate_rows"): "limits, as in {warn: 0.01, reject: 0.3}",
    ("checks", "null_fraction"): "limits, as in {warn: 0.1, reject: 0.9}",
    ("checks", "unseen_categories"): "limits, as in {warn: 0.1, reject: 0.9}",
    ("checks", "distribution"): "limits, as in {warn: 0.1, reject: 0.5}",
    ("training", "parameters"): "a mapping, as in {learning_rate: 0.05}",
    ("training", "parameters", "*"): "text, a number, true, false or null",
    ("training", "window"): "all, {files: N} or {days: N}",
    ("training", "span"): "all, {files: N}, {through: DATE} or {since: DATE, through: DATE}",
    ("training", "trigger"): "{files: N} or {rows: N}",
    ("promotion", "floors"): "a mapping, as in {accuracy: 0.8}",
    ("promotion", "slices"): "a mapping of columns, as in {country: {floors: {accuracy: 0.7}}}",
    ("promotion", "slices", "*"): "a mapping, as in {floors: {accuracy: 0.7}}, or {}",
    ("serving",): "a mapping, as in {shadow: true}",
    ("serving", "cors"): "a list of origins, as in [https://shop.example]",
    ("serving", "cors", "*"): "text",
    ("serving", "log"): "a mapping, as in {features: 0.1, leave_out: [email]}",
    ("serving", "log", "leave_out"): "a list of columns, as in [email]",
    ("serving", "log", "leave_out", "*"): "text",
    ("monitoring",): "a mapping, as in {rhythm_hours: 24}",
    ("monitoring", "ignore"): "a list of kinds of findings, as in [jump]",
    ("monitoring", "ignore", "*"): "text",
}
"""What is expected where a value's kind is wrong and its kind alone does not say enough."""

_KINDS: Mapping[str, str] = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "dict": "a mapping",
    "model": "a mapping",
    "tuple": "a list",
}
"""By the first word of the kind of mistake, as pydantic calls it."""

_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("a number above", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("a number below", "lt"),
}


class Misfit(ValueError):
    """Parts of a definition that do not fit together; `place` is where to mend it."""

    def __init__(self, message: str, *place: str) -> None:
        super().__init__(message)
        self.place = place


def mistakes(errors: Iterable[ErrorDetails], text: Text, keys: Keys) -> list[str]:
    """One line for each mistake, in the order of the text.

    Args:
        errors: what pydantic found.
        text: the document that it looked at.
        keys: the keys that exist.
    """
    certain: list[tuple[Place, str]] = []
    choices: dict[Place, str] = {}
    for error in errors:
        place, chosen = _place(error, text.document)
        if chosen and error["type"] != "value_error":
            choices.setdefault(place, _kind(error, place))
        else:
            certain.append((place, _said(error, place, keys)))
    for place, said in choices.items():
        # One of several forms was meant; what is wrong within it says more.
        if not any(other[: len(place)] == place for other, _ in certain):
            certain.append((place, said))
    certain.sort(key=lambda mistake: text.lines.get(mistake[0], 0))
    return [f"{text.where(place)} {said}" for place, said in certain]


def shown(value: object) -> str:
    """A value of a YAML document, as a sentence names it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"'{value if len(value) <= 60 else value[:59] + '…'}'"
    if isinstance(value, date):
        return f"the date {value} (quote it to make it text)"
    if isinstance(value, Mapping):
        return f"a mapping of {', '.join(map(str, value))}" if value else "an empty mapping"
    if isinstance(value, Sequence):
        return f"a list of {len(value)}" if value else "an empty list"
    return str(value)


def _place(error: ErrorDetails, document: Any) -> tuple[Place, bool]:
    """Where a mistake is, and whether pydantic tried several forms of the value there."""
    place: list[Any] = []
    here, chosen = document, False
    for index, part in enumerate(error["loc"]):
        is_key = isinstance(here, Mapping) and part in here
        is_item = isinstance(here, list) and isinstance(part, int) and part < len(here)
        if is_key or is_item:
            place.append(next(key for key in here if key == part) if is_key else part)
            here, chosen = here[part], False
        elif error["type"] != "missing" or index < len(error["loc"]) - 1:
            chosen = True  # not in the document: pydantic's name of a form
        elif isinstance(part, str):
            place.append(part)
    misfit = error.get("ctx", {}).get("error")
    return (*place, *getattr(misfit, "place", ())), chosen


def _said(error: ErrorDetails, place: Place, keys: Keys) -> str:
    kind, context, found = error["type"], error.get("ctx", {}), shown(error["input"])
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return f"unknown key{_nearest(place, keys)}"
    if kind == "missing" and isinstance(error["loc"][-1], str):
        values = _values(place, keys)
        return f"expected this key{f' with {_either(values)}' if values else ''}, found none"
    if kind == "literal_error":
        values = _values(place, keys)
        near = get_close_matches(str(error["input"]), values, n=1)
        advice = f"; did you mean {near[0]}?" if near else ""
        return f"expected {_either(values)}, found {found}{advice}"
    if kind in _BOUNDS:
        words, limit = _BOUNDS[kind]
        return f"expected {words} {context[limit]:g}, found {found}"
    if kind == "too_short":
        return f"expected at least {context['min_length']}, found {context['actual_length']}"
    return _kind(error, place)


def _kind(error: ErrorDetails, place: Place) -> str:
    """That a value is of the wrong kind."""
    if error["loc"] and error["loc"][-1] == "[key]":
        return f"expected text as a name, found {shown(error['input'])}: quote it"
    expected = _SHAPES.get(_general(place)) or _KINDS.get(error["type"].split("_")[0], "a value")
    return f"expected {expected}, found {shown(error['input'])}"


def _nearest(place: Place, keys: Keys) -> str:
    """`; did you mean …?` for a misspelt key, from the keys that exist at its place."""
    known = list(keys[_general(place[:-1])].model_fields)
    near = get_close_matches(str(place[-1]), known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else f"; known keys are {', '.join(known)}"


def _values(place: Place, keys: Keys) -> list[str]:
    """The only values that a key may have; none where they are not a list of words."""
    field = keys[_general(place[:-1])].model_fields[str(place[-1])]
    return list(map(str, _words(field.annotation)))


def _words(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for part in get_args(annotation):
            yield from _words(part)


def _either(values: Sequence[str]) -> str:
    *most, last = values
    return f"{', '.join(most)} or {last}" if most else last


def _general(place: Place) -> Place:
    """A place with `*` for the name of a column or parameter, and for list indices."""
    named: set[int] = set()
    if place[:1] == ("columns",):
        named = {1}
    elif place[:2] in (("training", "parameters"), ("promotion", "slices")):
        named = {2}
    return tuple(
        "*" if index in named or isinstance(part, int) else part for index, part in enumerate(place)
    )
