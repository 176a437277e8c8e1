"""Files as pages show them: found by their stem, narrowed down, a page at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from perennial.domain import names
from perennial.domain.verdict import VerdictSummary
from perennial.errors import NotFoundError
from perennial.ports import ObjectStore
from perennial.workflows.verdicts import in_force

PAGE = 50
_STEM = re.compile(r"[0-9]{20}-[0-9a-f]{16}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of many.

    Attributes:
        items: on this page.
        number: from 1.
        pages: how many there are; at least 1.
        total: how many items there are on all of them.
    """

    items: Sequence[T]
    number: int
    pages: int
    total: int


def page_of(items: Sequence[T], number: int, size: int = PAGE) -> Page[T]:
    """A page of what is there, counted from 1; the last one for any number beyond it."""
    pages = max(-(-len(items) // size), 1)
    number = min(max(number, 1), pages)
    return Page(items[(number - 1) * size : number * size], number, pages, len(items))


def narrowed(
    files: Iterable[VerdictSummary], words: str = "", state: str = ""
) -> list[VerdictSummary]:
    """The files whose name or reason has all the words, in a state; the newest first."""
    wanted = words.casefold().split()
    found = [
        file
        for file in files
        if state in ("", file.state, file.decision)
        and all(word in f"{file.file.name} {file.reason}".casefold() for word in wanted)
    ]
    return found[::-1]


def find_file(data: ObjectStore, pipeline: str, stem: str) -> VerdictSummary:
    """The decision in force about a file.

    Raises:
        NotFoundError: when there is none.
    """
    if _STEM.fullmatch(stem):  # less would list all that begins with it
        found = in_force(data.list(names.verdicts(pipeline) + stem))
        if len(found) == 1 and found[0].file.stem == stem:
            return found[0]
    raise NotFoundError(f"{pipeline} has no verdict on a file {stem!r}")
