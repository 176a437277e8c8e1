"""A jump: one file that is unlike the few before it, further than any file before was.

Each column is held against the eight files before, by its distance; the number of rows by its
ratio to what is usual, in robust deviations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import exp, log
from statistics import median

from perennial.domain.judging.quantiles import Distribution
from perennial.domain.monitoring.columns import Course, File, dates_its_files, together, values_of
from perennial.domain.monitoring.distances import (
    Values,
    by_chance,
    distance,
    measure_of,
    rows_of,
)
from perennial.domain.monitoring.drift import FEWEST_ROWS, without
from perennial.domain.monitoring.findings import EASED, Symptom

ROWS = "number of rows"
"""The subject of a jump in how many rows a file has."""

_BEFORE = 8
_FEWEST = 6  # files whose own distance to those before them tells what is usual
_NORMAL = 1.4826  # a median absolute deviation as a standard deviation, of normal values
_DEVIATIONS = 8.0
_LASTING = 3  # files: a jump is news until so many came after it


def jumps(course: Course) -> Iterator[Symptom]:
    """One symptom for each column of which one of the last three files jumped."""
    limit = course.definition.monitoring.jump
    if limit is None:
        return
    files = [*course.older, *course.newest]
    yield from _last(_rows(files, course.definition.name, limit))
    for name in course.watched:
        if dates_its_files(course.older, name):
            continue
        yield from _last(_columns(files, name, course.definition.name, limit))


def _last(found: Iterator[tuple[int, Symptom]]) -> Iterator[Symptom]:
    """The newest jump of those that are news."""
    recent = [symptom for age, symptom in found if age < _LASTING]
    if recent:
        yield recent[-1]


def _rows(files: Sequence[File], pipeline: str, limit: float) -> Iterator[tuple[int, Symptom]]:
    for place in range(max(_BEFORE, len(files) - _LASTING), len(files)):
        file, before = files[place], files[max(0, place - 3 * _BEFORE) : place]
        logs = [log(max(one.summary.rows, 1)) for one in before]
        usual = median(logs)
        spread = _NORMAL * median(abs(one - usual) for one in logs)
        change = log(max(file.summary.rows, 1)) - usual
        strength = abs(change) / max(_DEVIATIONS * spread, log(1 + limit))
        if strength < EASED:
            continue
        rows = exp(usual)
        yield len(files) - 1 - place, Symptom(
            "jump", ROWS, "warning",
            f"{file.name} has {file.summary.rows:,} rows, where {rows:,.0f} are usual "
            f"({exp(change) - 1:+.0%}; the {len(before)} files before had "
            f"{min(one.summary.rows for one in before):,} to "
            f"{max(one.summary.rows for one in before):,})",
            _advice(pipeline, file),
            {
                "file": file.name, "rows": file.summary.rows, "usual": round(rows, 1),
                "change": round(exp(change) - 1, 4), "files_before": len(before),
            },
            strength, file.summary.file.stem,
        )  # fmt: skip


def _columns(
    files: Sequence[File], name: str, pipeline: str, limit: float
) -> Iterator[tuple[int, Symptom]]:
    shown: list[float] = []
    each = [values_of(file.statistics.get(name)) for file in files]
    for place in range(_BEFORE, len(files)):
        file, values, before = files[place], each[place], each[place - _BEFORE : place]
        usual = together(before)
        if values is None or usual is None or rows_of(values) < FEWEST_ROWS:
            continue
        values, usual = _common(values, usual, before)
        gap = distance(usual, values)
        if gap is None:
            continue
        most = max([*shown, by_chance(values, usual)])
        strength = (gap - most) / limit
        if strength >= EASED and len(shown) >= _FEWEST:
            yield len(files) - 1 - place, Symptom(
                "jump", name, "warning",
                f"{name} in {file.name} is {gap:.3f} away ({measure_of(values)}) from the "
                f"{_BEFORE} files before, where {most:.3f} is usual at most"
                f"{_medians(usual, values)}",
                _advice(pipeline, file),
                {
                    "file": file.name, "distance": measure_of(values), "value": round(gap, 4),
                    "most_before": round(most, 4), "limit": limit, "rows": round(rows_of(values)),
                },
                strength, file.summary.file.stem,
            )  # fmt: skip
        shown.append(gap)


def _common(
    values: Values, usual: Values, before: Sequence[Values | None]
) -> tuple[Values, Values]:
    """Both without the categories of which other detectors speak: new ones, and those gone."""
    if isinstance(values, Distribution) or isinstance(usual, Distribution):
        return values, usual
    each = [one for one in before if isinstance(one, Mapping)]
    steady = {value for value in usual if all(value in one for one in each)}
    apart = frozenset(steady - set(values)) | frozenset(set(values) - set(usual))
    return without(values, apart), without(usual, apart)


def _medians(usual: Values, values: Values) -> str:
    if isinstance(values, Distribution) and isinstance(usual, Distribution):
        return f": its median is {values.quantile(0.5):,.4g}, and was {usual.quantile(0.5):,.4g}"
    return ""


def _advice(pipeline: str, file: File) -> str:
    return (
        f"look at {file.name} and ask whoever sent it; if it is wrong, `perennial recall "
        f"{pipeline} {file.name.removeprefix(pipeline + '/')} --why …` takes it back"
    )
