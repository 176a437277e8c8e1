"""Reading charts as a browser would: elements, places and texts."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, fromstring

_SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str) -> Element:
    """The picture's root; raises where it is not well formed."""
    return fromstring(svg)  # noqa: S314 - our own picture, and it must be XML


def every(root: Element, tag: str, css: str = "") -> list[Element]:
    """All elements of a kind, of a class where one is named."""
    return [
        one
        for one in root.iter(f"{_SVG}{tag}")
        if not css or css in (one.get("class") or "").split()
    ]


def texts(root: Element, css: str = "") -> list[str]:
    return [one.text or "" for one in every(root, "text", css)]


def hints(root: Element) -> list[str]:
    """What is said under the mouse: every title but the picture's own."""
    return [one.text or "" for one in every(root, "title")][1:]


def assert_inside(root: Element) -> None:
    """Everything lies within the picture: from 0 to 100 % across, from 0 to its height down."""
    height = float(root.get("height", "nan"))
    for one in root.iter():
        for name in ("x", "x1", "x2", "cx"):
            place = one.get(name, "0")
            if place.endswith("%"):
                assert 0 <= float(place[:-1]) <= 100, (one.attrib, place)
        for name in ("y", "y1", "y2", "cy"):
            assert 0 <= float(one.get(name, "0")) <= height, (one.attrib, height)
        if one.tag == f"{_SVG}path" and one.get("d"):
            for across, down in re.findall(r"[ML](\S+) ([^MLZ]+)", one.get("d", "")):
                assert 0 <= float(across) <= 10_000
                assert 0 <= float(down) <= 180
