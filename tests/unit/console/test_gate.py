"""Who is let in, by what the settings say."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.auth import crypt, jwt

from perennial.adapters import iap
from perennial.adapters.iap import ISSUER, IapVerifier
from perennial.errors import PermissionDenied
from perennial.wiring.console import AUDIENCE, LOCAL, OPERATORS, gate
from tests.unit.http_server import Quiet, serving

SERVICE = "/projects/1/locations/europe-west1/services/perennial-console"


class Proxy:
    """Signs as the Identity-Aware Proxy does, and publishes its key."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.url = ""
        self.asked = 0

    def change_keys(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def keys(self) -> dict[str, str]:
        public = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return {"one": public.decode()}

    def assertion(self, **claims: object) -> str:
        now = int(datetime.datetime.now(datetime.UTC).timestamp())
        said = {
            "iss": ISSUER, "aud": SERVICE, "email": "ada@example.com",
            "iat": now - 5, "exp": now + 600,
        } | claims  # fmt: skip
        pem = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return jwt.encode(crypt.EsSigner.from_string(pem, "one"), said).decode()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    proxy = Proxy()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            proxy.asked += 1
            body = json.dumps(proxy.keys).encode()
            self.answer(200, {"content-type": "application/json"}, body)

    with serving(Handler) as url:
        proxy.url = f"{url}/keys"
        yield proxy


def test_the_proxys_word_is_taken(proxy):
    assert IapVerifier(SERVICE, proxy.url)(proxy.assertion()) == "ada@example.com"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "/projects/1/locations/x/services/another"},
        {"iss": "https://accounts.google.com"},
        {"exp": 1_600_000_000, "iat": 1_500_000_000},
        {"email": ""},
    ],
)
def test_another_ones_is_not(proxy, claims):
    with pytest.raises(PermissionDenied):
        IapVerifier(SERVICE, proxy.url)(proxy.assertion(**claims))


@pytest.mark.parametrize("assertion", ["", "a.b.c", "x"])
def test_nor_is_what_nobody_signed(proxy, assertion):
    with pytest.raises(PermissionDenied):
        IapVerifier(SERVICE, proxy.url)(assertion)


def test_another_key_proves_nothing(proxy):
    with pytest.raises(PermissionDenied):
        IapVerifier(SERVICE, proxy.url)(Proxy().assertion())


def test_its_keys_are_kept_and_fetched_anew_once_they_change(proxy, monkeypatch):
    verify = IapVerifier(SERVICE, proxy.url)
    for _ in range(3):
        verify(proxy.assertion())
    assert proxy.asked == 1
    proxy.change_keys()
    with pytest.raises(PermissionDenied):  # they were fetched a moment ago
        verify(proxy.assertion())
    assert proxy.asked == 1
    monkeypatch.setattr(iap, "_AGAIN", 0.0)
    assert verify(proxy.assertion()) == "ada@example.com"
    assert proxy.asked == 2


def test_keys_that_another_request_forgets_meanwhile_are_no_error():
    class Answer:
        status = 200

    class Forgetful(iap._KeptKeys):
        """Forgets between the question whether keys are kept and the answer."""

        @property
        def _at(self):
            self._kept = None
            return float("inf")

        @_at.setter
        def _at(self, value):
            pass

    keys = Forgetful(lambda *_, **__: Answer())
    keys._kept = kept = Answer()
    assert keys("https://keys.test") is kept


def test_keys_are_not_waited_for_as_long_as_the_library_would():
    asked = {}

    class Answer:
        status = 200

    iap._KeptKeys(lambda *_, **more: asked.update(more) or Answer())("https://keys.test")
    assert asked["timeout"] <= 10


def test_with_a_proxy_nobody_is_let_in_as_the_local_operator():
    found = gate({AUDIENCE: SERVICE, LOCAL: "ada", OPERATORS: " Ada@example.com, ,b@c.de"})
    assert found.local == ""
    assert found.operators == {"ada@example.com", "b@c.de"}
    assert found.verify is not None


def test_without_settings_nobody_is_known():
    with pytest.raises(PermissionDenied, match="PERENNIAL_CONSOLE_AUDIENCE"):
        gate({}).caller({}.get)
