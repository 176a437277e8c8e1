"""A line chart over time, or over things that are counted: series, and moments that are marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from xml.etree.ElementTree import Element

from perennial.domain.charts.axes import At, Axis, axis_around
from perennial.domain.charts.figure import Chart, Table
from perennial.domain.charts.marks import Mark, drawn_marks
from perennial.domain.charts.numbers import NumberAxis, said
from perennial.domain.charts.svg import across, element, picture
from perennial.domain.charts.text import NARROW, WIDE, Label, fitting, shortened, width_of
from perennial.domain.charts.thinning import thinned

MOST_POINTS = 400
"""Points of a series that are drawn: as many as a wide screen can tell apart."""

_DENSE = 60  # points of a series above which their dots appear only under the mouse
_PLOT = 180  # pixels up
_LINE = 18  # pixels that a line of text takes
_SCALE = 10_000  # units across of the part that is stretched
_SERIES = 4  # styles there are; more series take them in turn


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a place.

    Attributes:
        at: when, or of the how manieth.
        value: what is not finite is a gap in the line.
        told: what is said of it beside its place and value.
    """

    at: At
    value: float
    told: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A line.

    Attributes:
        name: in the legend and the table.
        points: in any order.
        band: places with the low and the high end of an interval around the line, in their order.
    """

    name: str
    points: Sequence[Point]
    band: Sequence[tuple[At, float, float]] = ()


def line_chart(
    title: str,
    quantity: str,
    series: Sequence[Series],
    marks: Sequence[Mark] = (),
    *,
    from_zero: bool = False,
    counts: str = "",
) -> Chart:
    """Series over time, or over things that are counted.

    Args:
        title: what the chart shows.
        quantity: what the axis up measures, with its unit, such as `MAE in EUR, lower is better`.
        series: at least one; each is drawn with at most `MOST_POINTS` points.
        marks: moments, such as versions that began to serve.
        from_zero: whether the axis up starts at 0.
        counts: what the places are numbers of, such as `scored file`; empty where they are times.
    """
    known = [point for one in series for point in one.points if isfinite(point.value)]
    if not known:
        return _nothing(title, quantity, series, counts)
    places = [point.at for one in series for point in one.points] + [mark.at for mark in marks]
    x = axis_around(places, counts)
    edges = [edge for one in series for _, *ends in one.band for edge in ends if isfinite(edge)]
    y = NumberAxis.around([*(point.value for point in known), *edges], zero=from_zero)
    shown = [replace(one, points=_kept(one.points, x)) for one in series]
    legend = _legend(shown) if len(shown) > 1 else []
    marks_at = _LINE * (1 + max((int(line.get("data-row", "0")) + 1 for line in legend), default=0))
    top = marks_at + (_LINE if marks else 0) + 4
    bottom = top + _PLOT
    drawn = [
        element("text", shortened(quantity, 60), class_="quantity", x="0", y=12, dx="-4"),
        *legend,
        *_up(y, top),
        *_along(x, bottom),
        *drawn_marks(marks, x, marks_at, bottom),
        *(part for number, one in enumerate(shown) for part in _line(number, one, x, y, top)),
    ]
    svg = picture(
        title,
        _described(quantity, series, known, x),
        *drawn,
        class_="chart",
        width="100%",
        height=bottom + 2 * _LINE + 6,
    )
    return Chart(svg, _table(quantity, series, shown, marks, x))


def _nothing(title: str, quantity: str, series: Sequence[Series], counts: str) -> Chart:
    said_so = element("text", "Nothing to show yet", class_="quantity", x="0", y=28)
    svg = picture(title, "There is nothing to show yet.", said_so, class_="chart", width="100%",
                  height=44)  # fmt: skip
    return Chart(
        svg, Table((counts or "time (UTC)", *(one.name or quantity for one in series)), ())
    )


def _kept(points: Sequence[Point], x: Axis) -> list[Point]:
    ordered = sorted(points, key=lambda point: x.place(point.at))
    places, values = [x.place(one.at) for one in ordered], [one.value for one in ordered]
    return [ordered[index] for index in thinned(places, values, MOST_POINTS)]


def _legend(series: Sequence[Series]) -> list[Element]:
    """Names of the series with their strokes, on as many lines as a phone needs."""
    row, left, parts = 0, 0.0, []
    for number, one in enumerate(series):
        name = shortened(one.name, 30)
        needs = 30 + width_of(name) + 12
        if left and left + needs > NARROW:
            row, left = row + 1, 0.0
        middle = _LINE * (row + 1) + 8
        css = _css(number)
        parts += [
            element("line", class_=f"line {css}", x1=left, x2=left + 22, y1=middle, y2=middle,
                    data_row=row),
            element("text", name, x=left + 28, y=middle + 4),
        ]  # fmt: skip
        left += needs
    return parts


def _up(y: NumberAxis, top: int) -> list[Element]:
    """The axis up: lines across, with their values left of the plot."""
    parts = []
    for tick in y.ticks(5):
        at = top + _PLOT * (1 - y.place(tick))
        parts += [
            element("line", class_="grid", x1="0", x2="100%", y1=at, y2=at),
            element("text", y.say(tick), x="0", dx=-8, y=at + 4, text_anchor="end"),
        ]
    return parts


def _along(x: Axis, bottom: int) -> list[Element]:
    """The axis across: ticks as a phone has room for, and those that only a wide screen has."""
    few = [Label(*tick) for tick in x.ticks(4)]
    few = fitting(few, NARROW)
    many = fitting((Label(*tick) for tick in x.ticks(8)), WIDE)
    same = [label for label in few if label in many]
    narrow = few if len(same) < len(few) else []
    parts = [element("line", class_="axis", x1="0", x2="100%", y1=bottom, y2=bottom)]
    if narrow:
        parts.append(element("g", *_ticks(few, bottom), class_="narrow"))
        parts.append(element("g", *_ticks(many, bottom), class_="wide"))
    else:
        rest = [label for label in many if label not in same]
        parts += _ticks(same, bottom)
        parts.append(element("g", *_ticks(rest, bottom), class_="wide"))
    caption = element("text", x.caption(), class_="quantity", x="100%", y=bottom + 2 * _LINE,
                      text_anchor="end")  # fmt: skip
    return [*parts, caption]


def _ticks(labels: Sequence[Label], bottom: int) -> list[Element]:
    parts = []
    for label in labels:
        at = across(label.at)
        parts += [
            element("line", class_="axis", x1=at, x2=at, y1=bottom, y2=bottom + 4),
            element("text", label.text, x=at, y=bottom + _LINE, text_anchor=label.anchor),
        ]
    return parts


def _line(number: int, series: Series, x: Axis, y: NumberAxis, top: int) -> list[Element]:
    """A line, stretched across, and its dots, which keep their shape."""
    css, places, path = _css(number), [], []
    pen_down = False
    for point in series.points:
        if not isfinite(point.value):
            pen_down = False
            continue
        share, height = x.place(point.at), _PLOT * (1 - y.place(point.value))
        path.append(f"{'L' if pen_down else 'M'}{share * _SCALE:.0f} {height:.1f}")
        pen_down = True
        places.append((share, height, point))
    dense = " dense" if len(places) > _DENSE else ""
    dots = [
        element(
            "circle",
            element("title", _told(series, point, x)),
            class_="point",
            cx=across(share),
            cy=top + height,
            r=3,
        )
        for share, height, point in places
    ]
    stretched = element(
        "svg",
        *_band(css, series, x, y),
        element("path", class_=f"line {css}", d="".join(path), vector_effect="non-scaling-stroke"),
        x="0",
        y=top,
        width="100%",
        height=_PLOT,
        viewBox=f"0 0 {_SCALE} {_PLOT}",
        preserveAspectRatio="none",
        overflow="visible",
    )
    return [stretched, element("g", *dots, class_=f"points {css}{dense}")]


def _band(css: str, series: Series, x: Axis, y: NumberAxis) -> list[Element]:
    """The interval around a line, as one area."""
    known = [one for one in series.band if isfinite(one[1]) and isfinite(one[2])]
    if not known:
        return []
    corners = [(at, high) for at, _, high in known] + [(at, low) for at, low, _ in known[::-1]]
    path = "L".join(
        f"{x.place(at) * _SCALE:.0f} {_PLOT * (1 - y.place(value)):.1f}" for at, value in corners
    )
    return [element("path", class_=f"band {css}", d=f"M{path}Z")]


def _told(series: Series, point: Point, x: Axis) -> str:
    name = f"{shortened(series.name, 60)}: " if series.name else ""
    more = f"\n{shortened(point.told, 200)}" if point.told else ""
    return f"{x.say(point.at)}\n{name}{said(point.value)}{more}"


def _described(quantity: str, series: Sequence[Series], known: Sequence[Point], x: Axis) -> str:
    values = [point.value for point in known]
    most = max(len(one.points) for one in series)
    fewer = (
        f" Of {most:,} points each stretch shows its lowest and its highest."
        if most > MOST_POINTS
        else ""
    )
    return (
        f"{quantity}, {x.caption()}: between {said(min(values))} and {said(max(values))}, "
        f"at the end {said(max(known, key=lambda point: x.place(point.at)).value)}.{fewer}"
    )


def _table(
    quantity: str,
    whole: Sequence[Series],
    shown: Sequence[Series],
    marks: Sequence[Mark],
    x: Axis,
) -> Table:
    """One row for each place at which something is drawn."""
    cells: dict[At, list[str]] = {}
    told: dict[At, list[str]] = {}
    for column, one in enumerate(shown):
        for point in one.points:
            row = cells.setdefault(point.at, [""] * len(shown))
            row[column] = said(point.value)
            if point.told and point.told not in told.setdefault(point.at, []):
                told[point.at].append(point.told)
    for mark in marks:
        cells.setdefault(mark.at, [""] * len(shown))
        told.setdefault(mark.at, []).append(mark.told or mark.label)
    headers = (x.header, *(one.name or quantity for one in shown), "what")
    rows = tuple(
        (x.say(at), *cells[at], "; ".join(told.get(at, ()))) for at in sorted(cells, key=x.place)
    )
    left_out = sum(len(one.points) for one in whole) - sum(len(one.points) for one in shown)
    note = f"{left_out:,} points between lowest and highest are left out." if left_out else ""
    return Table(headers, rows, note)


def _css(number: int) -> str:
    return f"series-{number % _SERIES + 1}"
