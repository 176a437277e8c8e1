"""The Range header of a download."""

import re
from dataclasses import dataclass

from localdev.storage.errors import RangeNotSatisfiable

_SINGLE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` up to, not including, ``end``."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """How many bytes that are."""
        return self.end - self.start


def requested_span(header: str | None, size: int) -> Span | None:
    """The part of an object of ``size`` bytes that a Range header asks for.

    Returns:
        The span, cut off at the object's end; None if the whole object is to be sent, as it also is
        when the header is malformed or lists several ranges.

    Raises:
        RangeNotSatisfiable: The range begins past the end.
    """
    match = _SINGLE.fullmatch(header.strip()) if header else None
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
    if last and first and int(last) < int(first):
        return None
    if start >= size:
        raise RangeNotSatisfiable(f"The requested range {header!r} cannot be satisfied.", size)
    return Span(start, end)
