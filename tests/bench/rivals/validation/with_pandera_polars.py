"""pandera on polars: one schema, validated lazily so that every failing row is named."""

from collections.abc import Iterable
from pathlib import Path

import pandera.polars as pa
import polars as pl
from subject import (
    ALLOWED,
    COLUMNS,
    INTEGERS,
    KEY,
    NULLABLE,
    NUMBERS,
    PATTERNS,
    RANGES,
    TIME_FORMAT,
    report,
)

TYPES = dict.fromkeys(INTEGERS, pl.Int64) | dict.fromkeys(NUMBERS, pl.Float64)
MISREAD = (*TYPES, "at", "member")


def judge(path: Path) -> Iterable[int]:
    frame = read(path)
    try:
        schema().validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        return lines(frame, error.failure_cases)
    return ()


def read(path: Path) -> pl.DataFrame:
    """Every column typed, null where a cell is not of its type, and beside it which are not."""
    booleans = {"true": True, "false": False}
    typed = [pl.col(name).cast(type_, strict=False) for name, type_ in TYPES.items()]
    typed += [
        pl.col("at").str.strptime(pl.Datetime("us"), TIME_FORMAT, strict=False),
        pl.col("member").replace_strict(booleans, default=None, return_dtype=pl.Boolean),
    ]
    misread = [
        (value.is_null() & pl.col(name).is_not_null()).alias(f"{name} misread")
        for name, value in zip(MISREAD, typed, strict=True)
    ]
    return pl.scan_csv(path, infer_schema=False).with_columns(*typed, *misread).collect()


def lines(frame: pl.DataFrame, cases: pl.DataFrame) -> list[int]:
    """Those of the failing rows; of a repeated key pandera names the first row, too."""
    repeated = cases.filter(pl.col("check") == "field_uniqueness")["index"]
    rows = cases.filter(pl.col("check") != "field_uniqueness")["index"].to_list()
    keys = frame[KEY].gather(repeated)
    rows += repeated.filter(~keys.is_first_distinct()).to_list()
    return [row + 2 for row in rows]


def schema() -> pa.DataFrameSchema:
    columns = {
        name: pa.Column(checks=checks(name), nullable=name in NULLABLE, unique=name == KEY)
        for name in COLUMNS
    }
    misread = {f"{name} misread": pa.Column(pl.Boolean, pa.Check.eq(False)) for name in MISREAD}
    return pa.DataFrameSchema(columns | misread)


def checks(name: str) -> list[pa.Check]:
    if name in RANGES:
        low, high = RANGES[name]
        return [pa.Check.ge(low) if high is None else pa.Check.in_range(low, high)]
    if name in ALLOWED:
        return [pa.Check.isin(ALLOWED[name])]
    return [pa.Check.str_matches(f"^{PATTERNS[name]}$")] if name in PATTERNS else []


report(judge)
