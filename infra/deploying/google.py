"""Google's REST APIs, as a deployment calls them."""

from __future__ import annotations

from typing import Any

import google.auth
import requests
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport.requests import AuthorizedSession
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from infra.deploying.errors import DeployError, Refused

ADDRESS = "https://{service}.googleapis.com"

_TIMEOUT = (10.0, 60.0)
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_LOGIN = "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS"
# Everything that is asked here may be asked twice: what was made meanwhile is found.
_RETRY = Retry(
    total=4,
    backoff_factor=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=None,
    raise_on_status=False,  # the last answer says more than "too many retries"
)


class Google:
    """Calls Google's REST APIs.

    Args:
        session: makes the requests, with credentials.
        address: base URL of an API, with `{service}` where its name belongs.
        unaccounted: whether the credentials are a person's and name no project to count calls to,
            which some APIs insist on. Service accounts have one of their own.
    """

    def __init__(
        self, session: requests.Session, address: str = ADDRESS, *, unaccounted: bool = False
    ) -> None:
        self._session = session
        self._address = address
        self.unaccounted = unaccounted

    @classmethod
    def connect(cls) -> Google:
        """With the default credentials of this machine.

        Raises:
            DeployError: when there are none.
        """
        try:
            credentials, _ = google.auth.default(scopes=_SCOPES)
        except (GoogleAuthError, OSError, ValueError) as error:
            raise DeployError(f"found no Google credentials ({error}): {_LOGIN}.") from error
        session: requests.Session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]  # google.auth has no types
        session.mount("https://", HTTPAdapter(max_retries=_RETRY))
        personal = getattr(credentials, "refresh_token", None) is not None
        counted = getattr(credentials, "quota_project_id", None) is not None
        return cls(session, unaccounted=personal and not counted)

    def call(
        self,
        what: str,
        method: str,
        service: str,
        path: str,
        body: dict[str, Any] | None = None,
        params: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Ask one API and return the document that it answers.

        Args:
            what: what is asked for, as it reads after "could not".
            method: of HTTP.
            service: the API, as in its host name.
            path: below the host, without a leading slash.
            body: sent as JSON.
            params: of the query.

        Raises:
            Refused: the API answered with an error.
            DeployError: it could not be asked.
        """
        url = f"{self._address.format(service=service)}/{path}"
        try:
            response = self._session.request(
                method, url, json=body, params=params, timeout=_TIMEOUT
            )
            if not response.ok:
                raise Refused(what, response)
            document: dict[str, Any] = response.json() if response.content else {}
        except TransportError as error:
            raise DeployError(f"could not {what}: Google does not answer: {error}") from error
        except GoogleAuthError as error:
            raise DeployError(
                f"could not {what}: {error}. Your login may be over: {_LOGIN}."
            ) from error
        except requests.RequestException as error:
            raise DeployError(f"could not {what}: {error}") from error
        return document
