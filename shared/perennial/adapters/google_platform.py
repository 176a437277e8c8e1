"""What is deployed, looked at through Google's REST APIs; nothing here changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

import google.auth
import requests
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.auth.transport.requests import AuthorizedSession
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from perennial.adapters.google_errors import google_error
from perennial.adapters.identity_token import Bearer
from perennial.domain.doctoring.findings import Look
from perennial.errors import ConfigError

GOOGLE: Mapping[str, str] = {
    service: f"https://{service}.googleapis.com"
    for service in ("storage", "run", "eventarc", "pubsub", "cloudscheduler")
}
"""The APIs that know what is deployed, and where they are."""

LOGIN = "run `gcloud auth application-default login`"

_TIMEOUT = (5.0, 30.0)
LOCAL_TIMEOUT = (2.0, 10.0)
"""Seconds to connect, and between two signs of life: a process on this machine is quick or ill."""

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_RETRY = Retry(
    total=3,
    connect=1,
    backoff_factor=0.3,
    status_forcelist=(429, 500, 502, 503, 504),
    raise_on_status=False,  # the last answer says more than "too many retries"
)
_DISABLED = ("SERVICE_DISABLED", "accessNotConfigured")
# Google's word for it is SERVICE_DISABLED as well, about a project that is nobody's.
_UNACCOUNTED = "requires a quota project"


def google_session() -> requests.Session:
    """A session with Google's default credentials.

    Raises:
        ConfigError: when there are none.
    """
    try:
        credentials, _ = google.auth.default(scopes=_SCOPES)
    except DefaultCredentialsError as error:
        raise ConfigError(f"no Google credentials ({error})") from error
    session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]  # google.auth has no types
    session.mount("https://", HTTPAdapter(max_retries=_RETRY))
    return session


def plain_session(token: str = "") -> requests.Session:
    """A session without Google's credentials.

    Args:
        token: an identity token to send; nothing is sent without one, whatever ~/.netrc says.
    """
    session = requests.Session()
    session.auth = Bearer(token)
    session.mount("https://", HTTPAdapter(max_retries=_RETRY))
    return session


def local_session() -> requests.Session:
    """A session for one's own machine: no proxy stands before it, and nothing is asked twice."""
    session = requests.Session()
    session.trust_env = False
    return session


class GooglePlatform:
    """Asks services for resources.

    Args:
        session: makes the requests.
        addresses: base URL of each service.
        timeout: seconds to connect, and between two signs of life.
    """

    def __init__(
        self,
        session: requests.Session,
        addresses: Mapping[str, str] = GOOGLE,
        timeout: tuple[float, float] = _TIMEOUT,
    ) -> None:
        self._session = session
        self._addresses = addresses
        self._timeout = timeout

    def look(self, service: str, path: str, **parameters: str) -> Look:
        """Ask one service for one resource; what goes wrong is part of the look."""
        url = f"{self._addresses[service].rstrip('/')}/{quote(path, safe='/:')}"
        try:
            response = self._session.get(
                url,
                params=parameters,
                timeout=self._timeout,
                allow_redirects=False,  # no API redirects, and a token is meant for one host only
            )
        except (requests.RequestException, TransportError) as error:
            return Look("silent", said=f"no answer: {_root(error)}")
        except GoogleAuthError as error:
            return Look("forbidden", said=f"no access token: {error}; {LOGIN}")
        return _read(response)


def _read(response: requests.Response) -> Look:
    error = google_error(response)
    status, said = error.code, str(error)
    match status:
        case HTTPStatus.OK:
            return _document(response)
        case HTTPStatus.NOT_FOUND:
            return Look("absent", said=said, status=status)
        case HTTPStatus.FORBIDDEN if error.reason in _DISABLED and _UNACCOUNTED not in said:
            return Look("disabled", said=said, status=status)
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return Look("forbidden", said=said, status=status)
    return Look("silent", said=said, status=status)


def _document(response: requests.Response) -> Look:
    try:
        document = response.json()
    except ValueError:
        document = None
    if isinstance(document, dict):
        return Look("found", document, status=response.status_code)
    return Look("silent", said="200 with something that is no JSON", status=response.status_code)


def _root(error: BaseException) -> BaseException:
    """What it all began with: libraries wrap "connection refused" in half a page."""
    while error.__context__ is not None:
        error = error.__context__
    return error
