"""What is unusual about a file, held against the files that were accepted before it.

Each measure is what a file shows beyond the most that accepted files have shown, so that a limit
means the same for a steady column and for one that wanders.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import polars as pl

from perennial.domain.definitions.definition import Column, Definition, Rule
from perennial.domain.definitions.expected import Checks, Limits
from perennial.domain.definitions.files import Measure
from perennial.domain.definitions.recipe import Scalar
from perennial.domain.judging.file_checks import CONSTANT_ROWS, FEW_ROWS, is_constant
from perennial.domain.judging.findings import file_finding, listed, quoted
from perennial.domain.judging.quantiles import Distribution, by_chance
from perennial.domain.judging.reference import Reference, Usual, distribution_of
from perennial.domain.judging.statistics import category_name, category_names
from perennial.domain.judging.units import OUTSIDE, RESCALINGS, are_codes, rescales
from perennial.domain.verdict import Effect, Finding

_FEW_DISTANCES = 8

_CLOSE = 0.05
_SHOWN = 5


def widened(definition: Definition, reference: Reference) -> Definition:
    """With what accepted files have held added to what was observed of samples."""
    columns = {
        name: column.model_copy(
            update={
                "rules": tuple(_widened(column, r, reference.columns[name]) for r in column.rules)
            }
        )
        if name in reference.columns and any(r.observed is not None for r in column.rules)
        else column
        for name, column in definition.columns.items()
    }
    return definition.model_copy(update={"columns": columns})


def check_history(
    definition: Definition,
    frame: pl.DataFrame,
    statistics: dict[str, dict[str, Any]],
    reference: Reference,
    *,
    in_another_unit: Collection[str | None] = (),
) -> Iterator[Finding]:
    """Every check of `definition.checks` that compares a file with those before it.

    Args:
        definition: what is declared.
        frame: the file's usable rows, typed.
        statistics: of its columns.
        reference: what accepted files were like.
        in_another_unit: columns that are known to be so from their declared ranges.
    """
    if frame.height < FEW_ROWS:
        return
    for name, column in definition.stored_columns.items():
        usual = reference.columns.get(name)
        if column.role not in ("feature", "label") or usual is None or not usual.is_known:
            continue
        values = frame[name]
        if column.role == "feature" and all(r.max_null_fraction is None for r in column.rules):
            yield from _nulls(name, values, usual, definition.checks.null_fraction)
        yield from _constant(name, values, usual, definition.checks.constant)
        new = distribution_of(statistics[name])
        if column.type in ("category", "boolean"):
            yield from _unseen(name, column, values, usual, definition.checks.unseen_categories)
        elif new is not None and new.rows >= FEW_ROWS and name not in in_another_unit:
            yield from _numbers(name, values, new, usual, definition.checks)


def _widened(column: Column, rule: Rule, usual: Usual) -> Rule:
    if rule.observed is None:
        return rule
    observed: tuple[Scalar, ...] = rule.observed
    if column.type in ("integer", "number"):
        low, high = (float(bound) for bound in observed)
        if usual.low is not None and usual.high is not None:  # else it had another type till now
            observed = (min(low, usual.low), max(high, usual.high))
    elif usual.categories is not None:
        known = {category_name(value) for value in observed}
        observed = (*observed, *sorted(usual.categories - known))
    return rule.model_copy(update={"observed": observed})


def _nulls(name: str, values: pl.Series, usual: Usual, limits: Limits) -> Iterator[Finding]:
    share = values.null_count() / len(values)
    if severity := limits.exceeded_by(share - usual.most_nulls):
        yield file_finding(
            "null_fraction",
            f"expected about as many empty cells as in accepted files, at most "
            f"{usual.most_nulls:.1%} of one, found {share:.1%}",
            severity=severity,
            column=name,
        )


def _constant(name: str, values: pl.Series, usual: Usual, measure: Measure) -> Iterator[Finding]:
    if measure == "ignore" or usual.constant or usual.files < _FEW_DISTANCES:
        return
    present = values.drop_nulls()
    if len(present) >= CONSTANT_ROWS and is_constant(present):
        yield file_finding(
            "constant",
            f"expected different values, as in each of {usual.files:,} accepted files, found "
            f"{quoted(str(present[0]))} in all {len(present):,} rows that have one",
            severity=measure,
            column=name,
        )


def _numbers(
    name: str, values: pl.Series, new: Distribution, usual: Usual, checks: Checks
) -> Iterator[Finding]:
    """Numbers in another unit are not said to be distributed otherwise, too."""
    unit = _unit(values, new, usual) if checks.unit_change != "ignore" else None
    if unit is None:
        yield from _distribution(name, new, usual, checks.distribution)
        return
    sure = len(usual.distances) >= _FEW_DISTANCES  # else the next file may well be another one
    severity: Effect = "reject" if checks.unit_change == "reject" and sure else "warn"
    yield file_finding("unit_change", unit, severity=severity, column=name)


def _distribution(name: str, new: Distribution, usual: Usual, limits: Limits) -> Iterator[Finding]:
    gap = usual.distance(new)
    if gap is None or usual.whole is None or len(usual.distances) < _FEW_DISTANCES:
        return
    most = _tolerated(new, usual)
    if severity := limits.exceeded_by(gap - most):
        yield file_finding(
            "distribution",
            f"expected numbers distributed as in accepted files, at most {most:.2f} away "
            f"(Kolmogorov-Smirnov), found {gap:.2f}: the middle half lies from "
            f"{_quartiles(new)}, and from {_quartiles(usual.whole)} before",
            severity=severity,
            column=name,
        )


def _tolerated(new: Distribution, usual: Usual) -> float:
    """The distance that accepted files had, or that a file of so many rows has by chance."""
    rows = usual.whole.rows if usual.whole else 1
    return min(1.0, max(by_chance(new.rows, rows), *usual.distances, 0.0))


def _quartiles(numbers: Distribution) -> str:
    return f"{numbers.quantile(0.25):,.6g} to {numbers.quantile(0.75):,.6g}"


def _unit(values: pl.Series, new: Distribution, usual: Usual) -> str | None:
    """Whether numbers become usual once a power of ten is taken out; the sentence that says so."""
    gap = usual.distance(new)
    if gap is None or usual.low is None or usual.high is None:
        return None
    if are_codes(values):
        return None
    tolerated = _tolerated(new, usual)
    within = float(values.is_between(usual.low, usual.high).sum()) / new.rows
    if within > 1 - OUTSIDE:
        return None
    for times, by, said in RESCALINGS:
        closer = usual.distance(new.scaled(times / by))
        if closer is None or closer > min(tolerated + _CLOSE, gap / 2):
            continue
        if rescales(new, usual, times / by):
            return (
                f"expected numbers as in accepted files, from {usual.low:,.6g} to "
                f"{usual.high:,.6g}, found the middle half from {_quartiles(new)}, which are "
                f"as usual when {said}: are they in another unit?"
            )
    return None


def _unseen(
    name: str, column: Column, values: pl.Series, usual: Usual, limits: Limits
) -> Iterator[Finding]:
    if usual.categories is None:
        return
    present = values.drop_nulls()
    if len(present) < FEW_ROWS:
        return
    known = {*usual.categories, *(category_name(v) for r in column.rules for v in r.observed or ())}
    texts = category_names(present)
    new = texts.filter(~texts.is_in(sorted(known)))
    share = len(new) / len(present)
    counts = new.value_counts(sort=True)
    if severity := limits.exceeded_by(share - usual.unseen):
        shown = listed(counts[name].head(_SHOWN).sort().to_list())
        yield file_finding(
            "unseen_categories",
            f"expected values that accepted files have, at most {usual.unseen:.1%} others in one, "
            f"found {share:.1%} ({counts.height:,} values, such as {shown})",
            severity=severity,
            column=name,
        )
