"""Small charts as inline SVG: axes with names and units, and nothing that needs a script."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 14, 48
_ROW = 22  # height of a bar's row
_NAMES = 310  # room for the names of bars

Say = Callable[[float], str]
"""Writes a value as people read it."""


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

    @property
    def ticks(self) -> list[float]:
        """Round values within the axis, about five of them."""
        span = (self.high - self.low) or 1.0
        raw = span / 5
        size = 10.0 ** math.floor(math.log10(raw))
        step = next((m * size for m in (1, 2, 5, 10) if m * size >= raw * 0.999), 10 * size)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [n * step for n in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart.

    Attributes:
        name: for the legend.
        css: its class, which gives the colour.
        points: x and y; y is None where nothing is known.
    """

    name: str
    css: str
    points: Sequence[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its interval."""

    name: str
    value: float
    low: float
    high: float
    css: str


def lines(
    label: str,
    x: Axis,
    y: Axis,
    drawn: Sequence[Line],
    band: Sequence[tuple[float, float, float]] = (),
) -> str:
    """Lines over time or age.

    Args:
        label: what the chart shows, for those who cannot see it.
        x: the axis across.
        y: the axis up.
        drawn: the lines; with more than one, a legend names them.
        band: x, low and high of an interval around the first line.
    """
    parts = _frame(x, y)
    if band:
        edge = [_point(x, y, at, high) for at, _, high in band]
        edge += [_point(x, y, at, low) for at, low, _ in reversed(band)]
        parts.append(f'<polygon class="band" points="{" ".join(edge)}"/>')
    for line in drawn:
        parts += [
            f'<polyline class="line {line.css}" points="{" ".join(piece)}"/>'
            for piece in _pieces(x, y, line)
        ]
    if len(drawn) > 1:
        for place, line in enumerate(drawn):
            across = _LEFT + 12 + 330 * place
            parts.append(
                f'<line class="line {line.css}" x1="{across}" x2="{across + 22}" y1="{_TOP + 6}" '
                f'y2="{_TOP + 6}"/><text x="{across + 28}" y="{_TOP + 10}">{escape(line.name)}'
                "</text>"
            )
    return _svg(label, HEIGHT, parts)


def dots(label: str, x: Axis, y: Axis, points: Sequence[tuple[str, str, float, float]]) -> str:
    """Points by two values.

    Args:
        label: what the chart shows.
        x: the axis across.
        y: the axis up.
        points: name, class, x and y of each.
    """
    parts = _frame(x, y)
    for name, css, at, value in points:
        across, down = _point(x, y, at, value).split(",")
        parts.append(
            f'<circle class="dot {css}" cx="{across}" cy="{down}" r="5">'
            f"<title>{escape(name)}</title></circle>"
        )
    return _svg(label, HEIGHT, parts)


def bars(label: str, axis: Axis, drawn: Sequence[Bar]) -> str:
    """Horizontal bars from zero, each with its interval.

    Args:
        label: what the chart shows.
        axis: from 0.
        drawn: the bars, from the top.
    """
    height = _TOP + _ROW * len(drawn) + _BOTTOM
    bottom, end = height - _BOTTOM, WIDTH - _RIGHT - 60
    parts = []
    for tick in axis.ticks:
        at = axis.place(tick, _NAMES, end)
        parts.append(
            f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{bottom}"/>'
            f'<text class="middle" x="{at:.1f}" y="{bottom + 16}">{escape(axis.say(tick))}</text>'
        )
    for place, bar in enumerate(drawn):
        top = _TOP + place * _ROW
        value = axis.place(bar.value, _NAMES, end)
        low, high = (min(axis.place(edge, _NAMES, end), end) for edge in (bar.low, bar.high))
        middle = top + _ROW / 2
        parts.append(
            f'<text class="end" x="{_NAMES - 8}" y="{middle + 4}">{escape(bar.name)}</text>'
            f'<rect class="bar {bar.css}" x="{_NAMES}" y="{top + 4}" '
            f'width="{max(value - _NAMES, 0):.1f}" height="{_ROW - 8}"/>'
            f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>'
            f'<text x="{max(value, high) + 6:.1f}" y="{middle + 4}">'
            f"{escape(axis.say(bar.value))}</text>"
        )
    name = escape(axis.name)
    parts.append(f'<text class="middle" x="{(_NAMES + end) / 2}" y="{bottom + 38}">{name}</text>')
    return _svg(label, height, parts)


def _frame(x: Axis, y: Axis) -> list[str]:
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    parts = []
    for tick in x.ticks:
        at = x.place(tick, _LEFT, right)
        parts.append(
            f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{bottom}"/>'
            f'<text class="middle" x="{at:.1f}" y="{bottom + 16}">{escape(x.say(tick))}</text>'
        )
    for tick in y.ticks:
        at = y.place(tick, bottom, _TOP)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>'
            f'<text class="end" x="{_LEFT - 6}" y="{at + 4:.1f}">{escape(y.say(tick))}</text>'
        )
    middle = (_TOP + bottom) / 2
    parts.append(
        f'<text class="middle" x="{(_LEFT + right) / 2}" y="{bottom + 38}">{escape(x.name)}</text>'
        f'<text class="middle" transform="translate(14 {middle}) rotate(-90)">{escape(y.name)}'
        "</text>"
    )
    return parts


def _pieces(x: Axis, y: Axis, line: Line) -> list[list[str]]:
    """The parts of a line between the points where nothing is known."""
    pieces: list[list[str]] = [[]]
    for at, value in line.points:
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append(_point(x, y, at, value))
    return [piece for piece in pieces if piece]


def _point(x: Axis, y: Axis, at: float, value: float) -> str:
    across = x.place(at, _LEFT, WIDTH - _RIGHT)
    down = y.place(min(max(value, y.low), y.high), HEIGHT - _BOTTOM, _TOP)
    return f"{across:.1f},{down:.1f}"


def _svg(label: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )
