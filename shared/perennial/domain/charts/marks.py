"""Moments that stand out in time: lines up with a label, as many as can be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from perennial.domain.charts.axes import At, Axis
from perennial.domain.charts.svg import across, element
from perennial.domain.charts.text import NARROW, WIDE, Label, fitting, shortened

_APART = 1 / 150  # of the width: marks that are closer are one line
_MANY = 30  # lines beyond which those without a label are short, or they would hide the plot


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment.

    Attributes:
        at: when.
        label: a short name, such as a version's.
        told: what is said of it; the label where empty.
    """

    at: At
    label: str
    told: str = ""


def drawn_marks(marks: Sequence[Mark], x: Axis, top: int, bottom: int) -> list[Element]:
    """Lines from their labels down to the axis.

    Of labels that would overlap, the latest stays, then the earliest; all are in the hints.
    """
    groups = _groups(sorted(marks, key=lambda mark: x.place(mark.at)), x)
    labels = {
        Label(x.place(group[-1].at), shortened(group[-1].label, 16)): None for group in groups
    }
    wanted = [*list(labels)[-1:], *list(labels)[:-1]]
    always = fitting(wanted, NARROW)
    also = fitting((one for one in wanted if one not in always), WIDE, always)
    named = {label.at for label in always}
    parts = []
    for group in groups:
        place = x.place(group[-1].at)
        at = across(place)
        short = len(groups) > _MANY and place not in named
        parts.append(
            element(
                "g",
                element("title", _told(group, x)),
                element(
                    "line",
                    class_="mark",
                    x1=at,
                    x2=at,
                    y1=top + 15,
                    y2=top + 23 if short else bottom,
                ),
                element("line", class_="reach", x1=at, x2=at, y1=top, y2=bottom),
            )
        )
    return [*parts, *_texts(always, top), element("g", *_texts(also, top), class_="wide")]


def _groups(ordered: Sequence[Mark], x: Axis) -> list[list[Mark]]:
    """Marks that are too close to each other to be told apart, the last of which is drawn."""
    groups: list[list[Mark]] = []
    for mark in ordered:
        if groups and x.place(mark.at) - x.place(groups[-1][0].at) < _APART:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return groups


def _told(group: Sequence[Mark], x: Axis) -> str:
    last = group[-1]
    if len(group) == 1:
        return f"{x.say(last.at)}\n{shortened(last.told or last.label, 200)}"
    return (
        f"{x.say(group[0].at)} to {x.say(last.at)}\n"
        f"{len(group):,} from {shortened(group[0].label, 60)} to {shortened(last.label, 60)}"
    )


def _texts(labels: Sequence[Label], top: int) -> list[Element]:
    return [
        element("text", one.text, class_="mark-label", x=across(one.at), y=top + 12,
                text_anchor=one.anchor)
        for one in labels
    ]  # fmt: skip
