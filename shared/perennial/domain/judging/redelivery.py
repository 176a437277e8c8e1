"""Re-deliveries: a file that brings a period again, corrected, takes the place of the earlier one.

Decided from the listed verdicts alone, so that whoever lists the same files decides alike: a run,
a replay, status. The later drop wins. Once it is recalled or set aside, the earlier file counts
again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from perennial.domain.definitions.definition import Definition
from perennial.domain.judging.namesakes import Namesakes
from perennial.domain.verdict import VerdictSummary


@dataclass(frozen=True, slots=True)
class Superseded:
    """A file that another one replaces, as runs keep it on record.

    Attributes:
        stem: the earlier file, as in its verdict's name.
        name: its name in landing.
        by: the stem of the one that replaces it.
        by_name: that one's name in landing.
    """

    stem: str
    name: str
    by: str
    by_name: str

    @classmethod
    def of(cls, earlier: VerdictSummary, later: VerdictSummary) -> Superseded:
        """From the listed files."""
        return cls(earlier.file.stem, earlier.file.name, later.file.stem, later.file.name)

    @property
    def sentence(self) -> str:
        """Which file replaces which."""
        if self.by_name == self.name:
            return f"{self.name} is superseded by a later generation, {int(self.by.split('-')[0])}"
        return f"{self.name} is superseded by {self.by_name}"


def superseded(
    definition: Definition, accepted: Iterable[VerdictSummary]
) -> dict[str, VerdictSummary]:
    """For each accepted file that a later drop replaces, by stem, the one that counts in its place.

    A later drop replaces a file that has the same name, unless both have event times and neither's
    lie within the other's; where key columns are declared, one with the very same keys; where none
    are, one with the same first and last event time. What replaces such a replacement replaces the
    first file, too.

    Args:
        definition: says whether any file replaces another (`files.redelivery`).
        accepted: every accepted file.
    """
    if definition.files.redelivery == "append":
        return {}
    keyed = bool(definition.names("key"))
    replaced: dict[str, VerdictSummary] = {}
    of_name: dict[str, Namesakes] = defaultdict(Namesakes)
    of_period: dict[Hashable, VerdictSummary] = {}
    for file in sorted(accepted, key=lambda file: file.file, reverse=True):
        period = file.keys if keyed else (file.first_event, file.last_event)
        known = period not in ("", (None, None))
        namesakes = of_name[file.file.name]
        likely = namesakes.nested(file), of_period.get(period) if known else None
        if later := [one for one in likely if one is not None]:
            by = max(later, key=lambda one: one.file)
            replaced[file.file.stem] = replaced.get(by.file.stem, by)
        if known:
            of_period.setdefault(period, file)
        namesakes.add(file)
    return replaced


def in_effect(
    definition: Definition, accepted: Sequence[VerdictSummary]
) -> Sequence[VerdictSummary]:
    """The accepted files that no later one replaces."""
    replaced = superseded(definition, accepted)
    return [file for file in accepted if file.file.stem not in replaced]


def counted_again(replaced: Mapping[str, VerdictSummary], scored: Iterable[str]) -> frozenset[str]:
    """Stems of superseded files whose score counts no more, because their successor has one.

    Args:
        replaced: what replaces which file, by its stem.
        scored: stems of the files that have a score.
    """
    there = set(scored)
    return frozenset(stem for stem, by in replaced.items() if by.file.stem in there)
