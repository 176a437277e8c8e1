"""Asks the predict function, as another service does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests

from perennial.adapters.identity_token import Bearer, identity_tokens
from perennial.adapters.kept_token import KeptToken
from perennial.errors import PerennialError

_TIMEOUT = (5.0, 60.0)


class PredictClient:
    """One deployment's predict function.

    Args:
        url: its base URL.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._token = KeptToken(lambda: next(identity_tokens(self.url)).value)

    def address(self, pipeline: str) -> str:
        """Where a pipeline's champion is asked."""
        return f"{self.url}/v1/models/{quote(pipeline, safe='')}:predict"

    def ask(self, pipeline: str, instance: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """One instance; the status and the document of the answer, which may be a problem.

        Raises:
            PerennialError: when no answer came, or none that is JSON.
        """
        token = self._token.get() if self.url.startswith("https:") else ""
        body = json.dumps({"instances": [instance]})
        try:
            answer = self._session.post(
                self.address(pipeline),
                data=body.encode(),
                headers={"Content-Type": "application/json"},
                auth=Bearer(token),
                timeout=_TIMEOUT,
            )
            document: dict[str, Any] = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise PerennialError(f"predict gave no answer at {self.url}: {error}") from error
        return answer.status_code, document
