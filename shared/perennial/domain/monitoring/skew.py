"""Serving skew: what requests bring against what the champion learned.

Training and serving see the same world through two programs, and one of them may send cents for
euros. A day's requests are like one more file: they may lie as far from what was learned as files
do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from perennial.domain.definitions.definition import Definition
from perennial.domain.judging.quantiles import Distribution
from perennial.domain.judging.reference import Reference, Usual
from perennial.domain.monitoring.columns import values_of, watched
from perennial.domain.monitoring.distances import Values, by_chance, distance, measure_of, rows_of
from perennial.domain.monitoring.findings import EASED, Symptom
from perennial.domain.monitoring.report import Distance

FEWEST_ROWS = 50
"""Different instances; of fewer nothing is said."""

_USUAL = 0.9
"""Share of the files that lie nearer than what counts as usual."""


def skew(
    definition: Definition,
    learned: Reference,
    logged: Mapping[str, Mapping[str, Any]],
    distinct: int,
    news: str,
) -> tuple[dict[str, Distance], list[Symptom]]:
    """How far each logged feature is from what was learned, and what of it is a finding.

    Args:
        definition: the one in force.
        learned: the reference of the champion's run.
        logged: statistics of the features in the log.
        distinct: how many different instances they are of.
        news: what the evidence is of.
    """
    measured: dict[str, Distance] = {}
    symptoms: list[Symptom] = []
    for name, column in watched(definition).items():
        usual, new = learned.columns.get(name), values_of(logged.get(name))
        if column.role != "feature" or usual is None or new is None:
            continue
        found = _measure(definition, usual, new, distinct)
        if found is None:
            continue
        measured[name], strength = found
        if definition.monitoring.serving_skew and strength >= EASED:
            symptoms.append(_symptom(definition, name, measured[name], usual, new, strength, news))
    return measured, symptoms


def _measure(
    definition: Definition, usual: Usual, new: Values, distinct: int
) -> tuple[Distance, float] | None:
    known: Values | None = usual.whole or dict(usual.counts) or None
    if known is None:
        return None
    value = distance(known, new)
    if value is None:
        return None
    if isinstance(new, Distribution):
        value = min(value, usual.distance(new) or value)
    declared = definition.monitoring.serving_skew or 1.0
    limit = max(declared, by_chance(_weighing(new, distinct), known), _files_lie(usual))
    strength = value / limit
    rows = min(rows_of(new), distinct)
    measured = Distance.of(
        value, limit, rows, rows_of(known), strength=strength, fewest=FEWEST_ROWS
    )
    return measured, 0.0 if measured.verdict == "too_few" else strength


def _weighing(values: Values, rows: float) -> Values:
    """With the weight of at most so many rows: the same instance sent again says nothing more."""
    if isinstance(values, Distribution):
        return values.weighing(min(values.rows, rows))
    scale = min(1.0, rows / max(rows_of(values), 1))
    return {value: number * scale for value, number in values.items()}


def _files_lie(usual: Usual) -> float:
    """How far most files lay from those before them."""
    known = sorted(usual.distances)
    return known[int(_USUAL * (len(known) - 1))] if known else 0.0


def _symptom(
    definition: Definition, name: str, found: Distance, usual: Usual, new: Values, strength: float,
    news: str,
) -> Symptom:  # fmt: skip
    evidence: dict[str, Any] = {
        "distance": measure_of(new), "value": found.value, "limit": found.limit,
        "rows": found.rows, "learned_rows": found.reference_rows,
    }  # fmt: skip
    told = ""
    if isinstance(new, Distribution) and usual.whole is not None:
        told = (
            f": its median is {new.quantile(0.5):,.4g} in requests, and "
            f"{usual.whole.quantile(0.5):,.4g} in what was learned"
        )
        evidence["quartiles_learned"] = [usual.whole.quantile(one) for one in (0.25, 0.5, 0.75)]
        evidence["quartiles_requests"] = [new.quantile(one) for one in (0.25, 0.5, 0.75)]
    elif isinstance(new, Mapping):
        strange = sorted(set(new) - set(usual.counts), key=lambda value: -new[value])[:5]
        told = f": values such as {', '.join(map(repr, strange))} were never learned" * bool(
            strange
        )
        evidence["values_not_learned"] = strange
    return Symptom(
        "serving_skew", name, "error",
        f"{name} in requests is {found.value:.3f} away ({measure_of(new)}) from what the champion "
        f"learned, where {found.limit:.3f} is usual at most{told}",
        f"compare how callers make {name} with how the files do: the same unit, the same spelling, "
        f"the same time; `perennial check {definition.name}` shows what serves",
        evidence, strength, news,
    )  # fmt: skip
