"""Rows in and predictions out as CSV (RFC 4180), for people with spreadsheets.

Read with commas, quotes and a header, in UTF-8 with or without its mark. Cells stay text, which is
typed as in JSON; an empty one is missing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from perennial.domain.formats import csv_rows
from perennial.domain.formats.spreadsheet import safe
from perennial.domain.modelling.predictions import class_key
from perennial.domain.serving.problems import Problem
from perennial.domain.serving.request_rows import MAX_BYTES, MAX_CELLS, Rows, too_many
from perennial.domain.versioning.manifest import Manifest

csv.field_size_limit(MAX_BYTES)  # a cell may be as long as a text in JSON; 128 KiB without this

_NAMED = 2000  # characters of a header that name ignored fields
_SHOWN = 80


def read_csv(body: bytes, max_instances: int, kept: Collection[str]) -> Rows:
    """Read a header and its rows; blank lines mean nothing.

    Args:
        body: UTF-8.
        max_instances: more are refused.
        kept: the columns that someone reads. The first instance has the others, too, so that
            they can be named; no later one does.

    Raises:
        Problem: naming the line, when it is no such table, has no rows, or too many of them or of
            cells that are kept.
    """
    instances: list[object] = []
    lines: list[int] = []
    cells = 0
    for line, instance in _rows(body, kept):
        cells += len(instance)
        if cells > MAX_CELLS:
            raise Problem("too-large", f"line {line}: a request has at most {MAX_CELLS} cells")
        if len(instances) == max_instances:
            raise too_many(max_instances, "more")
        instances.append(instance)
        lines.append(line)
    if not instances:
        raise _malformed(1, "a header and at least one row", "no rows")
    return Rows(instances, lines, len(body))


def write_csv(manifest: Manifest, predictions: Sequence[Any]) -> bytes:
    """One row for each prediction, under a header.

    The column of a regression is `prediction`; those of a classification are `label` and
    `probability_` with each class. A label that a spreadsheet would take for a formula begins with
    an apostrophe.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if manifest.task == "regression":
        writer.writerow(["prediction"])
        writer.writerows([one] for one in predictions)
    else:
        keys = [class_key(one) for one in manifest.classes]
        writer.writerow(["label", *(f"probability_{key}" for key in keys)])
        for one in predictions:
            probabilities = one["probabilities"]
            writer.writerow([safe(class_key(one["label"])), *map(probabilities.get, keys)])
    return text.getvalue().encode()


def named_in_header(fields: Sequence[str]) -> str:
    """Names of fields for a header: percent-encoded, with commas between, as many as fit."""
    named = ""
    for field in fields:
        more = f"{named}, {quote(field, safe='')}" if named else quote(field, safe="")
        if len(more) > _NAMED:
            break
        named = more
    return named


def _rows(body: bytes, kept: Collection[str]) -> Iterator[tuple[int, dict[str, str | None]]]:
    """The rows, each with the line at which it begins; after the first only what is kept."""
    header: list[str] = []
    places: list[tuple[int, str]] = []
    wanted: list[tuple[int, str]] = []
    try:
        for line, row in csv_rows.rows(csv_rows.decoded(body)):
            if not header:
                _check_header(line, row)
                header = row
                places = [*enumerate(header)]
                wanted = [(place, name) for place, name in places if name in kept]
            elif len(row) != len(header):
                raise _malformed(line, f"{len(header)} fields, as in the header", str(len(row)))
            else:
                yield line, {name: row[place] or None for place, name in places}
                places = wanted
    except csv_rows.NoTextError as error:
        raise _malformed(error.line, "text in UTF-8", error.found) from None
    except csv_rows.NoRowError as error:
        raise _malformed(error.line, "fields as RFC 4180 has them", str(error)) from None


def _check_header(line: int, header: Sequence[str]) -> None:
    if what := csv_rows.other_delimiter(header):
        raise _malformed(line, "fields separated by commas", what)
    if len(set(header)) < len(header):
        seen: set[str] = set()
        for name in header:
            if name in seen:
                raise _malformed(line, "each column once", f"{name[:_SHOWN]!r} twice")
            seen.add(name)


def _malformed(line: int, expected: str, found: str) -> Problem:
    return Problem("malformed", f"line {line}: expected {expected}, found {found}")
