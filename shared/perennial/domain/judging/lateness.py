"""Lateness: how far the accepted files reach in event time, and which rows come too late for that.

A watermark as streaming systems keep it (Akidau et al., The Dataflow Model, 2015), moved by whole
files: a training run, which lists the accepted files anyway, writes it into the head.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce

from perennial.domain.names import FileId
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.registry import Watermark


def watermark_of(accepted: Iterable[VerdictSummary]) -> Watermark | None:
    """How far these files reach; None where none has event times."""
    return reduce(advanced, accepted, None)


def advanced(watermark: Watermark | None, file: VerdictSummary) -> Watermark | None:
    """The watermark once one more file is accepted.

    As in the order of training, nothing reaches beyond its own arrival: a row with a year mistyped
    into the future must not make every file that follows a late one.
    """
    if file.last_event is None:
        return watermark
    own = Watermark(file.order[0], file.file.generation)
    if watermark is None:
        return own
    return max(watermark, own, key=lambda one: (one.time, -one.generation))


def covered_before(watermark: Watermark | None, file: FileId) -> datetime | None:
    """Through when the files before this one reached; None where that is unknown.

    Events come in any order and sometimes days late: a file that was dropped before the one that
    reaches so far is not late for it, however late it is noticed.
    """
    if watermark is None or file.generation <= watermark.generation:
        return None
    return watermark.time


def covered_still(watermark: Watermark | None, covered: datetime | None) -> datetime | None:
    """Through when files reached when one that is judged again came, recalled ones left out.

    Args:
        watermark: the present one.
        covered: what was found when the file was judged first.
    """
    if watermark is None or covered is None:
        return None
    return min(watermark.time, covered)


def earliest(covered: datetime | None, max_lateness_days: float | None) -> datetime | None:
    """The first moment at which a row may have happened; None where any is fine.

    Args:
        covered: through when the files before it reached.
        max_lateness_days: how long before that a row may lie.
    """
    if covered is None or max_lateness_days is None:
        return None
    try:
        return covered - timedelta(days=max_lateness_days)
    except OverflowError:  # before the first year there is
        return None
