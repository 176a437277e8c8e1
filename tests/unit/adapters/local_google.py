"""Google's token endpoints on this machine: OAuth, IAM Credentials and the metadata server."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.unit.http_server import Quiet, serving

MACHINE = "machine@garden-1.iam.gserviceaccount.com"
GENERATE = ":generateIdToken"


@dataclass
class LocalGoogle:
    """What it answers, and what it was asked.

    Attributes:
        url: where it listens.
        refusal: what IAM Credentials answers instead of a token: status and error.
        revoked: whether the token endpoint refuses everybody.
        accounts: whose tokens IAM Credentials made, and for whom.
    """

    url: str = ""
    refusal: tuple[int, dict[str, Any]] | None = None
    revoked: bool = False
    accounts: list[tuple[str, str]] = field(default_factory=list)


def identity(account: str, audience: str) -> str:
    """A token of the right shape, signed by nobody."""
    claims = {"aud": audience, "email": account, "exp": 4102444800, "iat": 0}
    return ".".join(_part(part) for part in ({"alg": "RS256", "typ": "JWT"}, claims, {}))


def claims(token: str) -> dict[str, Any]:
    """What a token says."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def _part(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def key_file(path: Path, account: str, google: LocalGoogle) -> Path:
    """A service account's key, whose token endpoint is the local one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    document = {
        "type": "service_account",
        "project_id": "garden-1",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": account,
        "client_id": "1",
        "token_uri": f"{google.url}/token",
    }
    path.write_text(json.dumps(document))
    return path


@contextmanager
def local_google() -> Iterator[LocalGoogle]:
    """Run it."""
    google = LocalGoogle()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(*_metadata(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/token":
                self._answer(*_token(google, parse_qs(body.decode())))
            else:
                bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
                self._answer(*_generated(google, self.path, bearer, json.loads(body)))

        def _answer(self, status: int, document: object) -> None:
            text = document if isinstance(document, str) else json.dumps(document)
            kind = "application/text" if isinstance(document, str) else "application/json"
            self.answer(status, {"metadata-flavor": "Google", "content-type": kind}, text.encode())

    with serving(Handler) as google.url:
        yield google


def _token(google: LocalGoogle, asked: dict[str, list[str]]) -> tuple[int, object]:
    if google.revoked:
        return 400, {"error": "invalid_grant", "error_description": "Token has been revoked."}
    if "assertion" in asked:
        said = claims(asked["assertion"][0])
        if "target_audience" in said:
            return 200, {"id_token": identity(said["iss"], said["target_audience"])}
        return 200, {"access_token": f"access of {said['iss']}", "expires_in": 3600}
    return 200, {"access_token": f"access of {asked['refresh_token'][0]}", "expires_in": 3600}


def _generated(
    google: LocalGoogle, path: str, bearer: str, asked: dict[str, Any]
) -> tuple[int, object]:
    if google.refusal is not None:
        status, error = google.refusal
        return status, {"error": error}
    account = unquote(path).rpartition("/")[2].removesuffix(GENERATE)
    google.accounts.append((account, bearer.removeprefix("access of ")))
    return 200, {"token": identity(account, asked["audience"])}


def _metadata(path: str) -> tuple[int, object]:
    place = urlsplit(path)
    base = "/computeMetadata/v1/"
    answers: dict[str, object] = {
        "/": "computeMetadata/\n",
        f"{base}project/project-id": "garden-1",
        f"{base}universe/universe-domain": "googleapis.com",
        f"{base}instance/service-accounts/default/": {
            "email": MACHINE,
            "scopes": [],
            "aliases": [],
        },
        f"{base}instance/service-accounts/{MACHINE}/token": {
            "access_token": f"access of {MACHINE}",
            "expires_in": 3600,
        },
    }
    answers[f"{base}instance/service-accounts/default/token"] = answers[
        f"{base}instance/service-accounts/{MACHINE}/token"
    ]
    if place.path == f"{base}instance/service-accounts/default/identity":
        return 200, identity(MACHINE, parse_qs(place.query)["audience"][0])
    return (200, answers[place.path]) if place.path in answers else (404, "not here")
