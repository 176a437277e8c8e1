"""The predict function, as the command line speaks to it: who asks, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import quote

import requests

from perennial.adapters.identity_token import Bearer, IdentityToken, identity_tokens
from perennial.cli.context import Deployment
from perennial.cli.instances import Instances
from perennial.config import variable
from perennial.domain.checking.served import Answered, Served
from perennial.domain.descriptor import Descriptor
from perennial.errors import ConfigError, PerennialError, UserError

BATCH = 1000
"""Instances in one request."""

ROLE = "roles/run.invoker"
"""What an account needs on the predict service to call it."""

_TIMEOUT = 60.0
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class Predictor:
    """One pipeline's models, over HTTP.

    A token is sent over https only, so never to a local cloud, and not before it is asked for where
    the deployment says that everybody may call, or says nothing.

    Args:
        url: base URL of the predict function.
        name: the pipeline.
        tokens: with which one may call, the likeliest first.
        caller: e-mail of the account that the deployment lets call; empty if it is not known.
        restricted: whether no call without a token is worth trying.
    """

    def __init__(
        self,
        url: str,
        name: str,
        tokens: Iterator[IdentityToken],
        *,
        caller: str = "",
        restricted: bool = False,
    ) -> None:
        self._url = url.rstrip("/")
        self._name = name
        self._model = f"/v1/models/{quote(name, safe='')}"
        self._tokens = tokens
        self._caller = caller
        self._session = requests.Session()
        self._identity = next(tokens, None) if restricted else None

    @classmethod
    def find(cls, deployment: Deployment, name: str, impersonate: str = "") -> Self:
        """The predict function of a deployment, asked as the account that may.

        Args:
            deployment: where.
            name: the pipeline.
            impersonate: e-mail of the account to act as; else the deployment's own is tried.

        Raises:
            ConfigError: when its URL is not known, or nobody to ask as.
        """
        url = deployment.config.predict_url
        descriptor = None if url and not _is_safe(url) else _described(deployment, url)
        url = url or (descriptor.predict if descriptor else "")
        if not _is_safe(url):
            return cls(url, name, iter(()))
        caller = descriptor.caller if descriptor else ""
        tokens = identity_tokens(url.rstrip("/"), caller=caller, impersonate=impersonate)
        restricted = bool(impersonate or (descriptor and not descriptor.predict_public))
        return cls(url, name, tokens, caller=caller, restricted=restricted)

    def ask(self, instances: Instances, start: int, version: str | None) -> dict[str, Any]:
        """The answer about the batch that begins with instance `start`.

        Raises:
            UserError: when an instance is wrong, or there is no such pipeline or version.
            PerennialError: when there is no answer.
        """
        part = instances.values[start : start + BATCH]
        response = self._send("POST", f"{self._model}:predict", version, {"instances": part})
        if response.ok:
            return _document(response)
        problem = _document(response)
        if problem.get("errors"):
            raise UserError(_bad_value(problem, instances, start))
        raise UserError(self._said(response.status_code, problem))

    def inputs(self, version: str) -> list[str]:
        """Names of the columns that a version reads."""
        response = self._send("GET", self._model, version)
        return [one["name"] for one in _document(response).get("inputs", ())]

    def served(self) -> Served:
        """What the function serves now, and how long ago it looked for that.

        Raises:
            ConfigError: when nobody who could be asked as may call.
            PerennialError: when it does not answer, or not about this pipeline.
        """
        model = self._successful(self._send("GET", self._model, None))
        return Served(
            version=model.get("version"),
            digest=model.get("digest"),
            looked_up=self._looked_up(),
            error=model.get("error") or "",
        )

    def _looked_up(self) -> float | None:
        """Seconds since the function asked the registry; None where it does not say."""
        try:
            service = self._successful(self._send("GET", "/", None))
        except PerennialError:  # perhaps for another pipeline's sake: no fault of this one
            return None
        for one in service.get("pipelines", ()):
            if one["name"] == self._name:
                seconds: float | None = one.get("looked_up_seconds_ago")
                return seconds
        return None

    def answered(self, instances: Sequence[Mapping[str, object]]) -> Answered:
        """The answer to one request, and which model gave it. Raises as `served`."""
        response = self._send("POST", f"{self._model}:predict", None, {"instances": [*instances]})
        document = self._successful(response)
        return Answered(response.headers.get("X-Model-Version"), document.get("predictions", ()))

    def _successful(self, response: requests.Response) -> dict[str, Any]:
        document = _document(response)
        if not response.ok:
            said = self._said(response.status_code, document)
            raise PerennialError(f"{response.url} answers {response.status_code}: {said}")
        return document

    def _send(
        self, method: str, path: str, version: str | None, body: dict[str, Any] | None = None
    ) -> requests.Response:
        url = f"{self._url}{path}"
        query = {"version": version} if version else {}
        while True:
            try:
                response = self._session.request(
                    method,
                    url,
                    params=query,
                    json=body,
                    auth=Bearer(self._identity.value) if self._identity else None,
                    timeout=_TIMEOUT,
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                raise PerennialError(
                    f"the predict function does not answer at {url}: {error}"
                ) from None
            if response.status_code not in _REFUSED:
                return response
            self._identity = self._another(response)

    def _another(self, response: requests.Response) -> IdentityToken:
        """Somebody else to ask as, once the function's platform refused."""
        refusal = self._refusal(response)
        try:
            token = next(self._tokens, None)
        except ConfigError as error:
            raise ConfigError(f"{refusal}; {error}") from error
        if token is None:
            raise ConfigError(refusal)
        return token

    def _refusal(self, response: requests.Response) -> str:
        said = f"{response.status_code} {response.reason}"
        if self._identity is None:
            why = "" if _is_safe(self._url) else ", which is sent over https only"
            return f"{self._url} refuses a call without an identity token ({said}){why}"
        account = self._identity.account
        advice = f"that account needs {ROLE} on the predict service"
        if account == self._caller:
            advice += ", which `make deploy` gives it"
        elif self._caller:
            advice += f"; {self._caller} has it, and --impersonate acts as that account"
        return f"{self._url} refuses {account} ({said}): {advice}"

    def _said(self, status: int, problem: dict[str, Any]) -> str:
        said = str(problem.get("detail") or problem.get("title") or problem)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            said += f"; `perennial status {self._name}` says more"
        return said


def _is_safe(url: str) -> bool:
    """Whether a token may be sent there."""
    return url.lower().startswith("https://")


def _described(deployment: Deployment, url: str) -> Descriptor | None:
    """What the deployment says of itself; None where that is not known and can be done without."""
    try:
        return deployment.descriptor
    except PerennialError as error:
        if url:
            return None
        raise ConfigError(
            f"the predict function's URL is not known: {error}; or set {variable('predict_url')}"
        ) from error


def _document(response: requests.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except requests.JSONDecodeError:
        document = None
    if isinstance(document, dict):
        return document
    raise PerennialError(f"{response.url} answers {response.status_code} {response.reason}")


def _bad_value(problem: dict[str, Any], instances: Instances, start: int) -> str:
    """The first value that cannot be read, where people find it, and how many more there are."""
    first = problem["errors"][0]
    field = f", field {first['field']}" if first["field"] else ""
    said = instances.place(start + first["instance"])
    said += f"{field}: expected {first['expected']}, found {first['found']}"
    if (more := problem.get("error_count", 1) - 1) > 0:
        said += f", and {more} more such values" if more > 1 else ", and 1 more such value"
    if ignored := problem.get("ignored"):
        said += f"; ignored: {', '.join(ignored)}"
    return said
