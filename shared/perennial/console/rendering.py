"""Templates, and how they write numbers and times."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from perennial.console.prose import prose
from perennial.domain.charts.style import STYLE
from perennial.domain.words import counted, without_controls

_UNITS = ((86400 * 365, "year"), (86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


class Renderer:
    """The console's templates and static files.

    Args:
        folder: holds `templates/` and `static/`.
    """

    def __init__(self, folder: Path) -> None:
        files = {path.name: path.read_bytes() for path in sorted((folder / "static").iterdir())}
        files["charts.css"] = STYLE.encode()
        self._static = {
            f"{hashlib.sha256(data).hexdigest()[:12]}-{name}": (data, _TYPES[Path(name).suffix])
            for name, data in files.items()
        }
        addresses = {address.split("-", 1)[1]: f"/assets/{address}" for address in self._static}
        self._jinja = Environment(
            loader=FileSystemLoader(folder / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.globals["static"] = addresses.__getitem__
        self._jinja.filters.update(
            ago=ago,
            number=number,
            exact=exact,
            span=span,
            percent=percent,
            change=change,
            counted=counted,
            told=told,
            prose=prose,
        )

    def page(self, template: str, **context: Any) -> str:
        """A page of HTML."""
        return without_controls(self._jinja.get_template(template).render(context))

    def static(self, address: str) -> tuple[bytes, str] | None:
        """A static file and its type; None where there is none of that address."""
        return self._static.get(address)


def ago(then: datetime | str | None, now: datetime) -> Markup:
    """How long ago, with the exact time behind it."""
    if then is None or then == "":
        return Markup("–")
    when = datetime.fromisoformat(then) if isinstance(then, str) else then
    seconds = (now - when).total_seconds()
    said = "just now" if abs(seconds) < 1 else f"{span(abs(seconds))} {_tense(seconds)}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        when.isoformat(), exact(when), said
    )


def _tense(seconds: float) -> str:
    return "ago" if seconds > 0 else "from now"


def span(seconds: float | None) -> str:
    """A length of time in its largest unit."""
    if seconds is None:
        return "–"
    for length, unit in _UNITS:
        if seconds >= length:
            count = round(seconds / length)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds:.2f} seconds"


def exact(when: datetime | str | None) -> str:
    """A time to the second."""
    if not when:
        return "–"
    found = datetime.fromisoformat(when) if isinstance(when, str) else when
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def number(value: float | None, digits: int = 4) -> str:
    """A number with so many significant digits; integers with thousands apart."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.{digits}g}" if abs(value) < 10**digits else f"{value:,.0f}"


def told(value: Any) -> str:
    """A value of JSON as people read it: lists with commas, objects as pairs."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {told(one)}" for key, one in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(told, value)) or "–"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    return number(value) if isinstance(value, int | float) else str(value)


def change(value: float | None) -> str:
    """A relative difference."""
    return "–" if value is None else f"{value:+.1%}"


def percent(value: float | None) -> str:
    """A share."""
    return "–" if value is None else f"{value:.1%}"
