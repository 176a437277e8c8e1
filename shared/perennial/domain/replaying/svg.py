"""Small charts as inline SVG: axes with names and units, and nothing that needs a script.

Each is drawn twice, for a desk and for a phone, because text that shrinks with a chart cannot be
read; the page's style shows one of the two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

_RIGHT, _TOP, _BOTTOM = 20, 34, 46
_TICK = 62  # pixels that a tick's label needs across

Say = Callable[[float], str]
"""Writes a value as people read it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a chart is drawn on.

    Attributes:
        name: its class, by which the page's style shows or hides it.
        width, height: in pixels, of a chart with two axes.
        left: room for the labels of the axis up.
        names: room for the names of bars; 0 where each stands above its bar.
        row: height of a bar's row.
    """

    name: str
    width: int
    height: int
    left: int
    names: int
    row: int

    @property
    def right(self) -> int:
        """Where the plot ends."""
        return self.width - _RIGHT

    @property
    def bottom(self) -> int:
        """Where the plot ends, of a chart with two axes."""
        return self.height - _BOTTOM


DESK = Sheet("desk", width=760, height=330, left=58, names=300, row=22)
PHONE = Sheet("phone", width=360, height=280, left=52, names=0, row=36)


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a chart.

    Attributes:
        name: what it shows, with its unit.
        low, high: its ends.
        say: how its values are written.
    """

    name: str
    low: float
    high: float
    say: Say

    def place(self, value: float, start: float, end: float) -> float:
        """Where a value lies between two ends of the drawing."""
        span = self.high - self.low or 1.0
        return start + (value - self.low) / span * (end - start)

    def ticks(self, most: int = 5) -> list[float]:
        """Round values within the axis, about as many as fit."""
        span = (self.high - self.low) or 1.0
        raw = span / most
        size = 10.0 ** math.floor(math.log10(raw))
        step = min((m * size for m in (1, 2, 5, 10)), key=lambda one: abs(math.log(one / raw)))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [n * step for n in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart.

    Attributes:
        css: its class, which gives the colour.
        points: x and y; y is None where nothing is known.
    """

    css: str
    points: Sequence[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its interval, and what is said of it under the mouse."""

    name: str
    value: float
    low: float
    high: float
    css: str
    told: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of a chart.

    Attributes:
        x, y: where.
        css: its class.
        told: what is said of it under the mouse.
        name: what is written beside it; empty for most.
    """

    x: float
    y: float
    css: str
    told: str
    name: str = ""


def lines(
    label: str,
    x: Axis,
    y: Axis,
    drawn: Sequence[Line],
    *,
    told: Sequence[tuple[float, str]],
    band: Sequence[tuple[float, float, float]] = (),
) -> str:
    """Lines over time or age.

    Args:
        label: what the chart shows, for those who cannot see it.
        x: the axis across.
        y: the axis up.
        drawn: the lines.
        told: x, and what is said of it under the mouse.
        band: x, low and high of an interval around the first line.
    """

    def draw(sheet: Sheet) -> list[str]:
        parts = _frame(sheet, x, y)
        if band:
            edge = [_point(sheet, x, y, at, high) for at, _, high in band]
            edge += [_point(sheet, x, y, at, low) for at, low, _ in reversed(band)]
            parts.append(f'<polygon class="band" points="{" ".join(edge)}"/>')
        for line in drawn:
            parts += [
                f'<polyline class="line {line.css}" points="{" ".join(piece)}"/>'
                for piece in _pieces(sheet, x, y, line)
            ]
        return parts + _strips(sheet, x, told)

    return _chart(label, draw)


def dots(label: str, x: Axis, y: Axis, points: Sequence[Dot]) -> str:
    """Points by two values.

    Args:
        label: what the chart shows.
        x: the axis across.
        y: the axis up.
        points: the points.
    """

    def draw(sheet: Sheet) -> list[str]:
        parts = _frame(sheet, x, y)
        for point in points:
            across, down = map(float, _point(sheet, x, y, point.x, point.y).split(","))
            parts.append(
                f'<circle class="dot {point.css}" cx="{across}" cy="{down}" r="5">'
                f"<title>{escape(point.told)}</title></circle>"
            )
            if point.name:
                end = across > (sheet.left + sheet.right) / 2
                parts.append(
                    f'<text class="{"end" if end else "start"}" x="{across + (6 if end else -4)}" '
                    f'y="{min(down + 19, sheet.bottom - 3)}">{escape(point.name)}</text>'
                )
        return parts

    return _chart(label, draw)


def bars(label: str, axis: Axis, drawn: Sequence[Bar]) -> str:
    """Horizontal bars from zero, each with its interval.

    Args:
        label: what the chart shows.
        axis: from 0.
        drawn: the bars, from the top.
    """

    def draw(sheet: Sheet) -> list[str]:
        bottom = _bars_height(sheet, len(drawn)) - _BOTTOM
        start, end = max(sheet.names, 4), sheet.width - 64
        parts = _ticks_across(sheet, axis, start, end, 8, bottom)
        for place, bar in enumerate(drawn):
            parts += _bar(sheet, axis, bar, 8 + place * sheet.row, start, end)
        parts.append(_named(axis, (start + end) / 2, bottom + 36))
        return parts

    return _chart(label, draw, lambda sheet: _bars_height(sheet, len(drawn)))


def _bars_height(sheet: Sheet, number: int) -> int:
    return 8 + sheet.row * number + _BOTTOM


def _bar(sheet: Sheet, axis: Axis, bar: Bar, top: float, start: float, end: float) -> list[str]:
    above = 0 if sheet.names else 15  # pixels that its name takes
    middle = top + (above + sheet.row) / 2
    value = axis.place(bar.value, start, end)
    low, high = (min(axis.place(edge, start, end), end) for edge in (bar.low, bar.high))
    name = (
        f'<text x="{start}" y="{top + 12}">{escape(bar.name)}</text>'
        if above
        else f'<text class="end" x="{start - 8}" y="{middle + 4}">{escape(bar.name)}</text>'
    )
    parts = [
        name,
        (
            f'<rect class="bar {bar.css}" x="{start}" y="{top + above + 3}" '
            f'width="{max(value - start, 0):.1f}" height="{sheet.row - above - 6}">'
            f"<title>{escape(bar.told)}</title></rect>"
        ),
        (
            f'<text x="{max(value, high) + 7:.1f}" y="{middle + 4}">{escape(axis.say(bar.value))}'
            "</text>"
        ),
    ]
    if high > low:
        within = [at for at, edge in ((low, bar.low), (high, bar.high)) if edge <= axis.high]
        ends = "".join(f" M{at:.1f} {middle - 4} V{middle + 4}" for at in within)
        parts.append(f'<path class="whisker" d="M{low:.1f} {middle} H{high:.1f}{ends}"/>')
    return parts


def _frame(sheet: Sheet, x: Axis, y: Axis) -> list[str]:
    parts = _ticks_across(sheet, x, sheet.left, sheet.right, _TOP, sheet.bottom)
    for tick in y.ticks():
        at = y.place(tick, sheet.bottom, _TOP)
        parts.append(
            f'<line class="grid" x1="{sheet.left}" x2="{sheet.right}" y1="{at:.1f}" y2="{at:.1f}"/>'
            f'<text class="end" x="{sheet.left - 6}" y="{at + 4:.1f}">{escape(y.say(tick))}</text>'
        )
    return [
        *parts,
        _named(x, (sheet.left + sheet.right) / 2, sheet.bottom + 36),
        f'<text class="name" x="0" y="14">{escape(y.name)}</text>',
    ]


def _ticks_across(
    sheet: Sheet, axis: Axis, start: float, end: float, top: float, bottom: float
) -> list[str]:
    return [
        f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{top}" y2="{bottom}"/>'
        f'<text class="middle" x="{at:.1f}" y="{bottom + 16}">{escape(axis.say(tick))}</text>'
        for tick in axis.ticks(max(2, min(6, int(end - start) // _TICK)))
        for at in [axis.place(tick, start, end)]
    ]


def _named(axis: Axis, x: float, y: float) -> str:
    return f'<text class="middle name" x="{x}" y="{y}">{escape(axis.name)}</text>'


def _strips(sheet: Sheet, x: Axis, told: Sequence[tuple[float, str]]) -> list[str]:
    """What lies above a place of the axis across says its numbers under the mouse."""
    wide = (sheet.right - sheet.left) / max(len(told), 1)
    strips = []
    for at, said in told:
        left = max(x.place(at, sheet.left, sheet.right) - wide / 2, sheet.left)
        strips.append(
            f'<rect class="strip" x="{left:.1f}" y="{_TOP}" '
            f'width="{min(wide, sheet.right - left):.1f}" height="{sheet.bottom - _TOP}">'
            f"<title>{escape(said)}</title></rect>"
        )
    return strips


def _pieces(sheet: Sheet, x: Axis, y: Axis, line: Line) -> list[list[str]]:
    """The parts of a line between the points where nothing is known."""
    pieces: list[list[str]] = [[]]
    for at, value in line.points:
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append(_point(sheet, x, y, at, value))
    return [piece for piece in pieces if piece]


def _point(sheet: Sheet, x: Axis, y: Axis, at: float, value: float) -> str:
    across = x.place(at, sheet.left, sheet.right)
    down = y.place(min(max(value, y.low), y.high), sheet.bottom, _TOP)
    return f"{across:.1f},{down:.1f}"


def _chart(
    label: str,
    draw: Callable[[Sheet], Sequence[str]],
    height: Callable[[Sheet], int] = lambda sheet: sheet.height,
) -> str:
    return "".join(
        f'<svg class="{sheet.name}" viewBox="0 0 {sheet.width} {height(sheet)}" role="img" '
        f'aria-label="{escape(label)}">{"".join(draw(sheet))}</svg>'
        for sheet in (DESK, PHONE)
    )
