"""Charts of a pipeline: its score, its drift, its runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from perennial.domain.charts.bars import Bar, Tone, bar_chart
from perennial.domain.charts.figure import Chart
from perennial.domain.charts.lines import Point, Series, line_chart
from perennial.domain.charts.marks import Mark
from perennial.domain.charts.numbers import said
from perennial.domain.monitoring.report import Feature, Told
from perennial.domain.words import counted

_RUNS = 20

_TOLD: Mapping[Told, str] = {
    "usual": "as usual",
    "beyond": "beyond its limit",
    "too_few": "too few rows to tell",
    "unknown": "nothing to compare",
}
_TONES: Mapping[str, Tone] = {
    "promoted": "good", "failed": "bad", "set_aside": "bad",
    "nothing_new": "faint", "waiting": "faint",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScoredFile:
    """A file that was predicted before anything learned from it.

    Attributes:
        name: in landing.
        at: its place in time (UTC).
        version: the champion of its time.
        value: by the pipeline's metric; None where it had no row to score.
        rows: that were scored.
        standing: what became of it, where it is not accepted any more; else empty.
    """

    name: str
    at: datetime
    version: str
    value: float | None
    rows: int
    standing: str = ""


def score_over_time(metric: str, files: Sequence[ScoredFile]) -> Chart:
    """The loss on each file before anything learned from it, and which version predicted it.

    Args:
        metric: its name.
        files: in time order.
    """
    points = [
        Point(file.at, float("nan") if file.value is None else file.value, _of_file(file))
        for file in files
    ]
    marks = [
        Mark(file.at, short(file.version), f"{file.version} predicted the files from here on")
        for before, file in zip([None, *files], files, strict=False)
        if before is None or before.version != file.version
    ]
    quantity = f"{metric} on each file, lower is better"
    return line_chart("Score over time", quantity, [Series("", points)], marks)


def _of_file(file: ScoredFile) -> str:
    said_so = f"{file.name}, {counted(file.rows, 'row')}, by {file.version}"
    return f"{said_so}, {file.standing}" if file.standing else said_so


def short(version: str) -> str:
    """A version's name without its zeros: `v12`."""
    return f"v{version[1:].lstrip('0')}" if version[1:].isdigit() else version


def drift_by_feature(features: Sequence[Feature]) -> Chart:
    """How far the newest files are from what the champion learned, the farthest first."""
    bars = [
        Bar(
            one.name,
            float("nan") if one.drift.value is None else one.drift.value,
            one.drift.limit,
            "bad" if one.drift.verdict == "beyond" else "",
            f"{one.distance}, {counted(one.drift.rows, 'row')} against "
            f"{one.drift.reference_rows:,}: {_TOLD[one.drift.verdict]}",
        )
        for one in sorted(features, key=lambda one: -(one.drift.value or 0.0))
    ]
    return bar_chart("Drift by feature", "distance from what was learned, 0 to 1", bars)


def run_durations(runs: Sequence[Mapping[str, Any]]) -> Chart:
    """How long the last runs took, the newest first.

    Args:
        runs: summaries of run records, oldest first.
    """
    return bar_chart("Training runs", "duration", [_run(run) for run in runs[: -_RUNS - 1 : -1]],
                     duration)  # fmt: skip


def _run(run: Mapping[str, Any]) -> Bar:
    started = datetime.fromisoformat(run["started"])
    took = (datetime.fromisoformat(run["ended"]) - started).total_seconds()
    outcome = str(run["outcome"]).replace("_", " ")
    made = f" {short(run['version'])}" if run["version"] else ""
    return Bar(
        f"{started:%m-%d %H:%M}{made} {outcome}",
        took,
        tone=_TONES.get(run["outcome"], ""),
        told=str(run["reason"]),
    )


def duration(seconds: float) -> str:
    """A length of time in the unit that suits it."""
    if seconds < 120:
        return f"{said(round(seconds, 1))} s"
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
