"""Against forged requests: an action is taken only from a page of this console's own.

A browser says where a request comes from, which a foreign page cannot change; and the form must
repeat a secret that lies in a cookie, which a foreign page can neither read nor send along.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from perennial.errors import RefusedError

COOKIE = "perennial_form"
FIELD = "form"
_BYTES = 32
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
        RefusedError: saying why.
    """
    site = header("Sec-Fetch-Site") or "same-origin"
    if site != "same-origin":
        raise RefusedError(f"expected a request from the console itself, found one from {site}")
    origin = header("Origin")
    if origin is not None and _host(origin) != host:
        raise RefusedError(f"expected a form of {host}, found one of {origin[:200]}")
    kept = cookies.get(COOKIE, "")
    if not kept or not hmac.compare_digest(kept.encode(), given.encode()):
        raise RefusedError(f"this form was not made for this browser, or is too old: {_AGAIN}")


def _host(origin: str) -> str:
    """Host and port; of what is no origin nothing."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
