"""The flower shop's weekly files, from 1 July to the end of February: the same for a seed, always.

Most weeks arrive as they should. Three go wrong first, as files do, and are sent again.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields, replace
from datetime import date, timedelta
from random import Random
from typing import Literal

from localdev.demo.crowds import Visit, crowds_on, visit

FIRST_DAY = date(2025, 7, 1)
LAST_DAY = date(2026, 2, 28)
COLUMNS = tuple(field.name for field in fields(Visit))
VISITS_A_DAY = 24
"""Visits on a day on which only the regulars come."""

Mishap = Literal["html", "cents", "truncated"]
MISHAPS: dict[date, Mishap] = {
    date(2025, 9, 16): "truncated",
    date(2025, 10, 14): "html",
    date(2025, 11, 18): "cents",
}
"""By the first day of the week, what went wrong when its file was first sent."""

_ERROR_PAGE = b"""<!DOCTYPE html>
<html lang="en">
<head><title>502 Bad Gateway</title></head>
<body>
<h1>502 Bad Gateway</h1>
<p>The shop's export, which was asked for over HTTP, did not answer in time.</p>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as the shop sends it.

    Attributes:
        name: file name, such as `visits-2025-07-01.csv`.
        week: first day of its week.
        data: its bytes.
        mishap: what is wrong with it; None for a good file.
    """

    name: str
    week: date
    data: bytes
    mishap: Mishap | None = None


def weeks() -> Iterator[date]:
    """The first day of every week; the last week is cut off by the end of February."""
    day = FIRST_DAY
    while day <= LAST_DAY:
        yield day
        day += timedelta(days=7)


def visits(week: date, *, seed: int = 0) -> list[Visit]:
    """The week's visits in order of time, some hundred; the same for the same seed."""
    random = Random(f"flower shop {seed} {week}")  # noqa: S311  # a simulation, not a secret
    rows: list[Visit] = []
    for offset in range(min(7, (LAST_DAY - week).days + 1)):
        day = week + timedelta(days=offset)
        count = round(VISITS_A_DAY * sum(crowds_on(day).values()) * random.uniform(0.85, 1.15))
        rows += [visit(f"{day:%Y%m%d}-{number:04d}", day, random) for number in range(count)]
    return sorted(rows, key=lambda row: (row.visited_at, row.visit_id))


def uploads(week: date, *, seed: int = 0) -> list[Upload]:
    """What the shop sends for a week: the good file, after the bad one where there is a mishap."""
    rows = visits(week, seed=seed)
    mishap = MISHAPS.get(week)
    name = f"visits-{week}.csv"
    good = Upload(name, week, _csv(rows))
    match mishap:
        case None:
            return [good]
        case "html":
            return [replace(good, data=_ERROR_PAGE, mishap=mishap), good]
        case "cents":
            cents = [replace(row, basket_eur=round(row.basket_eur * 100)) for row in rows]
            return [replace(good, data=_csv(cents), mishap=mishap), good]
        case "truncated":
            whole = gzip.compress(good.data, mtime=0)
            zipped = replace(good, name=f"{name}.gz", data=whole)
            return [replace(zipped, data=whole[: len(whole) * 2 // 3], mishap=mishap), zipped]


def _csv(rows: list[Visit]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(
            str(value).lower() if isinstance(value, bool) else value for value in astuple(row)
        )
    return text.getvalue().encode()
