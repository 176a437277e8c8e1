"""What a column holds in a file, in several files together, and in what the champion learned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from perennial.domain.definitions.definition import Column, Definition
from perennial.domain.judging.quantiles import Distribution, mixed
from perennial.domain.judging.reference import Reference, Statistics, distribution_of
from perennial.domain.monitoring.distances import Values
from perennial.domain.verdict import VerdictSummary


@dataclass(frozen=True, slots=True)
class File:
    """An accepted file and the statistics of its columns."""

    summary: VerdictSummary
    statistics: Statistics

    @property
    def name(self) -> str:
        """The file's, in landing."""
        return self.summary.file.name


@dataclass(frozen=True, slots=True)
class Course:
    """The newest accepted files, and what the champion of their time had learned before them.

    Attributes:
        definition: the one in force.
        older: files before the newest, in their order.
        newest: those that are looked at together, in their order.
        learned: what accepted files were like before the newest.
    """

    definition: Definition
    older: Sequence[File]
    newest: Sequence[File]
    learned: Reference

    @property
    def news(self) -> str:
        """What evidence of these files is of."""
        return self.newest[-1].summary.file.stem if self.newest else ""

    @property
    def watched(self) -> Mapping[str, Column]:
        """The columns that are looked at."""
        return watched(self.definition)


def watched(definition: Definition) -> dict[str, Column]:
    """The columns that are compared: features and the label, of numbers or categories."""
    return {
        name: column
        for name, column in definition.stored_columns.items()
        if column.role in ("feature", "label") and column.type not in ("text", "timestamp")
    }


def values_of(facts: Mapping[str, Any] | None) -> Values | None:
    """A column's values in one file, by its verdict; None where it had none that compare."""
    if not facts or not facts.get("count"):
        return None
    if (numbers := distribution_of(facts)) is not None:
        return numbers
    top = facts.get("top")
    return dict(top) if top else None


def pooled(files: Iterable[File], name: str) -> Values | None:
    """A column's values in several files together."""
    return together(values_of(file.statistics.get(name)) for file in files)


def together(parts: Iterable[Values | None]) -> Values | None:
    """Several samples as one; where a column had another type in some, its numbers count."""
    found = [one for one in parts if one]
    numbers = [one for one in found if isinstance(one, Distribution)]
    if numbers:
        return reduce(mixed, numbers)
    counts: dict[str, float] = {}
    for one in found:
        for value, number in one.items() if isinstance(one, Mapping) else ():
            counts[value] = counts.get(value, 0) + number
    return counts or None


def dates_its_files(files: Sequence[File], name: str) -> bool:
    """Whether a column says when its file was made, as a month does, and moves on by nature.

    It is the same all through most files, and another one in some of them.
    """
    ends = [_ends(file.statistics.get(name)) for file in files]
    known = [one for one in ends if one is not None]
    constant = [one[0] for one in known if one[0] == one[1]]
    return 2 * len(constant) > len(known) and len(set(constant)) > 1


def _ends(facts: Mapping[str, Any] | None) -> tuple[object, object] | None:
    """Two values of a column that differ unless all do; None where it has none."""
    values = values_of(facts)
    if values is None:
        return None
    ends = values.values if isinstance(values, Distribution) else [*values]
    return ends[0], ends[-1]


def learned_values(course: Course, name: str) -> Values | None:
    """A column's values in what the champion learned.

    Where the reference does not count categories, as one that an earlier release left does not,
    the older files stand for it.
    """
    usual = course.learned.columns.get(name)
    if usual is not None and usual.whole is not None:
        return usual.whole
    if usual is not None and usual.counts:
        return usual.counts
    return pooled(course.older, name)
