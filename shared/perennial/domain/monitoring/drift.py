"""Drift: the newest files against what the champion of their time had learned.

A distance counts from three things on, whichever is most: the declared limit, what chance gives for
so many rows, and what as many files together have shown before. A column that wanders by nature, as
temperatures do, has drifted only when it is further away than it ever was. The newest files must
agree: one odd file among them is a jump.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from perennial.domain.judging.quantiles import Distribution
from perennial.domain.monitoring.columns import (
    Course,
    File,
    dates_its_files,
    learned_values,
    pooled,
    values_of,
)
from perennial.domain.monitoring.distances import (
    Values,
    by_chance,
    distance,
    measure_of,
    rows_of,
)
from perennial.domain.monitoring.findings import EASED, Symptom
from perennial.domain.monitoring.report import Distance, Feature, Part

FEWEST_ROWS = 30
FEWEST_FILES = 4
"""Files that were learned: of fewer nobody knows what is usual."""

Apart = Mapping[str, frozenset[str]]
"""By column the categories that another finding speaks of, and that are left out here."""


def drift(course: Course, apart: Apart) -> tuple[list[Feature], list[Symptom]]:
    """How far each column is from what was learned, and what of it is a finding.

    Args:
        course: the files.
        apart: the categories that are left out.
    """
    features, symptoms = [], []
    for name in course.watched:
        feature, symptom = _column(course, name, apart.get(name, frozenset()))
        features.append(feature)
        if symptom is not None:
            symptoms.append(symptom)
    return features, symptoms


def _column(course: Course, name: str, apart: frozenset[str]) -> tuple[Feature, Symptom | None]:
    column, settings = course.definition.columns[name], course.definition.monitoring
    part: Part = "label" if column.role == "label" else "feature"
    learned, new = learned_values(course, name), pooled(course.newest, name)
    enough = len(course.newest) >= settings.files and course.learned.files >= FEWEST_FILES
    if learned is None or new is None or not enough or dates_its_files(course.older, name):
        return Feature(name, part, measure_of(new or learned or {})), None
    learned, new = without(learned, apart), without(new, apart)
    value, rows = distance(learned, new), rows_of(new)
    if value is None:
        return Feature(name, part, measure_of(new)), None
    declared = settings.label_drift if part == "label" else settings.training_drift
    limit = max(
        declared or 0.0, by_chance(new, learned), _shown_before(course, name, learned, apart)
    )
    strength = min(value, _of_each(course.newest, name, learned, apart)) / limit
    measured = Distance.of(
        value, limit, rows, rows_of(learned), strength=strength, fewest=FEWEST_ROWS
    )
    feature = Feature(name, part, measure_of(new), measured)
    if declared is None or measured.verdict == "too_few" or strength < EASED:
        return feature, None
    return feature, _symptom(course, feature, learned, new, strength)


def without(values: Values, apart: frozenset[str]) -> Values:
    """The same without some categories."""
    if isinstance(values, Distribution) or not apart:
        return values
    return {value: number for value, number in values.items() if value not in apart}


def _shown_before(course: Course, name: str, learned: Values, apart: frozenset[str]) -> float:
    """The largest distance that as many files together had before."""
    size, most = len(course.newest), 0.0
    for end in range(len(course.older), size - 1, -size):
        values = pooled(course.older[end - size : end], name)
        gap = values and distance(learned, without(values, apart))
        most = max(most, gap or 0.0)
    return most


def _of_each(files: Sequence[File], name: str, learned: Values, apart: frozenset[str]) -> float:
    """The median distance of the files one by one."""
    gaps = [
        distance(learned, without(values, apart)) or 0.0
        for file in files
        if (values := values_of(file.statistics.get(name))) is not None
    ]
    return median(gaps) if gaps else 0.0


def _symptom(
    course: Course, feature: Feature, learned: Values, new: Values, strength: float
) -> Symptom:
    pipeline, static = course.definition.name, course.definition.training.mode == "static"
    label = feature.part == "label"
    found = feature.drift
    advice = (
        f"the model is static: `perennial replay {pipeline}` says whether retraining would pay"
        if static
        else f"the champion learns it as files come; `perennial replay {pipeline}` says whether a "
        "shorter training.window would serve better"
    )
    return Symptom(
        "label_drift" if label else "training_drift",
        feature.name,
        "warning" if label or static else "info",
        f"{feature.name} in the last {len(course.newest)} files is {found.value:.3f} away "
        f"({feature.distance}) from what was learned before them, where {found.limit:.3f} is "
        f"usual at most: {_told(learned, new)}",
        advice,
        {
            "distance": feature.distance, "value": found.value, "limit": found.limit,
            "rows": found.rows, "learned_rows": found.reference_rows,
            "files": [file.name for file in course.newest],
            **_numbers(learned, new),
        },
        strength, course.news,
    )  # fmt: skip


def _told(learned: Values, new: Values) -> str:
    if isinstance(learned, Distribution) and isinstance(new, Distribution):
        return f"its median is {new.quantile(0.5):,.4g}, and was {learned.quantile(0.5):,.4g}"
    value, before, now = _most_moved(learned, new)
    return f"{value!r} is in {now:.1%} of the rows, and was in {before:.1%}"


def _numbers(learned: Values, new: Values) -> dict[str, object]:
    if isinstance(learned, Distribution) and isinstance(new, Distribution):
        return {
            "quartiles_before": [learned.quantile(share) for share in (0.25, 0.5, 0.75)],
            "quartiles_now": [new.quantile(share) for share in (0.25, 0.5, 0.75)],
        }
    value, before, now = _most_moved(learned, new)
    return {"category": value, "share_before": round(before, 4), "share_now": round(now, 4)}


def _most_moved(learned: Values, new: Values) -> tuple[str, float, float]:
    """The category whose share changed most, and its shares."""
    if isinstance(learned, Distribution) or isinstance(new, Distribution):
        return "", 0.0, 0.0
    rows, other = sum(learned.values()) or 1.0, sum(new.values()) or 1.0
    shares = {v: (learned.get(v, 0) / rows, new.get(v, 0) / other) for v in {*learned, *new}}
    value = max(sorted(shares), key=lambda one: abs(shares[one][1] - shares[one][0]))
    return value, *shares[value]
