"""From the JSON of a request to its instances."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from perennial.domain.serving.instances import MAX_ERRORS, FieldError, Reading
from perennial.domain.serving.problems import Problem, invalid_instances

MAX_BYTES = 8 * 1024 * 1024
"""Of a body."""

MAX_INSTANCES = 10_000

MAX_CELLS = 1_000_000
"""Of a table, in the columns that are kept of it: each takes far more memory than its comma."""

_NESTED = 10
"""Objects and lists for each instance that a request may have: a model reads none within one, and
2,700,000 empty ones fit into the bytes that a request may have."""

_EXPECTED = '{"instances": [{"column": value, …}, …]}'
_COLONS = (b'":', b" :", b"\t:", b"\n:", b"\r:")
_QUOTE = ord('"')
_NO_JSON = (b"NaN", b"Infinity")
_TEXT_OR_OPENING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[{\[]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rows:
    """What a request asks about.

    Attributes:
        instances: at least one.
        lines: of CSV, the line at which each begins, from 1.
        size: bytes of the body that they were in.
    """

    instances: Sequence[object]
    lines: Sequence[int] = ()
    size: int = 0


def read_json(body: bytes, max_instances: int) -> Rows:
    """Read `{"instances": […]}`.

    Raises:
        Problem: when it is something else, has too many instances, objects or lists, or gives a
            field twice.
    """
    _refuse_nested(body, max_instances)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        hint = any(word in body for word in _NO_JSON)
        advice = " (NaN and Infinity are no JSON; a missing value is null)" if hint else ""
        raise Problem("malformed", f"not JSON: {error}{advice}; expected {_EXPECTED}") from error
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list) or not instances:
        raise Problem("malformed", f"expected {_EXPECTED} with at least one instance")
    if len(instances) > max_instances:
        raise too_many(max_instances, str(len(instances)))
    if not _surely_once(body, document, instances):
        _refuse_repeated(body)
    return Rows(instances, size=len(body))


def too_many(limit: int, found: str) -> Problem:
    """The problem of a request with more instances than the limit."""
    return Problem("too-large", f"a request has at most {limit} instances, found {found}")


def _refuse_nested(body: bytes, max_instances: int) -> None:
    """Refuse what would take far more memory than its bytes, before anything of it is made."""
    most = _NESTED * max_instances
    opened = body.count(b"{") + body.count(b"[")
    if opened <= most:
        return
    opened = 0
    for found in _TEXT_OR_OPENING.finditer(body):  # those in texts cost nothing
        opened += body[found.start()] != _QUOTE
        if opened > most:
            raise Problem(
                "too-large",
                f"a request has at most {max_instances} instances, and {most} objects and lists in "
                "all, found more",
            )


def _surely_once(body: bytes, document: dict[str, Any], instances: list[Any]) -> bool:
    """Whether no key can stand twice, of which the parser keeps the last without a word.

    Every key is followed by a colon, right after its quote or after a space: where there are no
    more of these than keys that were kept, none was lost. Strings that hold such colons, and
    nested values, only cost a closer look.
    """
    try:
        kept = len(document) + sum(map(len, instances))
    except TypeError:
        return False
    return sum(map(body.count, _COLONS)) <= kept


class _Repeated(dict[str, Any]):
    """An object in whose text a key stands twice."""

    key = ""


def _refuse_repeated(body: bytes) -> None:
    try:
        document = json.loads(
            body, object_pairs_hook=_pairs, parse_int=str, parse_float=str, parse_constant=str
        )
    except RecursionError:
        raise Problem("malformed", f"nested too deeply; expected {_EXPECTED}") from None
    if isinstance(document, _Repeated):
        raise Problem("malformed", f"expected each key once, found {document.key[:80]!r} twice")
    errors = tuple(
        FieldError(place, instance.key, "one value", "two")
        for place, instance in enumerate(document["instances"])
        if isinstance(instance, _Repeated)
    )
    if errors:
        raise invalid_instances(Reading({}, errors[:MAX_ERRORS], len(errors)))


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeated = _Repeated(found)
    seen: set[str] = set()
    repeated.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return repeated
