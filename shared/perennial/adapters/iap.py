"""Identities that Google's Identity-Aware Proxy vouches for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from google.auth import transport
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.oauth2 import id_token

from perennial.errors import PermissionDenied

CERTIFICATES = "https://www.gstatic.com/iap/verify/public_key"
ISSUER = "https://cloud.google.com/iap"
_KEEP = 3600.0  # seconds
_AGAIN = 60.0  # seconds, before which unknown keys are not looked for once more
_TIMEOUT = 10.0  # seconds; the library would wait for two minutes, and the page with it


class IapVerifier:
    """Checks the proxy's signed assertions.

    Args:
        audience: for whom they must be made: the service.
        certificates: where the proxy's public keys are.
    """

    def __init__(self, audience: str, certificates: str = CERTIFICATES) -> None:
        self._audience = audience
        self._certificates = certificates
        self._keys = _KeptKeys(Request())

    def __call__(self, assertion: str) -> str:
        """The e-mail address that an assertion proves.

        Raises:
            PermissionDenied: when it proves nothing.
        """
        try:
            claims = self._claims(assertion)
        except (ValueError, GoogleAuthError) as error:
            raise PermissionDenied(f"the proxy's assertion cannot be trusted: {error}") from error
        if claims.get("iss") != ISSUER or not claims.get("email"):
            raise PermissionDenied("the proxy's assertion names nobody, or is somebody else's")
        return str(claims["email"])

    def _claims(self, assertion: str) -> Mapping[str, Any]:
        """What a signed assertion says; with fresh keys if those that are kept do not fit."""
        try:
            return self._verified(assertion)
        except ValueError:
            if not self._keys.forget():
                raise
            return self._verified(assertion)

    def _verified(self, assertion: str) -> Mapping[str, Any]:
        claims: Mapping[str, Any] = id_token.verify_token(
            assertion, self._keys, audience=self._audience, certs_url=self._certificates
        )
        return claims


class _KeptKeys(transport.Request):
    """Fetches the proxy's keys, and keeps them: a page must not wait for them each time.

    Args:
        fetch: asks for them.
    """

    def __init__(self, fetch: Callable[..., Any]) -> None:
        self._fetch = fetch
        self._kept: Any = None
        self._at = 0.0

    def __call__(  # type: ignore[override]  # the library asks with these alone
        self, url: str, method: str = "GET", **more: Any
    ) -> Any:
        """An answer to this request, of a moment ago or new."""
        kept = self._kept  # another thread may forget it meanwhile
        if kept is None or time.monotonic() > self._at + _KEEP:
            kept = self._fetch(url, method=method, timeout=_TIMEOUT, **more)
            if kept.status == HTTPStatus.OK:
                self._kept, self._at = kept, time.monotonic()
        return kept

    def forget(self) -> bool:
        """Fetch them anew next time; false where they are new, and a stranger only knocks."""
        if self._kept is None or time.monotonic() < self._at + _AGAIN:
            return False
        self._kept = None
        return True
