"""A line in a word's place: how a value went, without axes."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from perennial.domain.charts.numbers import NumberAxis, said
from perennial.domain.charts.svg import element, picture
from perennial.domain.charts.thinning import thinned

_WIDTH, _HEIGHT, _EDGE = 120, 28, 3  # pixels
_MOST = 120


def sparkline(title: str, values: Sequence[float]) -> str:
    """An `<svg>` of a fixed, small size.

    Args:
        title: what the values are.
        values: in their order, at even distances; what is not finite is a gap.
    """
    known = [value for value in values if isfinite(value)]
    if not known:
        return picture(title, "Nothing to show yet.", class_="sparkline", width=_WIDTH,
                       height=_HEIGHT, viewBox=f"0 0 {_WIDTH} {_HEIGHT}")  # fmt: skip
    y = NumberAxis.around(known)
    step = 1 / (len(values) - 1) if len(values) > 1 else 0.0
    places = [index * step if step else 1.0 for index in range(len(values))]
    path, end, pen_down = [], (0.0, 0.0), False
    for index in thinned(places, values, _MOST):
        if not isfinite(values[index]):
            pen_down = False
            continue
        end = (
            _EDGE + places[index] * (_WIDTH - 2 * _EDGE),
            _EDGE + (1 - y.place(values[index])) * (_HEIGHT - 2 * _EDGE),
        )
        path.append(f"{'L' if pen_down else 'M'}{end[0]:.1f} {end[1]:.1f}")
        pen_down = True
    return picture(
        title,
        f"From {said(known[0])} to {said(known[-1])}, "
        f"between {said(min(known))} and {said(max(known))}.",
        element("path", class_="line series-1", d="".join(path)),
        element("circle", class_="end", cx=end[0], cy=end[1], r=2.5),
        class_="sparkline",
        width=_WIDTH,
        height=_HEIGHT,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
    )
