"""What is wrong with a file as a whole, though each of its rows may obey every rule."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from perennial.domain.definitions.definition import Column, Definition
from perennial.domain.definitions.expected import Limits
from perennial.domain.definitions.files import Measure
from perennial.domain.judging.findings import file_finding, quoted
from perennial.domain.judging.quantiles import Distribution
from perennial.domain.judging.reference import Reference, Statistics, Usual, distribution_of
from perennial.domain.judging.units import OUTSIDE, RESCALINGS, are_codes, rescales
from perennial.domain.verdict import Finding, effect_of

FEW_ROWS = 20
"""Of fewer rows, shares and units say nothing."""

_LEAKING_ROWS = 30
_LEAKING_OTHERS = 10
"""A feature may equal a label by chance where nearly all labels are the same."""

CONSTANT_ROWS = 50
_EMPTY_ROWS = 10
_INSIDE = 0.95


def check_file(
    definition: Definition,
    frame: pl.DataFrame,
    statistics: Statistics,
    reference: Reference,
) -> Iterator[Finding]:
    """Every check of `definition.checks`, and the rules of columns that speak of whole files.

    Args:
        definition: what is declared.
        frame: the file's usable rows, typed.
        statistics: of its columns.
        reference: what accepted files were like: it speaks against another unit where only
            observed numbers speak for one.
    """
    if frame.is_empty():
        return
    for name, column in definition.stored_columns.items():
        values = frame[name]
        yield from _emptiness(name, column, values)
        if column.type in ("integer", "number") and column.role in ("feature", "label"):
            new, usual = distribution_of(statistics[name]), reference.columns.get(name, Usual())
            yield from _unit(name, column, values, definition.checks.unit_change, new, usual)
    if definition.names("label"):  # files to be scored have none
        label = frame[definition.label]
        yield from _constant_label(definition, label)
        for name in definition.names("feature"):
            yield from _leakage(name, frame[name], label, definition.checks.leakage)
    yield from _duplicates(frame, definition.checks.duplicate_rows)


def _emptiness(name: str, column: Column, values: pl.Series) -> Iterator[Finding]:
    share = values.null_count() / len(values)
    limits = [rule for rule in column.rules if rule.max_null_fraction is not None]
    for rule in limits:
        most = rule.max_null_fraction or 0.0
        if share > most:
            yield file_finding(
                "max_null_fraction",
                f"expected at most {most:.3%} empty cells, found {share:.3%}",
                severity=effect_of(rule.severity),
                column=name,
            )
    if not limits and share == 1 and len(values) >= _EMPTY_ROWS:
        yield file_finding(
            "empty_column",
            f"expected values, found none in {len(values):,} rows; a rule max_null_fraction says "
            "how many cells may be empty",
            severity="warn",
            column=name,
        )


def _unit(
    name: str,
    column: Column,
    values: pl.Series,
    measure: Measure,
    new: Distribution | None,
    usual: Usual,
) -> Iterator[Finding]:
    """Nearly all values are outside a declared range, and inside once a power of ten is taken out.

    A range that a definition only warns about will do: it says in which unit a person, or the
    samples, gave the values. What samples and accepted files held is weaker: nobody has said that
    it is all there can be, so that more must speak for another unit.
    """
    if measure == "ignore":
        return
    present = values.drop_nulls().cast(pl.Float64)
    present = present.filter(present != 0)
    if len(present) < FEW_ROWS:
        return
    for rule in column.rules:
        low, high = rule.bounds
        if low is None or high is None or low == high:
            continue
        outside = 1 - _share_within(present, low, high)
        if outside < OUTSIDE or (rule.observed is not None and are_codes(present)):
            continue
        told = rule.observed is not None and usual.is_known
        for times, by, said in RESCALINGS:
            scaled = present * times / by
            # What fits must also fill the range, as the same unit would: small numbers fit into
            # any range that begins with zero.
            if _share_within(scaled, low, high) >= _INSIDE and _fills(scaled, low, high):
                if told and new is not None and not rescales(new, usual, times / by):
                    continue
                yield file_finding(
                    "unit_change",
                    f"expected values from {low:,.15g} to {high:,.15g}, found {outside:.0%} "
                    f"outside, and inside when {said}: are they in another unit?",
                    severity=measure,
                    column=name,
                )
                return


def _share_within(values: pl.Series, low: float, high: float) -> float:
    return float(values.is_between(low, high).sum()) / len(values)


def _fills(values: pl.Series, low: float, high: float) -> bool:
    """Whether they reach over a tenth of the range at least."""
    spread = values.to_frame("v").select(pl.col("v").max() - pl.col("v").min()).item()
    return bool(spread >= (high - low) / 10)


def _constant_label(definition: Definition, label: pl.Series) -> Iterator[Finding]:
    measure = definition.checks.constant_label
    label = label.drop_nulls()
    if measure == "ignore" or len(label) < CONSTANT_ROWS or not is_constant(label):
        return
    # A class may well fill a file, above all where files are short or sorted; an amount does not.
    severity = measure if definition.task == "regression" else "warn"
    yield file_finding(
        "constant_label",
        f"expected more than one value of the label, found {quoted(str(label[0]))} in all "
        f"{len(label):,} rows",
        severity=severity,
        column=definition.label,
    )


def is_constant(values: pl.Series) -> bool:
    """Whether all are the same; there is one, and none is empty."""
    return bool(values.min() == values.max())


def _leakage(
    name: str, feature: pl.Series, label: pl.Series, measure: Measure
) -> Iterator[Finding]:
    if measure == "ignore" or len(label) < _LEAKING_ROWS or _plain(feature) != _plain(label):
        return
    same = _comparable(feature) == _comparable(label)
    if not same.all(ignore_nulls=False):
        return
    most_frequent = int(label.value_counts()["count"].max())  # type: ignore[arg-type]  # not empty
    if len(label) - most_frequent < _LEAKING_OTHERS:
        return
    yield file_finding(
        "leakage",
        f"expected a feature, found the label {label.name} itself in all {len(label):,} rows: a "
        "model would learn to copy it",
        severity=measure,
        column=name,
    )


def _plain(values: pl.Series) -> bool:
    """Whether it holds numbers, truth values included."""
    return values.dtype.is_numeric() or values.dtype == pl.Boolean


def _comparable(values: pl.Series) -> pl.Series:
    return values.cast(pl.Float64 if _plain(values) else pl.String)


def _duplicates(frame: pl.DataFrame, limits: Limits) -> Iterator[Finding]:
    if (limits.warn is None and limits.reject is None) or frame.height < FEW_ROWS:
        return
    # Hashes of 64 bits rather than rows, which would lie in memory again.
    repeated = frame.height - frame.hash_rows().n_unique()
    share = repeated / frame.height
    if severity := limits.exceeded_by(share):
        limit = limits.reject if severity == "reject" else limits.warn
        yield file_finding(
            "duplicate_row",
            f"expected at most {limit:.1%} of the rows to repeat another, found {share:.1%} "
            f"({repeated:,} of {frame.height:,} rows)",
            severity=severity,
        )
