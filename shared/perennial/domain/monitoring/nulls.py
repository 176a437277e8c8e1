"""Empty cells: more of them than any file had before."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from perennial.domain.monitoring.columns import Course
from perennial.domain.monitoring.findings import EASED, Symptom
from perennial.domain.monitoring.shares import beyond_chance

_FEWEST_FILES = 3


def nulls(course: Course) -> Iterator[Symptom]:
    """One symptom for each column of which too many cells are empty in the newest files."""
    limit = course.definition.monitoring.nulls
    if limit is None or course.learned.files < _FEWEST_FILES:
        return
    for name, column in course.definition.stored_columns.items():
        usual = course.learned.columns.get(name)
        if column.role not in ("feature", "label") or usual is None:
            continue
        facts = [file.statistics[name] for file in course.newest if name in file.statistics]
        rows = sum(one["count"] + one["nulls"] for one in facts)
        if not rows:
            continue
        of_each = [one["nulls"] / max(one["count"] + one["nulls"], 1) for one in facts]
        share = min(sum(one["nulls"] for one in facts) / rows, median(of_each))
        most = usual.most_nulls
        strength = min((share - most) / limit, beyond_chance(share, most, rows))
        if strength < EASED:
            continue
        yield Symptom(
            "nulls", name, "warning",
            f"{share:.1%} of {name} are empty in the last {len(course.newest)} files, and at most "
            f"{most:.1%} were in any of {usual.files:,} files before",
            "ask whoever sends the files; a rule max_null_fraction in the definition keeps such "
            "files out",
            {"share": round(share, 4), "most_before": round(most, 4), "limit": limit, "rows": rows},
            strength, course.news,
        )  # fmt: skip
