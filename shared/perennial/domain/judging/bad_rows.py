"""Setting rows aside: a few bad ones in a file keep only themselves out, where that is declared.

A row is bad where it breaks a rule that rejects, or is no row: another number of fields than the
header, a line that is no JSON object. What is wrong with the file as a whole rejects all of it,
however few rows are bad, and so does a rule with severity `reject_file`. So do signs that it is not
whole: a last row that is bad and ends without a line end, and bad rows that take more than their
share of the file's lines, because a quote that stands open swallows good ones.

Of rows with the same key all but the first are bad where they are the same in every declared
column; where they differ all of them are, because nobody knows which is right. Those that are bad
by themselves play no part in that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import polars as pl

from perennial.domain.formats.tables import Table
from perennial.domain.judging.findings import file_finding
from perennial.domain.judging.rules import Check
from perennial.domain.verdict import Finding

_CUT = frozenset({"field_count", "json", "type", "null"})
"""What a row breaks where the file was cut off in it."""

_ROUNDING = 1e-9
_QUOTED = frozenset(',"\r\n')


class BadRows:
    """The bad rows of a file, gathered batch by batch as places in its frame."""

    def __init__(self) -> None:
        self._found: list[pl.DataFrame] = []

    def note(self, failed: Sequence[Check], frame: pl.DataFrame, *, first_row: int = 0) -> None:
        """Note the rows of a batch that break rules.

        Args:
            failed: the checks that some row of the batch fails.
            frame: the batch.
            first_row: its place in the file's frame.
        """
        broken: dict[str, list[pl.Expr]] = {}
        for check in failed:
            if check.severity != "warn":
                aside = check.broken if check.aside is None else check.aside
                broken.setdefault(check.rule, []).append(aside.fill_null(value=False))
        if not broken:
            return
        named = [
            pl.when(pl.any_horizontal(some)).then(pl.lit(rule)) for rule, some in broken.items()
        ]
        rules = pl.concat_str(named, separator=" ", ignore_nulls=True)
        places = pl.int_range(first_row, first_row + pl.len(), dtype=pl.Int64)
        found = frame.select(places.alias("row"), rules.alias("rules"))
        self._found.append(found.filter(pl.col("rules") != ""))

    @property
    def rows(self) -> list[int]:
        """Their places in the file's frame, increasing."""
        if not self._found:
            return []
        return pl.concat(part["row"] for part in self._found).unique().sort().to_list()

    def absent(self, height: int) -> pl.Series:
        """Which rows of the file's frame are none of them."""
        return pl.repeat(value=True, n=height, eager=True).scatter(self.rows, False)

    def without(self, frame: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
        """The file's frame, in which none of them has a value in these columns."""
        if not self.rows:
            return frame
        good = self.absent(frame.height)
        return frame.with_columns(
            pl.when(good).then(pl.col(name)).otherwise(None).alias(name) for name in columns
        )

    def rules(self) -> dict[int, tuple[str, ...]]:
        """For each of them the rules that it breaks."""
        found: dict[int, dict[str, None]] = {}
        for row, rules in chain.from_iterable(part.iter_rows() for part in self._found):
            found.setdefault(row, {}).update(dict.fromkeys(rules.split(" ")))
        return {row: tuple(found[row]) for row in sorted(found)}


@dataclass(frozen=True, slots=True)
class SetAside:
    """Rows of a file that are left out, or why none may be.

    Attributes:
        rules: the rules that each row breaks, by its place among the rows of the file.
        csv: the rows, as `in_csv` gives them.
        findings: why they may not be left out; then there are none.
    """

    rules: Mapping[int, Sequence[str]]
    csv: bytes = b""
    findings: tuple[Finding, ...] = ()


def by_record(table: Table, bad: BadRows) -> dict[int, tuple[str, ...]]:
    """The rules that each bad row breaks, by its place in the file; what is no row included."""
    rules = bad.rules()
    found = dict(zip(table.records_of(rules), rules.values(), strict=True))
    return found | dict.fromkeys(table.misfit_records, (table.wording.no_row,))


def set_aside(table: Table, bad: BadRows, most: float) -> SetAside:
    """Take the bad rows out of a file, if they are few and nothing says that it is not whole.

    Args:
        table: the file.
        bad: its bad rows, as far as they are rows.
        most: the largest share of rows, and of lines, that may be bad.
    """
    limit = most * table.rows + _ROUNDING
    count = len(bad.rows) + len(table.misfit_records)
    if count > limit:
        return SetAside({}, findings=(_too_many("rows", count, table.rows, most),))
    rules = by_record(table, bad)
    csv, lines = in_csv(table, rules)
    if lines > limit and lines > most * (all_lines := table.lines) + _ROUNDING:
        return SetAside({}, findings=(_too_many("lines", lines, all_lines, most),))
    if table.ends_open and not _CUT.isdisjoint(rules.get(table.last_record, ())):
        return SetAside({}, findings=(_cut_off(table),))
    return SetAside(rules, csv)


def in_csv(table: Table, rules: Mapping[int, Sequence[str]]) -> tuple[bytes, int]:
    """Rows as CSV in UTF-8: `line`, `rules`, then the cells as they stand in the file.

    They are the originals: a cell that a spreadsheet would take for a formula stays one.

    Args:
        table: the file.
        rules: those that each row breaks, by its place.

    Returns:
        The CSV, and how many lines the rows take in the file.
    """
    text, lines, widest = [], 0, 0
    for row in table.rows_at(rules) if rules else ():
        text.append(_line([str(row.line), " ".join(rules[row.record]), *row.cells]))
        lines += row.lines
        widest = max(widest, len(row.cells))
    beyond = [f"field {place + 1}" for place in range(len(table.shown), widest)]
    header = _line(["line", "rules", *table.shown, *beyond])
    return "".join([header, *text]).encode(), lines


def _too_many(counted: str, bad: int, of: int, most: float) -> Finding:
    found = f"{bad / of:.3%} ({bad:,} of {of:,} {counted})"
    if counted == "lines":
        found = f"such that take {found}: does a quote stand open?"
    return file_finding(
        "bad_rows",
        f"expected at most {most:.3%} bad rows (rows.max_bad_row_fraction), found {found}",
    )


def _cut_off(table: Table) -> Finding:
    (line,) = table.lines_of([table.last_record]).values()
    return file_finding(
        "truncated",
        f"expected a whole last row, found a bad one without a line end in line {line:,}: the file "
        "may be cut off, send it again",
        lines=(line,),
    )


def _line(cells: Sequence[str | None]) -> str:
    return ",".join(map(_cell, cells)) + "\n"


def _cell(text: str | None) -> str:
    if text is None or _QUOTED.isdisjoint(text):
        return text or ""
    return '"' + text.replace('"', '""') + '"'
