"""Prediction drift: a day's predictions against those of the days before.

Each day is folded into what is usual after it was looked at, as files are; one that lies too far
away is not, until a week has gone by and it is what is usual now.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from perennial.domain.judging.quantiles import Distribution
from perennial.domain.judging.reference import NO_HISTORY
from perennial.domain.monitoring.columns import values_of
from perennial.domain.monitoring.distances import by_chance, distance, measure_of, rows_of
from perennial.domain.monitoring.findings import EASED, Symptom
from perennial.domain.monitoring.report import Answers, Distance

PREDICTION = "prediction"
FEWEST_ROWS = 50
FEWEST_DAYS = 3
_DAY = timedelta(hours=24)
_REFUSED = 7


def prediction_drift(
    pipeline: str, answers: Answers, facts: Mapping[str, Any], limit: float | None, news: str
) -> tuple[Distance, Symptom | None]:
    """How far the last day's predictions are from those before.

    Args:
        pipeline: whose.
        answers: the days before.
        facts: statistics of the predictions.
        limit: the declared one; None where nobody wants to know.
        news: what the evidence is of.
    """
    new, usual = values_of(facts), answers.usual.columns.get(PREDICTION)
    if new is None or usual is None or answers.usual.files < FEWEST_DAYS:
        return Distance(rows=round(rows_of(new)) if new else 0), None
    known = usual.whole or dict(usual.counts)
    value = distance(known, new) if known else None
    if value is None:
        return Distance(), None
    if isinstance(new, Distribution):
        value = min(value, usual.distance(new) or value)
    most = max(limit or 1.0, by_chance(new, known), *usual.distances, 0.0)
    strength, rows = value / most, rows_of(new)
    measured = Distance.of(value, most, rows, rows_of(known), strength=strength, fewest=FEWEST_ROWS)
    if limit is None or measured.verdict == "too_few" or strength < EASED:
        return measured, None
    told = ""
    if isinstance(new, Distribution) and usual.whole is not None:
        told = f": the median is {new.quantile(0.5):,.4g}, and was {usual.whole.quantile(0.5):,.4g}"
    return measured, Symptom(
        "prediction_drift", "", "warning",
        f"predictions of the last day are {value:.3f} away ({measure_of(new)}) from those of "
        f"{answers.usual.files} days before, where {most:.3f} is usual at most{told}",
        f"no feature that is logged explains it: see whether other callers ask, or other rows; "
        f"`perennial versions {pipeline}` says whether another version answers",
        {"distance": measure_of(new), "value": measured.value, "limit": measured.limit,
         "rows": measured.rows, "days": answers.usual.files},
        strength, news,
    )  # fmt: skip


def folding(
    answers: Answers, facts: Mapping[str, Any], measured: Distance, now: datetime
) -> Answers:
    """With the last day's predictions, once a day has gone by since the last time."""
    too_soon = answers.through is not None and now - answers.through < _DAY
    if too_soon or facts.get("count", 0) < FEWEST_ROWS:
        return answers
    if measured.verdict == "beyond" and answers.refused < _REFUSED:
        return Answers(answers.usual, now, answers.refused + 1)
    known = NO_HISTORY if measured.verdict == "beyond" else answers.usual
    return Answers(known.folding([{PREDICTION: facts}]), now)
