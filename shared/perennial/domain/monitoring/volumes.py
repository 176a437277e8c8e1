"""How many rows sources bring, beside what was predicted before they came: file by file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Self

import numpy as np

FEWEST_ASKED = 20
"""Predictions; the mean of fewer says little of what callers saw."""

MOST_FILES = 48
"""Of a source that are remembered."""

_MOST_SOURCES = 10
_BURST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Volume:
    """The rows that a source brought at one time, and what had been predicted since the last.

    Attributes:
        prefix: the source.
        stem, at: the first file that came then, and when (UTC).
        rows: of all that came then.
        asked: how many predictions were used in between.
        mean: of them, as numbers.
    """

    prefix: str
    stem: str
    at: datetime
    rows: int
    asked: int
    mean: float

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        return cls(**{**document, "at": datetime.fromisoformat(document["at"])})


@dataclass(frozen=True, slots=True)
class Said:
    """A prediction that was used, as a number.

    Attributes:
        at: when it was asked for (UTC).
        value: the number, or the probability of the second of two classes.
    """

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Came:
    """A file that was accepted.

    Attributes:
        stem, prefix: which, and its source.
        at: when it came (UTC).
        rows: how many it brought.
    """

    stem: str
    prefix: str
    at: datetime
    rows: int


def volumes(
    known: Iterable[Volume], files: Sequence[Came], said: Sequence[Said], since: datetime
) -> tuple[Volume, ...]:
    """What is remembered, with these files: rows, and what was predicted since the file before.

    Files of one source that come within an hour are one. One that too few predictions precede says
    nothing and is left out, so that backfills and silent nights do not count as bursts of rows.

    Args:
        known: of earlier looks.
        files: the newest ones, in the order of their drops.
        said: predictions that were used.
        since: the log is known from then on (UTC).
    """
    found = {(one.prefix, one.stem): one for one in known}
    times = np.array([one.at.timestamp() for one in said])
    values = np.array([one.value for one in said])
    for prefix, bursts in _bursts(files).items():
        for before, burst in pairwise(bursts):
            first = burst[0]
            if before[-1].at < since:
                continue
            between = (times > before[-1].at.timestamp()) & (times <= first.at.timestamp())
            asked = int(between.sum())
            rows = sum(one.rows for one in burst)
            if asked >= FEWEST_ASKED:  # lines that came late count at the next look
                mean = round(float(values[between].mean()), 6)
                found[prefix, first.stem] = Volume(prefix, first.stem, first.at, rows, asked, mean)
    by_source: dict[str, list[Volume]] = defaultdict(list)
    for one in found.values():
        by_source[one.prefix].append(one)
    kept = [
        sorted(of, key=lambda one: (one.at, one.stem))[-MOST_FILES:] for of in by_source.values()
    ]
    kept.sort(key=lambda of: (-len(of), of[0].prefix))
    return tuple(one for of in kept[:_MOST_SOURCES] for one in of)


def _bursts(files: Sequence[Came]) -> dict[str, list[list[Came]]]:
    found: dict[str, list[list[Came]]] = {}
    for file in files:
        bursts = found.setdefault(file.prefix, [])
        if bursts and file.at - bursts[-1][-1].at <= _BURST:
            bursts[-1].append(file)
        else:
            bursts.append([file])
    return found
