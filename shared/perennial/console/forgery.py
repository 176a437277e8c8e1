"""Against forged requests: an action is taken only from a page of this console's own.

A browser says where a request comes from, which a foreign page cannot change; and the form must
repeat a secret that lies in a cookie, which a foreign page can neither read nor send along.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from perennial.errors import ForbiddenError

COOKIE = "perennial_form"
FIELD = "form"
_BYTES = 32
_STAMP = 32  # hexadecimal digits
_AGAIN = "open the page anew and try again"


def secret(cookies: Mapping[str, str]) -> str:
    """The secret of this browser's session: what it has, or a new one."""
    found = cookies.get(COOKIE, "")
    return found if len(found) >= _BYTES else secrets.token_urlsafe(_BYTES)


def check(
    header: Callable[[str], str | None], cookies: Mapping[str, str], given: str, host: str
) -> None:
    """Refuse what does not come from a form of this console.

    Args:
        header: what a header of the request says.
        cookies: of the request.
        given: the form's field.
        host: by which the console was called.

    Raises:
        ForbiddenError: saying why.
    """
    site = header("Sec-Fetch-Site") or "same-origin"
    if site != "same-origin":
        raise ForbiddenError(f"expected a request from the console itself, found one from {site}")
    origin = header("Origin")
    if origin is not None and _host(origin) != host:
        raise ForbiddenError(f"expected a form of {host}, found one of {origin[:200]}")
    kept = cookies.get(COOKIE, "")
    if not kept or not hmac.compare_digest(kept.encode(), given.encode()):
        raise ForbiddenError(f"this form was not made for this browser, or is too old: {_AGAIN}")


def stamp(kept: str, path: str, action: str) -> str:
    """A mark that `action` led to the page at `path`, which no foreign link can carry.

    Args:
        kept: the secret of this browser's session.
        path: the page's.
        action: what was done.
    """
    said = hmac.digest(kept.encode(), f"{action} {path}".encode(), "sha256").hex()
    return f"{action}.{said[:_STAMP]}"


def stamped(cookies: Mapping[str, str], path: str, mark: str) -> str:
    """The action that a mark tells of; empty where it is none of this browser and page."""
    kept, action = cookies.get(COOKIE, ""), mark.partition(".")[0]
    mine = kept and hmac.compare_digest(stamp(kept, path, action).encode(), mark.encode())
    return action if mine else ""


def _host(origin: str) -> str:
    """Host and port; of what is no origin nothing."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
