"""Protobuf's wire format (https://protobuf.dev/programming-guides/encoding), read strictly.

A message is read by a list of the tags that it may have; whatever else is in it is an error, and so
is a field that comes twice and may not, of which other readers take the last, or a mixture of both.
Nothing is copied and nothing recurses, so that hostile bytes cost no more than their length.

Standard library only, because `predict` ships with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Kinds of fields on the wire; groups are refused."""

_ALL = 2**64 - 1
_SHORT = 16
"""Strings below this many bytes are skipped in runs."""


class Span(NamedTuple):
    """Where a message, a string, or a run of fields of one tag lies: from `start` up to `stop`."""

    start: int
    stop: int


class WireError(ValueError):
    """Bytes that are no such message."""


def tag(number: int, kind: int = BYTES) -> int:
    """How a field begins: its number, and its kind on the wire."""
    return number << 3 | kind


def fields(
    data: bytes, span: Span, once: frozenset[int], many: frozenset[int]
) -> Iterator[tuple[int, int | Span]]:
    """The fields of a message, in order.

    Args:
        data: the file.
        span: where in it the message lies.
        once: tags of fields that come at most once.
        many: tags of fields that may be repeated.

    Yields:
        The tag with its value: a number, unsigned, for `VARINT`; where it lies for all others.
        Repeated fields of one byte's tag that follow each other may come as one run, tags
        included, for which see `count`.

    Raises:
        WireError: for anything else.
    """
    at, stop = span
    seen: set[int] = set()
    while at < stop:
        start = at
        found = data[at]
        at += 1
        if found >= 0x80:
            found, at = varint(data, start, stop)
            if found >> 7 * (at - start - 1) == 0:
                raise WireError(f"expected the shortest form of a tag at byte {start}")
        if found in many:
            run = _RUNS.get(found)
            if run and (match := run.match(data, start, stop)):
                at = match.end()
                yield found, Span(start, at)
                continue
        elif found not in once or found in seen:
            again = "again" if found in seen else f"of kind {found & 7}"
            raise WireError(f"field {found >> 3} {again} at byte {start}")
        seen.add(found)
        value, at = _value(data, at, stop, found & 7)
        yield found, value


def count(data: bytes, span: Span, kind: int) -> int:
    """How many values a run holds, of unpacked fields of one byte's tag and this kind."""
    if kind == FIXED32:
        return (span.stop - span.start) // 5
    # Each value has one byte below 128, its last, and so has each tag.
    return terminals(data, span) // 2


def terminals(data: bytes, span: Span) -> int:
    """How many varints lie here, one after the other."""
    return len(data[span.start : span.stop].translate(None, _CONTINUING))


def _value(data: bytes, at: int, stop: int, kind: int) -> tuple[int | Span, int]:
    if kind == VARINT:
        return varint(data, at, stop)
    if kind == BYTES:
        size, at = varint(data, at, stop)
    else:
        size = 4 if kind == FIXED32 else 8
    if size > stop - at:
        raise WireError(f"{size} bytes at byte {at}, where {stop - at} are left")
    return Span(at, at + size), at + size


def varint(data: bytes, at: int, stop: int) -> tuple[int, int]:
    """The number at a place, unsigned, and the place after it. Raises `WireError`."""
    if at < stop and data[at] < 0x80:
        return data[at], at + 1
    value = 0
    for place in range(at, min(stop, at + 10)):
        byte = data[place]
        value |= (byte & 0x7F) << 7 * (place - at)
        if byte < 0x80:
            return value & _ALL, place + 1
    raise WireError(f"a number without end at byte {at}")


def _run(of: int, value: bytes) -> re.Pattern[bytes]:
    return re.compile(b"(?:" + re.escape(bytes([of])) + value + b")++", re.DOTALL)


_CONTINUING = bytes(range(0x80, 0x100))
_STRINGS = b"|".join(re.escape(bytes([n])) + b".{%d}" % n for n in range(_SHORT))
_RUNS: Mapping[int, re.Pattern[bytes]] = {
    # The long lists of ONNX's trees and vocabularies: floats, ints and strings of an attribute.
    tag(7, FIXED32): _run(tag(7, FIXED32), b".{4}"),
    tag(8, VARINT): _run(tag(8, VARINT), b"[\x80-\xff]{0,9}[\x00-\x7f]"),
    tag(9): _run(tag(9), b"(?:" + _STRINGS + b")"),
}
