"""Horizontal bars from zero, each below its name, with a limit where it has one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal
from xml.etree.ElementTree import Element

from perennial.domain.charts.figure import Chart, Table
from perennial.domain.charts.numbers import NumberAxis, said
from perennial.domain.charts.svg import across, element, picture
from perennial.domain.charts.text import shortened

MOST_BARS = 60
"""Bars that are drawn; the table holds them all."""

_ROW = 38  # pixels from one bar to the next
_TEXT, _BAR = 14, 12  # pixels: where a row's text stands, and how thick its bar is
_TOP = 24
_FEW, _MANY = 28, 70  # characters of a name, on a phone and where there is room

Tone = Literal["", "good", "bad", "faint"]
"""What a bar says by its colour; its text says it, too."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        name: what it is of.
        value: from 0; what is not finite is unknown, and has no bar.
        limit: drawn as a line across the bar; None without one.
        tone: what its colour says.
        told: what is said of it beside name and value.
    """

    name: str
    value: float
    limit: float | None = None
    tone: Tone = ""
    told: str = ""


def bar_chart(
    title: str,
    quantity: str,
    bars: Sequence[Bar],
    say: Callable[[float], str] = said,
) -> Chart:
    """Bars from the top.

    Args:
        title: what the chart shows.
        quantity: what is measured, with its unit.
        bars: in their order; a negative value is drawn as 0. The first `MOST_BARS` are drawn.
        say: writes values as people read them.
    """
    drawn = bars[:MOST_BARS]
    ends = [max(one.value, 0.0) for one in drawn if isfinite(one.value)]
    ends += [one.limit for one in drawn if one.limit is not None and isfinite(one.limit)]
    x = NumberAxis.around(ends, zero=True)
    parts = [part for row, one in enumerate(drawn) for part in _bar(one, x, _TOP + row * _ROW, say)]
    svg = picture(
        title,
        _described(quantity, bars, say),
        element("text", shortened(quantity, 60), class_="quantity", x="0", y=12),
        *parts,
        class_="chart bars",
        width="100%",
        height=_TOP + max(len(drawn), 1) * _ROW,
    )
    return Chart(svg, _table(quantity, bars, say))


def _bar(bar: Bar, x: NumberAxis, top: int, say: Callable[[float], str]) -> list[Element]:
    over = bar.limit is not None and isfinite(bar.value) and bar.value > bar.limit
    tone = bar.tone or ("bad" if over else "")
    end = x.place(max(bar.value, 0.0)) if isfinite(bar.value) else 0.0
    right = _value(bar, say) + (" ▲" if over else "")
    parts = [
        element("title", f"{shortened(bar.name, 200)}\n{_value(bar, say)}{_more(bar, say)}"),
        element("rect", class_="reach", x="0", y=top, width="100%", height=_ROW),
        *_name(bar.name, top + _TEXT),
        element("text", right, class_="value", x="100%", y=top + _TEXT, text_anchor="end"),
        element("rect", class_="track", x="0", y=top + 19, width="100%", height=_BAR),
        element("rect", class_=f"bar {tone}".rstrip(), x="0", y=top + 19, width=across(end),
                height=_BAR),
    ]  # fmt: skip
    if bar.limit is not None and isfinite(bar.limit):
        at = across(x.place(bar.limit))
        parts += [
            element("line", class_=css, x1=at, x2=at, y1=top + 16, y2=top + 34)
            for css in ("limit-edge", "limit")
        ]
    return [element("g", *parts)]


def _name(name: str, y: int) -> list[Element]:
    """A name, shorter where a phone has no room for all of it."""
    few, many = shortened(name, _FEW), shortened(name, _MANY)
    if few == many:
        return [element("text", few, x="0", y=y)]
    return [
        element("text", few, class_="narrow", x="0", y=y),
        element("text", many, class_="wide", x="0", y=y),
    ]


def _value(bar: Bar, say: Callable[[float], str]) -> str:
    return say(bar.value) if isfinite(bar.value) else "unknown"


def _more(bar: Bar, say: Callable[[float], str]) -> str:
    limit = "" if bar.limit is None else f", limit {say(bar.limit)}"
    return f"{limit}\n{shortened(bar.told, 200)}" if bar.told else limit


def _described(quantity: str, bars: Sequence[Bar], say: Callable[[float], str]) -> str:
    known = [bar for bar in bars if isfinite(bar.value)]
    if not known:
        return "There is nothing to show yet."
    longest = max(known, key=lambda bar: bar.value)
    over = sum(bar.limit is not None and bar.value > bar.limit for bar in known)
    limits = f" {over} of {len(bars)} above their limits." if any(b.limit for b in bars) else ""
    return f"{quantity}: most for {longest.name}, {say(longest.value)}.{limits}"


def _table(quantity: str, bars: Sequence[Bar], say: Callable[[float], str]) -> Table:
    limits = any(bar.limit is not None for bar in bars)
    rows = tuple(
        (
            bar.name,
            _value(bar, say),
            *((("" if bar.limit is None else say(bar.limit)),) if limits else ()),
            bar.told,
        )
        for bar in bars
    )
    return Table(("name", quantity, *(("limit",) if limits else ()), "what"), rows)
