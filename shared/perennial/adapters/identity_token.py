"""Identity tokens: how Cloud Run knows who asks, from whatever Google credentials there are.

Cloud Run takes an ID token that Google signed and whose audience is the service's URL. Service
accounts mint one for themselves. A person's credentials cannot choose an audience, so a person asks
the IAM Credentials API for the token of an account that may call the service.

Tokens are kept in memory alone; they live for an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import google.auth
import requests
from google.auth import compute_engine, impersonated_credentials
from google.auth.exceptions import (
    DefaultCredentialsError,
    GoogleAuthError,
    RefreshError,
    TransportError,
)
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2 import id_token, service_account
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.util import Retry

from perennial.adapters.google_errors import google_error
from perennial.errors import ConfigError, PerennialError

IAM_CREDENTIALS = "https://iamcredentials.googleapis.com"
ROLE = "roles/iam.serviceAccountOpenIdTokenCreator"
"""What one needs on an account to get its identity tokens."""

_LOGIN = "run `gcloud auth application-default login`"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_TIMEOUT = (5.0, 30.0)
_RETRY = Retry(
    total=3, backoff_factor=0.3, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=None
)
_NO_ROLE = ("", "IAM_PERMISSION_DENIED")  # other reasons for a 403 are told in Google's own words


@dataclass(frozen=True, slots=True)
class IdentityToken:
    """A token, and the e-mail of the account that it speaks for."""

    account: str
    value: str = field(repr=False)


class Bearer(AuthBase):
    """Sends a token, or nothing; given as a header it would lose against an entry in ~/.netrc.

    Args:
        token: what to send; empty for nothing.
    """

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token to a request."""
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def identity_tokens(
    audience: str, *, caller: str = "", impersonate: str = ""
) -> Iterator[IdentityToken]:
    """The tokens with which a service may be called, the likeliest first; each made when asked for.

    Args:
        audience: the service's URL.
        caller: e-mail of the deployment's own account that may call the service, if it is known.
        impersonate: e-mail of the one account to act as, where a person chose it.

    Raises:
        ConfigError: when there are no credentials, or they may not act as an account.
        PerennialError: when Google does not answer.
    """
    with _explained():
        credentials, _ = google.auth.default(scopes=_SCOPES)
    if impersonate:
        yield _token_of(impersonate, credentials, audience, caller)
        return
    own = _own_token(credentials, audience)
    if own is not None:
        yield own
    if caller and (own is None or own.account != caller):
        yield _token_of(caller, credentials, audience, caller)
    elif own is None:
        raise ConfigError(
            "these Google credentials are a person's, which cannot call a function: name a service "
            "account that may with --impersonate"
        )


def _own_token(credentials: Any, audience: str) -> IdentityToken | None:
    """The token that these credentials mint for themselves; None where they cannot."""
    if isinstance(credentials, impersonated_credentials.Credentials):
        return _impersonated_token(credentials, audience)
    if not isinstance(credentials, (service_account.Credentials, compute_engine.Credentials)):
        return None
    with _explained():
        minter = id_token.fetch_id_token_credentials(audience)  # type: ignore[no-untyped-call]  # google.auth has no types
        minter.refresh(Request())
    return IdentityToken(str(minter.service_account_email), str(minter.token))


def _impersonated_token(
    credentials: impersonated_credentials.Credentials, audience: str
) -> IdentityToken:
    """The token of the account that the credentials themselves act as."""
    account = str(credentials.service_account_email)
    minter = impersonated_credentials.IDTokenCredentials(  # type: ignore[no-untyped-call]
        credentials, target_audience=audience, include_email=True
    )
    with _explained():
        try:
            minter.refresh(Request())
        except RefreshError as error:
            raise ConfigError(
                f"no identity token for {account}, which takes {ROLE} on it: {_line(error)}"
            ) from error
    return IdentityToken(account, str(minter.token))


def _token_of(account: str, credentials: Any, audience: str, caller: str) -> IdentityToken:
    """The token of an account that these credentials may act as."""
    url = f"{IAM_CREDENTIALS}/v1/projects/-/serviceAccounts/{quote(account)}:generateIdToken"
    body = {"audience": audience, "includeEmail": True}
    with _explained(), AuthorizedSession(credentials) as session:  # type: ignore[no-untyped-call]
        session.mount(IAM_CREDENTIALS, HTTPAdapter(max_retries=_RETRY))
        response = session.post(url, json=body, timeout=_TIMEOUT)
        if response.ok:
            return IdentityToken(account, str(response.json()["token"]))
    error = google_error(response)
    if error.code == HTTPStatus.FORBIDDEN and error.reason in _NO_ROLE:
        given = (
            "`callers` in the deployment's variables gives it"
            if account == caller
            else "whoever manages that account can give it"
        )
        raise ConfigError(f"you lack {ROLE} on {account} ({error}): {given}")
    if error.code == HTTPStatus.NOT_FOUND:
        raise ConfigError(f"there is no service account {account} ({error})")
    raise PerennialError(f"no identity token for {account}: {error}")


@contextmanager
def _explained() -> Iterator[None]:
    """Say in our own words what went wrong with the credentials."""
    try:
        yield
    except DefaultCredentialsError as error:
        raise ConfigError(f"no Google credentials: {_LOGIN} ({_line(error)})") from error
    except (TransportError, requests.RequestException, KeyError) as error:
        raise PerennialError(
            f"no identity token, Google does not answer: {_line(error)}"
        ) from error
    except GoogleAuthError as error:
        raise ConfigError(f"Google refuses these credentials: {_LOGIN} ({_line(error)})") from error


def _line(error: Exception) -> str:
    return " ".join(str(error.args[0] if error.args else error).split())
