"""Values that were logged, in the form of the statistics that verdicts have of a column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import isfinite
from typing import Any

from perennial.domain.definitions.definition import Column
from perennial.domain.definitions.recipe import Scalar
from perennial.domain.judging.statistics import category_name
from perennial.domain.modelling.predictions import class_key
from perennial.domain.versioning.manifest import Manifest

_POINTS = 17
_TOP = 100
_GREATEST = 1e300


def describe(values: Iterable[object], column: Column) -> dict[str, Any]:
    """Statistics of what was sent for a column; what cannot be read as its type counts as empty."""
    if column.type in ("integer", "number"):
        return of_numbers([number_of(value) for value in values])
    return of_categories([_category(value) for value in values])


def describe_predictions(predictions: Iterable[object], version: Manifest) -> dict[str, Any]:
    """Statistics of numbers, of the second of two classes' probability, or of the class said.

    Args:
        predictions: as they were answered.
        version: one that answered; all of a pipeline have the same task and classes, as a rule.
    """
    if version.task == "regression" or len(version.classes) == 2:
        return of_numbers([number_said(one, version) for one in predictions])
    labels = (one.get("label") if isinstance(one, dict) else None for one in predictions)
    return of_categories([None if label is None else _category(label) for label in labels])


def probability(prediction: object, version: Manifest) -> float | None:
    """That of the second of two classes."""
    said = prediction.get("probabilities") if isinstance(prediction, dict) else None
    return number_of(said.get(class_key(version.classes[-1]))) if isinstance(said, dict) else None


def number_said(prediction: object, version: Manifest) -> float | None:
    """That of a regression, or of two classes the second's probability; else there is no one."""
    if version.task == "regression":
        return number_of(prediction)
    return probability(prediction, version) if len(version.classes) == 2 else None


def of_numbers(values: list[float | None]) -> dict[str, Any]:
    """Statistics of numbers, some of them missing."""
    there = sorted(max(-_GREATEST, min(_GREATEST, one)) for one in values if one is not None)
    facts: dict[str, Any] = {"count": len(there), "nulls": len(values) - len(there)}
    if not there:
        return facts | {"sum": 0.0, "quantiles": []}
    places = [round(place * (len(there) - 1) / (_POINTS - 1)) for place in range(_POINTS)]
    return facts | {"sum": sum(there), "quantiles": [there[place] for place in places]}


def of_categories(values: list[str | None]) -> dict[str, Any]:
    """Statistics of categories, some of them missing."""
    counts = Counter(value for value in values if value is not None)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    count = sum(counts.values())
    return {
        "count": count, "nulls": len(values) - count, "distinct": len(counts),
        "top": dict(ranked[:_TOP]),
    }  # fmt: skip


def number_of(value: object) -> float | None:
    """A finite number; None for what is none."""
    try:
        number = float(value)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def _category(value: object) -> str | None:
    if value is None or value == "" or not isinstance(value, Scalar):
        return None
    return category_name(value)
