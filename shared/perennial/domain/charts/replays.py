"""Charts of a replay: a static model against a retrained one, and how models age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perennial.domain.charts.bars import Bar, bar_chart
from perennial.domain.charts.figure import Chart
from perennial.domain.charts.lines import Point, Series, line_chart
from perennial.domain.words import counted


def static_against_retrained(replay: Mapping[str, Any]) -> Chart:
    """Both, file by file, each file predicted before it was learned.

    Args:
        replay: as `perennial replay --json` prints it.
    """
    course = replay["course"]
    retrained = course[0]["policy"] if course else "retrained"
    return line_chart(
        "Static against retrained, file by file",
        loss(replay),
        [
            _series("static, trained once", course, "static"),
            _series(retrained, course, "retrained"),
        ],
        counts="scored file",
    )


def _series(name: str, course: Sequence[Mapping[str, Any]], who: str) -> Series:
    points = [
        Point(number, float("nan") if one[who] is None else one[who], one["file"])
        for number, one in enumerate(course, 1)
    ]
    return Series(name, points)


def ageing(replay: Mapping[str, Any]) -> Chart:
    """How much more a model loses the more files old it is, with 95 % intervals."""
    curve = replay["decay"]["curve"]
    points = [
        Point(one["age"], 100 * one["excess"], f"measured on {counted(one['files'], 'file')}")
        for one in curve
    ]
    band = [(one["age"], 100 * one["low"], 100 * one["high"]) for one in curve]
    return line_chart(
        "How a model ages",
        f"{replay['metric']} above that of the newest model, in %",
        [Series("", points, band)],
        counts="age in files",
    )


def policies(replay: Mapping[str, Any]) -> Chart:
    """The loss of every policy, the best first."""
    ordered = sorted(replay["policies"], key=lambda one: one["loss"])
    bars = [
        Bar(
            one["policy"],
            one["loss"],
            tone="faint" if one["every"] is None else "",
            told=f"{one['difference']:+.1%} against the best "
            f"({one['low']:+.1%} to {one['high']:+.1%}), {counted(one['trainings'], 'training')}",
        )
        for one in ordered
    ]
    return bar_chart("Loss of each policy", loss(replay), bars)


def loss(replay: Mapping[str, Any]) -> str:
    """The metric with its unit: the label's, or none."""
    unit = f" in {replay['label']}" if replay["task"] == "regression" else ""
    return f"{replay['metric']}{unit}, lower is better"
