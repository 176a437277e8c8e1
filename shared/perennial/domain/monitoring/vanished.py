"""A category that no file has any more, though every file had it before.

Whether it is missing or only rare is a matter of the number of rows: a category with the share p
is in none of n rows with probability (1 - p) ** n. Values that come and go, such as seasons, were
not in every file before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import log

from perennial.domain.monitoring.columns import Course, File, pooled
from perennial.domain.monitoring.findings import Identity, Kind, Symptom
from perennial.domain.words import counted

KIND: Kind = "category_vanished"

_FEWEST_FILES = 8
_FEWEST_LACKING = 2  # one file may be an odd one
_CHANCE = log(1e-7)
_SHOWN = 5


def vanished(course: Course, open_: Collection[Identity] = ()) -> Iterator[Symptom]:
    """One symptom for each column that lacks a category.

    Args:
        course: the files; at least the two newest must lack it.
        open_: the findings that are open: a category that is missed already is missed until it
            comes back, or until no file of those that are looked at had it.
    """
    files = [*course.older, *course.newest]
    for name, gone in missing(course, open_).items():
        since = min(_since(files, name, value) for value in gone)
        before, after = files[:since], files[since:]
        known = _counts(before, name)
        shares = {value: known[value] / sum(known.values()) for value in sorted(gone)}
        rows = sum(file.summary.rows for file in after)
        told = ", ".join(
            f"{value!r} ({share:.1%} of the rows)" for value, share in [*shares.items()][:_SHOWN]
        )
        yield Symptom(
            KIND, name, "warning",
            f"{name} no longer holds {told} in the last {counted(len(after), 'file')} with "
            f"{rows:,} rows, and did in {len(before)} files before",
            "ask whoever sends the files whether it was renamed, filtered out or left behind; "
            f"`perennial status {course.definition.name}` lists the files",
            {
                "shares_before": {value: round(share, 4) for value, share in shares.items()},
                "files": len(after), "rows": rows, "files_before": len(before),
                "first_file": after[0].name,
            },
            news=course.news,
        )  # fmt: skip


def missing(course: Course, open_: Collection[Identity] = ()) -> Mapping[str, frozenset[str]]:
    """By column the categories that vanished; columns without any are left out."""
    least = course.definition.monitoring.rarest
    if least is None:
        return {}
    files = [*course.older, *course.newest]
    found = {}
    for name, column in course.watched.items():
        if column.type not in ("category", "boolean"):
            continue
        missed = (KIND, name) in open_
        gone = {
            value for value in _counts(files, name) if _is_gone(files, name, value, least, missed)
        }
        if gone:
            found[name] = frozenset(gone)
    return found


def _is_gone(files: Sequence[File], name: str, value: str, least: float, missed: bool) -> bool:
    since = _since(files, name, value)
    before = _counts(files[:since], name)
    total = sum(before.values())
    share = before.get(value, 0) / total if total else 0.0
    if since == len(files) or share < least:
        return False
    if missed:
        return True
    held = [one for file in files[:since] if (one := _counts([file], name))]
    always = len(held) >= _FEWEST_FILES and all(value in one for one in held)
    lacking = len(files) - since
    rows = sum(_counts(files[since:], name).values())
    return always and lacking >= _FEWEST_LACKING and _certain(share, rows) >= 1


def _since(files: Sequence[File], name: str, value: str) -> int:
    """The place of the first file from which on none has the category."""
    for place in range(len(files) - 1, -1, -1):
        if value in _counts([files[place]], name):
            return place + 1
    return 0


def _counts(files: Sequence[File], name: str) -> Mapping[str, float]:
    """How often each category occurs; nothing of numbers."""
    values = pooled(files, name)
    return values if isinstance(values, Mapping) else {}


def _certain(share: float, rows: float) -> float:
    """From 1 on, so many rows without it are no chance."""
    return rows * log(1 - share) / _CHANCE if share < 1 else float(rows > 0)
