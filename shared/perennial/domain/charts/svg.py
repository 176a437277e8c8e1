"""Elements of SVG, well formed whatever their text holds."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, tostring

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Value = str | int | float


def element(tag: str, *children: Element | str, **attributes: Value) -> Element:
    """One element.

    Args:
        tag: its name.
        children: elements, and text, which is escaped when it is written.
        attributes: by name: `font_size` is `font-size`, and `class_` is `class`; numbers are
            written with at most two decimals.
    """
    made = Element(tag)
    for name, value in attributes.items():
        made.set(name.rstrip("_").replace("_", "-"), _written(value))
    for child in children:
        if isinstance(child, str):
            made.text = (made.text or "") + _clean(child)
        else:
            made.append(child)
    return made


def picture(title: str, description: str, *children: Element, **attributes: Value) -> str:
    """A whole `<svg>` with a name and a description, as text.

    Args:
        title: what it shows, in a few words.
        description: what it says, in a sentence.
        children: what is drawn.
        attributes: of the `<svg>`.
    """
    whole = element(
        "svg",
        element("title", title),
        element("desc", description),
        *children,
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        **attributes,
    )
    return tostring(whole, encoding="unicode")


def across(share: float) -> str:
    """A place across, as a part of the width from 0 to 1."""
    return f"{_written(round(100 * share, 3))}%"


def _written(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return _clean(str(value))


def _clean(text: str) -> str:
    """Text without the characters that no XML may hold."""
    return _NO_XML.sub("\ufffd", text)
