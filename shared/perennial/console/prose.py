"""Cards as pages show them: the little Markdown that they are written in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

_SPANS = ((re.compile(r"\*\*(.+?)\*\*"), r"<b>\1</b>"), (re.compile("`(.+?)`"), r"<code>\1</code>"))


def prose(text: str) -> Markup:
    """Paragraphs, lists, `code` and **what matters**, escaped; the title is left to the page.

    Args:
        text: Markdown; of its other forms the signs stay as they are.
    """
    blocks = filter(None, re.split(r"\n\s*\n", text.strip()))
    return Markup("").join(map(_block, blocks))


def _block(block: str) -> Markup:
    lines = block.splitlines()
    if lines[0].startswith("# "):
        return Markup("")
    if lines[0].startswith("- "):
        return Markup("<ul>{}</ul>").format(
            Markup("").join(Markup("<li>{}</li>").format(_spans(item)) for item in _items(lines))
        )
    return Markup("<p>{}</p>").format(_spans(" ".join(lines)))


def _items(lines: list[str]) -> Iterator[str]:
    """Each item of a list; what does not begin with a dash goes on with the one before."""
    item = ""
    for line in lines:
        if line.startswith("- "):
            if item:
                yield item
            item = line[2:]
        else:
            item += f" {line.strip()}"
    yield item


def _spans(text: str) -> Markup:
    """Signs around words become tags, after all else was escaped."""
    written = str(escape(text))
    for sign, tag in _SPANS:
        written = sign.sub(tag, written)
    return Markup(written)  # noqa: S704 - escaped above, and only these two tags were added
