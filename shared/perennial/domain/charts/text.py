"""How wide a text is, and which labels fit beside each other.

No font is at hand here, so widths are estimates that are rather too wide.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from unicodedata import east_asian_width

NARROW, WIDE = 250, 560
"""Pixels that a plot has at least: on a phone of 320, and where `wide` things are shown."""

_CHARACTER, _FULL_WIDTH = 6.8, 13.0  # pixels, of 12 pixel text
_BETWEEN = 8.0  # pixels between two labels

Anchor = Literal["start", "middle", "end"]


def width_of(text: str) -> float:
    """Pixels that a label takes across."""
    return sum(_FULL_WIDTH if east_asian_width(one) in "WF" else _CHARACTER for one in text)


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


@dataclass(frozen=True, slots=True)
class Label:
    """A label at a place across.

    Attributes:
        at: its place, from 0 to 1 of the width.
        text: what it says.
    """

    at: float
    text: str

    @property
    def anchor(self) -> Anchor:
        """Labels at an edge stay within it."""
        return "start" if self.at < 0.06 else "end" if self.at > 0.94 else "middle"

    def span(self, width: float) -> tuple[float, float]:
        """The pixels that it takes, in a plot of so many."""
        place, needs = self.at * width, width_of(self.text)
        left = {"start": place, "middle": place - needs / 2, "end": place - needs}[self.anchor]
        return left, left + needs


def fitting(labels: Iterable[Label], width: float, taken: Iterable[Label] = ()) -> list[Label]:
    """Those labels that can stand on one line, each of which comes before the later ones.

    Args:
        labels: the most important first.
        width: pixels that the plot is wide.
        taken: labels that stand there already.
    """
    spans = [label.span(width) for label in taken]
    kept = []
    for label in labels:
        left, right = label.span(width)
        if all(right + _BETWEEN <= start or end + _BETWEEN <= left for start, end in spans):
            spans.append((left, right))
            kept.append(label)
    return kept
