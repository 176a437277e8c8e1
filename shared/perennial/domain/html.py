"""Pages that are files: complete in themselves, without a script, and escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from perennial.domain.words import without_controls

_ALONE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(title: str, style: str, body: Iterable[str]) -> str:
    """A whole document, which a browser lets load nothing.

    Args:
        title: not escaped yet.
        style: the style sheet.
        body: escaped parts; empty ones are left out.
    """
    return without_controls(
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_ALONE}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body></html>\n"
    )


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], css: str = "") -> str:
    """Rows under their headers, in a place that scrolls across where they are too wide.

    Args:
        headers: not escaped yet.
        rows: cells, not escaped yet.
        css: class of the table.
    """
    head = "".join(f'<th scope="col">{escape(header)}</th>' for header in headers)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>\n" for row in rows
    )
    named = f' class="{css}"' if css else ""
    return (
        f'<div class="wide" tabindex="0"><table{named}><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def folded(headers: Sequence[str], rows: Iterable[Sequence[object]], note: str = "") -> str:
    """The table behind a picture, which opens on demand."""
    said = f'<p class="note">{escape(note)}</p>' if note else ""
    return f"<details><summary>The table behind it</summary>{said}{table(headers, rows)}</details>"
