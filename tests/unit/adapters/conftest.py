"""A Cloud Storage client whose answers a test writes, at the seam of the SDK."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from unittest.mock import Mock

import google_crc32c
import pytest
import requests
from google.cloud.storage import Client
from google.cloud.storage.retry import DEFAULT_RETRY
from pytest_mock import MockerFixture
from urllib3 import HTTPResponse

from perennial.adapters import cloud_storage
from perennial.adapters.cloud_storage import CloudStorageStore, connect
from perennial.config import Config

Answer = requests.Response | Exception


@pytest.fixture
def client() -> Client:
    return connect(Config("", "", "", "", storage_endpoint="http://storage.test"))


@pytest.fixture
def store(client: Client) -> CloudStorageStore:
    return CloudStorageStore(client, "garden")


@pytest.fixture
def answers(client: Client, mocker: MockerFixture) -> Callable[..., Mock]:
    """Gives the next requests these answers, in order; returns the mock that records them."""

    def answers(*given: Answer) -> Mock:
        return mocker.patch.object(client._http, "request", side_effect=given)

    return answers


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once."""
    hasty = DEFAULT_RETRY.with_delay(initial=0.001, maximum=0.001).with_timeout(5.0)
    monkeypatch.setattr(cloud_storage, "RETRY", hasty)


def refusal(status: int, message: str = "because") -> requests.Response:
    """An answer of the JSON API that refuses."""
    return _answer(status, json.dumps({"error": {"code": status, "message": message}}).encode())


def resource(name: str, generation: int = 7) -> requests.Response:
    """An answer of the JSON API that describes an object."""
    document = {
        "name": name,
        "generation": str(generation),
        "size": "0",
        "timeCreated": "2026-02-14T08:00:00.000Z",
    }
    return _answer(200, json.dumps(document).encode())


def media(data: bytes, *, announced: bytes | None = None) -> requests.Response:
    """An answer with an object's bytes, and with the checksum of what is `announced`."""
    checksum = google_crc32c.Checksum(data if announced is None else announced).digest()
    response = _answer(200, data)
    response.headers["x-goog-generation"] = "1771056000000007"
    response.headers["x-goog-hash"] = f"crc32c={base64.b64encode(checksum).decode()}"
    return response


def _answer(status: int, body: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers["content-type"] = "application/json"
    response.raw = HTTPResponse(io.BytesIO(body), preload_content=False)
    response.url = "http://storage.test/"
    response.request = requests.Request("GET", response.url).prepare()
    return response
