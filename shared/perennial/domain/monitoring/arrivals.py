"""Sources: the folders that files come from, how regularly they come, and when they have stopped.

How long a source is usually quiet is learned from its own gaps. Files come in bursts, by the day,
or whenever somebody has one; so the longest gap counts, unless it is far beyond all others (an
outage that was), and for irregular sources how much gaps differ counts, too. Nothing is said before
a source was watched for several times as long as it may be quiet: a folder that somebody uploads in
one go has no rhythm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean, median

from perennial.domain.monitoring.findings import EASED, Symptom
from perennial.domain.monitoring.report import Source
from perennial.domain.verdict import VerdictSummary

MOST_SOURCES = 20
MOST_FILES = 512
"""Files of a source that are looked at."""

_FEWEST_GAPS = 6
_OUTAGE = 4.0  # times the next longest gap
_AGAIN = 2.0  # times the longest gap
_DEVIATIONS = 14.0
_WATCHED = 4.0  # times the longest silence that is usual
_SHORTEST = 3600.0  # seconds: no silence is shorter than that
_DATED = re.compile(r"\d{2}")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often files come.

    Attributes:
        usual: time between two files, or two bursts of them.
        late_after: quiet for longer, the source is down.
    """

    usual: timedelta
    late_after: timedelta


def sources(
    pipeline: str, files: Sequence[VerdictSummary]
) -> Mapping[str, Sequence[VerdictSummary]]:
    """The newest files of each source, in the order of their drops; the busiest sources count.

    Args:
        pipeline: in whose folder they were dropped.
        files: the decisions in force.
    """
    found: dict[str, list[VerdictSummary]] = {}
    for file in files:
        if file.file.name:  # else it is too long to be listed
            found.setdefault(prefix_of(pipeline, file.file.name), []).append(file)
    busiest = sorted(found, key=lambda prefix: (-len(found[prefix]), prefix))[:MOST_SOURCES]
    return {prefix: found[prefix][-MOST_FILES:] for prefix in sorted(busiest)}


def prefix_of(pipeline: str, name: str) -> str:
    """The source that a file comes from: its folders up to the first that looks like a date.

    >>> prefix_of("shop", "shop/north/2026/03/visits.csv")
    'north/'
    >>> prefix_of("shop", "shop/visits.csv")
    ''
    """
    folders = name.removeprefix(f"{pipeline}/").split("/")[:-1]
    kept = []
    for folder in folders:
        if _DATED.search(folder):
            break
        kept.append(f"{folder}/")
    return "".join(kept)[:200]


def rhythm(arrivals: Sequence[datetime], declared_hours: float | None) -> Rhythm | None:
    """How often files come; None while too few came to tell, and nothing is declared.

    Args:
        arrivals: when they came (UTC), in order.
        declared_hours: hours between two files, by the definition.
    """
    if declared_hours is not None:
        usual = timedelta(hours=declared_hours)
        return Rhythm(usual, _AGAIN * usual)
    gaps = sorted((later - earlier).total_seconds() for earlier, later in pairwise(arrivals))
    if len(gaps) < _FEWEST_GAPS:
        return None
    if len(gaps) > 2 * _FEWEST_GAPS and gaps[-1] > _OUTAGE * gaps[-2]:
        gaps.pop()
    middle = median(gaps)
    spread = fmean(abs(gap - middle) for gap in gaps)
    late = max(_AGAIN * gaps[-1], middle + _DEVIATIONS * spread, _SHORTEST)
    if sum(gaps) < _WATCHED * late:
        return None
    # The gap that a moment lies in, on average: in bursts that is the one between two of them.
    between = sum(gap * gap for gap in gaps) / sum(gaps)
    return Rhythm(timedelta(seconds=between), timedelta(seconds=late))


def source_down(pipeline: str, found: Sequence[Source], now: datetime) -> Iterator[Symptom]:
    """One symptom for each source that is quiet for longer than it ever was."""
    for source in found:
        if source.late_after_seconds is None or source.rhythm_seconds is None:
            continue
        quiet = (now - source.last).total_seconds()
        strength = quiet / source.late_after_seconds
        if strength < max(EASED, 1.0):  # a file that comes closes it at once
            continue
        yield Symptom(
            "source_down", source.prefix, "error",
            f"no file has come to {pipeline}/{source.prefix} for {_told(quiet)}; one comes every "
            f"{_told(source.rhythm_seconds)} as a rule, and {_told(source.late_after_seconds)} "
            "without one is too long",
            "ask whoever sends them, and look for failed uploads there; a source that is meant to "
            "be so quiet needs another monitoring.rhythm_hours in the definition",
            {
                "quiet_seconds": round(quiet), "usual_seconds": round(source.rhythm_seconds),
                "limit_seconds": round(source.late_after_seconds), "last_file": source.last_file,
                "last": source.last.isoformat(),
            },
            strength, source.last.isoformat(),
        )  # fmt: skip


def _told(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
