"""Files that no pipeline's status shows: those of pipelines never applied, and those of none."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from perennial.domain import names
from perennial.domain.names import UNKNOWN_PIPELINE
from perennial.domain.verdict import Decision
from perennial.ports import ObjectStore
from perennial.workflows.verdicts import in_force

FOLDERS = 100
"""Folders without a pipeline that are looked into; a script gone wild may have made thousands."""

DECISIONS = 1000
"""Decisions that are looked at in each: one page of a listing."""


@dataclass(frozen=True, slots=True)
class Strays:
    """Files under one name that is no pipeline.

    Attributes:
        pipeline: the name that they were dropped under, or `_unknown`.
        files: how many wait for a definition; of `_unknown`, how many are in quarantine.
        more: whether there may be more of them.
    """

    pipeline: str
    files: int
    more: bool


def find_strays(data: ObjectStore, known: Collection[str]) -> list[Strays]:
    """What waits for pipelines that were never applied, and what belongs to none.

    Args:
        data: the data bucket.
        known: the pipelines that exist.
    """
    found = (_look_into(data, folder) for folder in _folders(data, known))
    return [strays for strays in found if strays.files or strays.more]


def _folders(data: ObjectStore, known: Collection[str]) -> Iterator[str]:
    start: str | None = None
    looked_into = 0
    while looked_into < FOLDERS and (info := next(data.list("", start=start, limit=1), None)):
        folder = info.name.split("/", 1)[0]
        start = folder + "0"  # the character after "/": skips all that lies in this folder
        if folder not in known:
            looked_into += 1
            yield folder


def _look_into(data: ObjectStore, folder: str) -> Strays:
    held: Decision = "quarantined" if folder == UNKNOWN_PIPELINE else "pending"
    listed = list(data.list(names.verdicts(folder), limit=DECISIONS))
    files = sum(file.decision == held for file in in_force(listed))
    return Strays(folder, files, more=len(listed) == DECISIONS)
