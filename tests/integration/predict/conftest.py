from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localdev.settings import BUCKETS, Addresses, config
from localdev.storage.process import StorageServer
from perennial.adapters.cloud_storage import CloudStorageStore, connect
from perennial.ports import ObjectStore
from tests.bench.hosting import FunctionProcess, predict_process

Answer = tuple[int, dict[str, str], Any]


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[StorageServer]:
    """A storage emulator of this test's own, with a models bucket."""
    with StorageServer(tmp_path / "storage", buckets=[BUCKETS["models"]]) as server:
        yield server


@pytest.fixture
def models(emulator: StorageServer) -> ObjectStore:
    """The models bucket, through Google's client."""
    client = connect(config(Addresses(storage=emulator.url, run="")))
    return CloudStorageStore(client, BUCKETS["models"])


@pytest.fixture
def function(emulator: StorageServer, tmp_path: Path) -> Iterator[FunctionProcess]:
    """`predict`, from its bundle, in its own environment; its imports are in its log."""
    with predict_process(tmp_path, emulator.url, options=["-X", "importtime"]) as process:
        yield process


class Caller:
    """One kept-alive connection to the function."""

    def __init__(self, function: FunctionProcess) -> None:
        self._connection = function.connect()

    def __call__(self, method: str, path: str, body: bytes | None = None) -> Answer:
        self._connection.request(method, path, body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, json.loads(response.read())

    def predict(self, *instances: object, query: str = "") -> Answer:
        body = json.dumps({"instances": instances}).encode()
        return self("POST", f"/v1/models/shop:predict{query}", body)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def call(function: FunctionProcess) -> Iterator[Caller]:
    caller = Caller(function)
    yield caller
    caller.close()
