"""Values that nothing the champion learned from had: it knows no answer to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median

from perennial.domain.judging.quantiles import Distribution
from perennial.domain.monitoring.columns import Course, File, pooled
from perennial.domain.monitoring.findings import EASED, Kind, Symptom
from perennial.domain.monitoring.shares import beyond_chance

KIND: Kind = "unseen_categories"
_SHOWN = 5
_FEWEST_FILES = 3


def unseen(course: Course) -> Iterator[Symptom]:
    """One symptom for each column of which too many values are new."""
    limit = course.definition.monitoring.unseen_categories
    if limit is None or course.learned.files < _FEWEST_FILES:
        return
    for name, new in new_values(course).items():
        usual = course.learned.columns[name]
        known = usual.categories or frozenset()
        shares = [_share(file, name, known) for file in course.newest]
        values = pooled(course.newest, name)
        rows = sum(values.values()) if isinstance(values, Mapping) else 0
        share = min(sum(new.values()) / rows, median(shares)) if rows else 0.0
        strength = min((share - usual.unseen) / limit, beyond_chance(share, usual.unseen, rows))
        if strength < EASED:
            continue
        shown = sorted(new, key=lambda value: (-new[value], value))[:_SHOWN]
        yield Symptom(
            KIND, name, "warning",
            f"{share:.1%} of {name} in the last {len(course.newest)} files are values that none of "
            f"{course.learned.files:,} files before had, such as {', '.join(map(repr, shown))}; at "
            f"most {usual.unseen:.1%} were so far",
            f"the champion has not learned them: `perennial retrain {course.definition.name}` has "
            "it learn the new files now; if they are misspelt, `perennial recall` takes them back",
            {
                "share": round(share, 4), "most_before": round(usual.unseen, 4), "limit": limit,
                "rows": rows, "values": {value: new[value] for value in shown},
            },
            strength, course.news,
        )  # fmt: skip


def new_values(course: Course) -> dict[str, dict[str, float]]:
    """By column the values of the newest files that are new, and how often they occur."""
    found = {}
    for name in course.watched:
        usual = course.learned.columns.get(name)
        values = pooled(course.newest, name)
        if usual is None or usual.categories is None or isinstance(values, Distribution):
            continue
        new = {value: n for value, n in (values or {}).items() if value not in usual.categories}
        if new:
            found[name] = new
    return found


def _share(file: File, name: str, known: frozenset[str]) -> float:
    facts = file.statistics.get(name, {})
    top: Mapping[str, int] = facts.get("top", {})
    rows = sum(top.values())
    return sum(n for value, n in top.items() if value not in known) / rows if rows else 0.0
