"""What accepted files have been like: the reference that a new file is compared with.

A training run folds the statistics of the files that it considered into the reference of the run
before it, so that ingest reads one small object, however long the history. Beside how columns are
distributed the reference keeps how far accepted files were from it in their time: a column that
wanders by nature, as temperatures do, is only unusual when it wanders further than it ever did.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from perennial.domain.judging.quantiles import Distribution, distance, mixed

_MEMORY = 8
"""How many files of their size `recent` has the weight of."""

_FEW_FILES = 3
_KNOWN_ROWS = 100

_KEPT = 64
_CATEGORIES = 1000
_COUNTED = 200

Statistics = Mapping[str, Mapping[str, Any]]
"""What a verdict says of each column; see `statistics.describe_columns`."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What a column of accepted files was like.

    Attributes:
        kind: what its statistics speak of: numbers, categories, or others; empty before any.
        files, rows: how many of each it rests on.
        nulls: of the rows, how many were empty.
        most_nulls: the largest share of empty cells in one file.
        constant: in how many files all its values were the same.
        low, high: the least and the greatest number; None where it holds none.
        narrowest, widest: how far the middle half of one file's numbers reached, at least and at
            most.
        whole: how its numbers were distributed in all files; None where there were none.
        recent: the same, where a file counts the less the more came after it.
        distances: of the last files' numbers to the nearer of the two, each before it was folded
            in.
        categories: its values, at most 1,000 of them; None where there were more, or where it
            holds numbers.
        unseen: the largest share of rows in one file whose values no earlier file had.
        counts: how often each of its most frequent values occurred, as far as this was counted.
    """

    kind: str = ""
    files: int = 0
    rows: int = 0
    nulls: int = 0
    most_nulls: float = 0.0
    constant: int = 0
    low: float | None = None
    high: float | None = None
    narrowest: float | None = None
    widest: float | None = None
    whole: Distribution | None = None
    recent: Distribution | None = None
    distances: tuple[float, ...] = ()
    categories: frozenset[str] | None = None
    unseen: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether enough was accepted to say what is usual."""
        return self.files >= _FEW_FILES and self.rows >= _KNOWN_ROWS

    def distance(self, new: Distribution) -> float | None:
        """How far numbers are from all, or from recent files: the nearer of the two.

        None while there is nothing to compare them with.
        """
        if self.whole is None or self.recent is None:
            return None
        return min(distance(self.whole, new), distance(self.recent, new))


@dataclass(frozen=True, slots=True)
class Reference:
    """What accepted files have been like.

    Attributes:
        files: how many were folded in.
        columns: by name.
    """

    files: int = 0
    columns: Mapping[str, Usual] = field(default_factory=dict)
    format: int = 1

    def folding(self, files: Iterable[Statistics]) -> Reference:
        """With these files, too, in the order in which they came."""
        count, columns = self.files, dict(self.columns)
        for statistics in files:
            count += 1
            for name, facts in statistics.items():
                columns[name] = _folding(columns.get(name, Usual()), facts)
        return replace(self, files=count, columns=columns)

    def to_json(self) -> bytes:
        """The stored form."""
        return json.dumps(asdict(self), default=sorted, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form."""
        document = json.loads(data)
        columns = {name: _revive(usual) for name, usual in document["columns"].items()}
        return cls(document["files"], columns)


NO_HISTORY = Reference()


def distribution_of(facts: Mapping[str, Any]) -> Distribution | None:
    """That of a column's numbers, from a verdict's statistics; None where they tell none."""
    points = facts.get("quantiles")
    return Distribution.of_quantiles(facts["count"], points) if points else None


def _folding(usual: Usual, facts: Mapping[str, Any]) -> Usual:
    if usual.kind not in ("", kind := _kind(facts)):
        usual = Usual()  # the column has another type now
    usual = replace(usual, kind=kind)
    count, nulls = facts["count"], facts["nulls"]
    rows = count + nulls
    if not rows:
        return usual
    after = replace(
        usual,
        files=usual.files + 1,
        rows=usual.rows + rows,
        nulls=usual.nulls + nulls,
        most_nulls=max(usual.most_nulls, nulls / rows),
    )
    if (new := distribution_of(facts)) is not None:
        return _with_numbers(after, new)
    if "top" in facts:
        return _with_categories(after, facts)
    return after


def _kind(facts: Mapping[str, Any]) -> str:
    """Of what a column's statistics speak."""
    return "numbers" if "sum" in facts else "categories" if "top" in facts else "others"


def _with_numbers(usual: Usual, new: Distribution) -> Usual:
    low, high = new.values[0], new.values[-1]
    gap = usual.distance(new)
    whole, recent = usual.whole, usual.recent
    return replace(
        usual,
        constant=usual.constant + (low == high),
        low=low if usual.low is None else min(low, usual.low),
        high=high if usual.high is None else max(high, usual.high),
        narrowest=min(new.spread, new.spread if usual.narrowest is None else usual.narrowest),
        widest=max(new.spread, usual.widest or 0.0),
        whole=new if whole is None else mixed(whole, new),
        recent=new
        if recent is None
        else mixed(recent.weighing(min(recent.rows, (_MEMORY - 1) * new.rows)), new),
        distances=(usual.distances if gap is None else (*usual.distances, round(gap, 4)))[-_KEPT:],
    )


def _with_categories(usual: Usual, facts: Mapping[str, Any]) -> Usual:
    counts: Mapping[str, int] = facts["top"]
    constant = usual.constant + (facts["distinct"] == 1)
    usual = replace(usual, counts=_counting(usual.counts, counts))
    first = usual.categories is None and usual.files == 1
    known = frozenset[str]() if first else usual.categories
    if known is None or facts["distinct"] > len(counts) or len(known | set(counts)) > _CATEGORIES:
        return replace(usual, constant=constant, categories=None)
    unseen = sum(number for value, number in counts.items() if value not in known)
    share = 0.0 if first else unseen / facts["count"] if facts["count"] else 0.0
    return replace(
        usual,
        constant=constant,
        categories=known | set(counts),
        unseen=max(usual.unseen, share),
    )


def _counting(known: Mapping[str, int], new: Mapping[str, int]) -> dict[str, int]:
    """The most frequent values of both; of equals those that come first in the alphabet."""
    total = Counter(known)
    total.update(new)
    ranked = sorted(total.items(), key=lambda item: (-item[1], item[0]))
    return dict(ranked[:_COUNTED])


def _revive(document: dict[str, Any]) -> Usual:
    for key in ("whole", "recent"):
        if (found := document[key]) is not None:
            document[key] = Distribution(
                found["rows"], *(tuple(found[part]) for part in ("values", "below", "through"))
            )
    document["distances"] = tuple(document["distances"])
    if document["categories"] is not None:
        document["categories"] = frozenset(document["categories"])
    return Usual(**document)


def spread(items: Sequence[Any], most: int) -> Sequence[Any]:
    """At most so many of them, evenly spread, the last one among them."""
    if len(items) <= most:
        return items
    step = len(items) / most
    return [items[round((place + 1) * step) - 1] for place in range(most)]
