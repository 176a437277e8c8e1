"""Sample files, read as text, for those who have no definition yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import polars as pl

from perennial.domain.csv_table import BLOCK, Table, read_header, split
from perennial.domain.definition import Files
from perennial.domain.diagnosis import name_rows
from perennial.domain.findings import listed
from perennial.domain.header import other_delimiter
from perennial.domain.reading import read_text
from perennial.domain.verdict import Finding
from perennial.errors import DefinitionError


def read_samples(samples: Sequence[tuple[str, bytes]]) -> pl.DataFrame:
    """The rows of all samples, as text, in the columns of the first.

    Args:
        samples: names and bytes.

    Raises:
        DefinitionError: when a sample cannot be read, or has other columns than the first.
    """
    if not samples:
        raise DefinitionError("at least one sample file is needed")
    frames = [_read_sample(name, data) for name, data in samples]
    first = frames[0].columns
    for (name, _), frame in zip(samples, frames, strict=True):
        if other := set(frame.columns) ^ set(first):
            raise DefinitionError(
                f"{name}: expected the columns of {samples[0][0]}, found a difference in "
                f"{listed(sorted(other))}"
            )
    return pl.concat([frame.select(first) for frame in frames])


def _read_sample(name: str, data: bytes) -> pl.DataFrame:
    text = read_text(name, data, max_bytes=Files().max_bytes)
    if isinstance(text, Finding):
        advice = "; save it as CSV, with commas" if text.rule == "format" else ""
        raise DefinitionError(f"{name}: {text.message}{advice}")
    first_row = read_header(text)
    if found := other_delimiter(first_row):
        raise DefinitionError(f"{name}: {found}")
    header = split(first_row)
    doubled = [column for column, times in Counter(header).items() if times > 1]
    if doubled:
        raise DefinitionError(f"{name}: expected each column once, found {listed(doubled)} again")
    if "" in header:
        raise DefinitionError(f"{name}: expected a name for every column, found an empty one")
    table = Table(text, header, header, block=2 * len(text) + BLOCK)
    cells = pl.concat(table.batches())
    for finding in name_rows(table, []):
        raise DefinitionError(f"{name}: {finding.message}")
    if not table.rows:
        raise DefinitionError(f"{name}: expected rows to learn from, found only the header")
    return cells
