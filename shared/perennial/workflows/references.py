"""The reference of accepted files: each run folds in what is new, ingest reads the last one.

It lies under the id of the run whose record lists the files that it rests on, and is written
before the head names that run. So one read finds it, and a crash leaves the last one in force.
"""

from __future__ import annotations

from collections.abc import Sequence

from perennial.domain import names
from perennial.domain.judging.reference import NO_HISTORY, Reference, Statistics, spread
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.registry import Head
from perennial.errors import ObjectNotFound
from perennial.ports import ObjectStore
from perennial.workflows.at_once import at_once
from perennial.workflows.runs import read_considered
from perennial.workflows.verdicts import read_verdict
from perennial.workflows.writing import create_once

MOST_FILES = 48
"""Of more that are new at once, as in a backfill, so many stand for all of them."""


def read_reference(data: ObjectStore, head: Head) -> Reference:
    """What accepted files were like, as far as the last run considered them."""
    return reference_of(data, head.pipeline, head.last_run) if head.last_run else NO_HISTORY


def reference_of(data: ObjectStore, pipeline: str, run: str) -> Reference:
    """What accepted files were like, as far as a run considered them."""
    try:
        return Reference.from_json(data.read(names.reference(pipeline, run)).data)
    except ObjectNotFound:
        return NO_HISTORY  # the run was of a release that wrote none


def write_reference(
    data: ObjectStore, head: Head, run: str, considered: Sequence[VerdictSummary]
) -> None:
    """Store the reference of a run: that of the last one, and the files that are new since.

    Where files that the last one rests on are accepted no more, it is made anew.

    Args:
        data: the data bucket.
        head: with the run's claim.
        run: its id.
        considered: the accepted files that it is done with.
    """
    before = read_considered(data, head.pipeline, head.last_run)
    known = read_reference(data, head)
    if not known.files or not before <= {file.file.stem for file in considered}:
        known, before = NO_HISTORY, frozenset()
    new = sorted((f for f in considered if f.file.stem not in before), key=lambda f: f.order)
    reference = known.folding(_statistics(data, head.pipeline, spread(new, MOST_FILES)))
    create_once(
        data, names.reference(head.pipeline, run), reference.to_json(),
        content_type="application/json",
    )  # fmt: skip


def _statistics(
    data: ObjectStore, pipeline: str, files: Sequence[VerdictSummary]
) -> list[Statistics]:
    return at_once(lambda file: read_verdict(data, pipeline, file).statistics, files)
