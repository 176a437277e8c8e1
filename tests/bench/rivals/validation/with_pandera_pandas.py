"""pandera on pandas: one schema, validated lazily so that every failing row is named."""

from collections.abc import Iterable
from pathlib import Path

import frames
import pandera.pandas as pa
from subject import ALLOWED, COLUMNS, KEY, NULLABLE, PATTERNS, RANGES, report


def judge(path: Path) -> Iterable[int]:
    try:
        schema().validate(frames.read(path), lazy=True)
    except pa.errors.SchemaErrors as error:
        return [int(row) + 2 for row in error.failure_cases["index"]]
    return ()


def schema() -> pa.DataFrameSchema:
    columns = {
        name: pa.Column(
            checks=checks(name),
            nullable=name in NULLABLE,
            unique=name == KEY,
            report_duplicates="exclude_first",
        )
        for name in COLUMNS
    }
    misread = {f"{name} misread": pa.Column(bool, pa.Check.eq(False)) for name in frames.MISREAD}
    return pa.DataFrameSchema(columns | misread)


def checks(name: str) -> list[pa.Check]:
    if name in RANGES:
        low, high = RANGES[name]
        return [pa.Check.ge(low) if high is None else pa.Check.in_range(low, high)]
    if name in ALLOWED:
        return [pa.Check.isin(ALLOWED[name])]
    return [pa.Check.str_matches(f"^{PATTERNS[name]}$")] if name in PATTERNS else []


report(judge)
