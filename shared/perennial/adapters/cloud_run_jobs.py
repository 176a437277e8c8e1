"""Training jobs on Cloud Run, through its Admin API (v2)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import google.auth
import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from perennial.adapters.google_errors import google_error
from perennial.config import Config
from perennial.errors import LaunchError
from perennial.ports import Task

PIPELINE_VARIABLE = "PERENNIAL_PIPELINE"
"""The environment variable that tells an execution which pipeline to train."""

FORCE_VARIABLE = "PERENNIAL_FORCE"
"""Set to 1, it makes the execution work even if the pipeline's trigger is not due."""

TASK_VARIABLES: Mapping[Task, str] = {
    "rebuild": "PERENNIAL_REBUILD",
    "import": "PERENNIAL_IMPORT",
    "score": "PERENNIAL_SCORE",
}
"""Instead of both, for each task: `{pipeline}/{subject}`. A job of a release that does not know it
finds no pipeline to train, and ends without doing anything."""

_TIMEOUT = (5.0, 30.0)
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
# A POST is retried too: of two executions for one pipeline, the second ends at the claim.
_RETRY = Retry(
    total=3, backoff_factor=0.3, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=None
)


class CloudRunJobs:
    """Starts executions of the training job.

    Args:
        config: where the Admin API and the job are.
        session: makes the requests; one with Google's default credentials when absent, or one
            without any for a plain http endpoint on this very machine.
    """

    def __init__(self, config: Config, session: requests.Session | None = None) -> None:
        self._endpoint = config.run_endpoint.rstrip("/")
        self._job = f"projects/{config.project}/locations/{config.region}/jobs/{config.train_job}"
        self._given_session = session

    def launch(self, pipeline: str, *, force: bool = False) -> str:
        """Start one run for `pipeline` and return the execution's full name.

        With `force` it works even if the pipeline's trigger is not due.

        Raises:
            LaunchError: when the platform did not accept it.
        """
        return self._launch(
            {PIPELINE_VARIABLE: pipeline} | ({FORCE_VARIABLE: "1"} if force else {})
        )

    def launch_task(self, task: Task, pipeline: str, subject: str) -> str:
        """Start an execution for a task; its full name. Raises `LaunchError`."""
        return self._launch({TASK_VARIABLES[task]: f"{pipeline}/{subject}"})

    def _launch(self, variables: Mapping[str, str]) -> str:
        environment = [{"name": name, "value": value} for name, value in variables.items()]
        overrides = {"containerOverrides": [{"env": environment}]}
        try:
            operation = self._request("POST", f"{self._job}:run", {"overrides": overrides})
            return str(operation["metadata"]["name"])
        except requests.HTTPError as error:
            raise LaunchError(f"start {self._job}: {google_error(error.response)}") from error
        except (requests.JSONDecodeError, KeyError, TypeError) as error:
            raise LaunchError(f"start {self._job}: the answer names no execution") from error
        except (requests.RequestException, GoogleAuthError) as error:
            raise LaunchError(f"start {self._job}: {error}") from error

    def has_ended(self, execution: str) -> bool:
        """Whether the platform knows that this execution is over.

        An execution that the platform does not know was deleted, and only those that have ended
        can be. False when the platform cannot be asked.

        Args:
            execution: the full name, or the short one that a container finds in its environment.
        """
        if not execution:
            return False
        name = execution if "/" in execution else f"{self._job}/executions/{execution}"
        try:
            return bool(self._request("GET", name).get("completionTime"))
        except requests.HTTPError as error:
            return error.response.status_code == HTTPStatus.NOT_FOUND
        except (requests.RequestException, GoogleAuthError):
            return False

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{self._endpoint}/v2/{path}"
        response = self._session.request(method, url, json=body, timeout=_TIMEOUT)
        response.raise_for_status()
        return response.json()

    @cached_property
    def _session(self) -> requests.Session:
        """Made when it is first needed: few events lead to a run."""
        if self._given_session is not None:
            return self._given_session
        endpoint = urlsplit(self._endpoint)
        if endpoint.scheme == "http" and endpoint.hostname in _LOOPBACK:
            session = requests.Session()
            session.trust_env = False  # no proxy stands before one's own machine
        else:
            credentials, _ = google.auth.default(scopes=_SCOPES)
            session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]  # google.auth has no types
        adapter = HTTPAdapter(max_retries=_RETRY)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session
