"""Who asks Google: the access token that goes with a request, fetched when one is needed.

On Cloud Run the metadata server gives tokens for one small request. Google's own library does the
same, and its import takes longer than all of `predict` does beside it; so it is loaded only
elsewhere, where somebody's own credentials have to be found.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import Any, Protocol

import urllib3

from perennial.adapters.google_errors import read_error
from perennial.errors import ConfigError, PermissionDenied, StoreUnavailable

SCOPES = ("https://www.googleapis.com/auth/devstorage.read_only",)

_METADATA = "metadata.google.internal"
_TOKEN = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105 (a path)
_EARLY = 225.0  # seconds before its end; the metadata server has a new one from 300 on
_TIMEOUT = urllib3.Timeout(connect=3.0, read=10.0)


class Tokens(Protocol):
    """Where access tokens come from."""

    def headers(self) -> Mapping[str, str]:
        """What proves who asks.

        Raises:
            StoreUnavailable: no token is to be had now.
            PermissionDenied: none is for this identity.
        """

    def refused(self) -> None:
        """Forget the token: it was not taken."""


class FixedToken:
    """For an emulator.

    Args:
        token: which it knows; empty for none.
    """

    def __init__(self, token: str) -> None:
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def headers(self) -> Mapping[str, str]:
        """What proves who asks, if anybody does."""
        return self._headers

    def refused(self) -> None:
        """Nothing to forget."""


class MetadataTokens:
    """Tokens of the service account that this runs as, from the platform's metadata server.

    Args:
        pool: connections.
        host: where the server is, if not at its usual place.
    """

    def __init__(self, pool: urllib3.PoolManager, host: str = "") -> None:
        self._pool = pool
        self._url = f"http://{host or _METADATA}{_TOKEN}"
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def headers(self) -> Mapping[str, str]:
        """What proves who asks; of several threads one fetches it."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._fetch()
            return {"Authorization": f"Bearer {self._token}"}

    def refused(self) -> None:
        """Forget the token."""
        with self._lock:
            self._until = 0.0

    def _fetch(self) -> None:
        asked = time.monotonic()
        try:
            answer = self._pool.request(
                "GET",
                self._url,
                headers={"Metadata-Flavor": "Google"},
                timeout=_TIMEOUT,
                retries=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise StoreUnavailable(
                f"no access token: {self._url} did not answer: {error}"
            ) from error
        if answer.status != 200:
            said = read_error(answer.status, answer.reason, answer.data)
            passing = answer.status == 429 or answer.status >= 500
            kind = StoreUnavailable if passing else PermissionDenied
            raise kind(f"no access token: {self._url} answered {said}")
        try:
            found: dict[str, Any] = json.loads(answer.data)
            self._token = str(found["access_token"])
            self._until = asked + float(found["expires_in"]) - _EARLY
        except (ValueError, KeyError, TypeError) as error:
            raise StoreUnavailable(f"no access token: {self._url} answered no token") from error


class DefaultTokens:
    """Tokens for whoever has credentials on this machine.

    Args:
        pool: connections.

    Raises:
        ConfigError: when there are no Google credentials to be found.
    """

    def __init__(self, pool: urllib3.PoolManager) -> None:
        import google.auth
        import google.auth.exceptions
        from google.auth.transport.urllib3 import Request

        self._errors = google.auth.exceptions
        self._request = Request(pool)  # type: ignore[no-untyped-call]  # google.auth has no types
        self._lock = threading.Lock()
        try:
            self._credentials, _ = google.auth.default(scopes=SCOPES, request=self._request)
        except self._errors.DefaultCredentialsError as error:
            raise ConfigError(
                f"no Google credentials: run `gcloud auth application-default login` ({error})"
            ) from error

    def headers(self) -> Mapping[str, str]:
        """What proves who asks."""
        headers: dict[str, str] = {}
        try:
            with self._lock:
                self._credentials.before_request(  # type: ignore[no-untyped-call]  # as above
                    self._request, "GET", "", headers
                )
        except self._errors.TransportError as error:
            raise StoreUnavailable(f"no access token: {error}") from error
        except self._errors.GoogleAuthError as error:
            raise PermissionDenied(f"no access token: {error}") from error
        return headers

    def refused(self) -> None:
        """Forget the token."""
        with self._lock:
            self._credentials.token = None
