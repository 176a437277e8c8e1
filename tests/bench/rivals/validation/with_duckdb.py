# ruff: noqa: S608 (all SQL is made of constants)
"""DuckDB: every cell as text, one pass of SQL that counts what fails, then one that names it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
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


def judge(path: Path) -> Iterable[int]:
    database = duckdb.connect()
    # A table, which is filled in parallel and numbers its rows; row_number() would be one thread.
    database.execute(
        "CREATE TEMP TABLE cells AS SELECT * FROM "
        f"read_csv('{path}', header=true, all_varchar=true, delim=',', quote='\"')"
    )
    rules = list(broken())
    sums = ", ".join(f"count(*) FILTER ({rule})" for rule in rules)
    repeated = f'count("{KEY}") - count(DISTINCT "{KEY}")'
    (*counts, again) = database.execute(f"SELECT {sums}, {repeated} FROM cells").fetchone()
    failed = " OR ".join(f"({r})" for r, count in zip(rules, counts, strict=True) if count)
    named = []
    if failed:
        named += database.execute(f"SELECT rowid + 2 FROM cells WHERE {failed}").fetchall()
    if again:
        named += database.execute(
            f'SELECT unnest(list(rowid ORDER BY rowid)[2:]) + 2 FROM cells GROUP BY "{KEY}" '
            "HAVING count(*) > 1"
        ).fetchall()
    return [line for (line,) in named]


def broken() -> Iterator[str]:
    """An SQL condition for each rule, true where it is broken."""
    typed = {column: f'TRY_CAST("{column}" AS BIGINT)' for column in INTEGERS}
    typed |= {column: f'TRY_CAST("{column}" AS DOUBLE)' for column in NUMBERS}
    typed |= {"member": 'TRY_CAST("member" AS BOOLEAN)'}
    typed |= {"at": f"try_strptime(\"at\", '{TIME_FORMAT}')"}
    for column, value in typed.items():
        yield f'"{column}" IS NOT NULL AND {value} IS NULL'
    for column in COLUMNS:
        if column not in NULLABLE:
            yield f'"{column}" IS NULL'
    for column, (low, high) in RANGES.items():
        above = "" if high is None else f" OR {typed[column]} > {high}"
        yield f"{typed[column]} < {low}{above}"
    for column, values in ALLOWED.items():
        yield f'"{column}" NOT IN {values}'
    for column, pattern in PATTERNS.items():
        yield f"NOT regexp_full_match(\"{column}\", '{pattern}')"


report(judge)
