"""The stores that the behaviour suite runs over."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from google.cloud.storage import Client

from localdev.storage.process import StorageServer
from perennial.adapters import storage_reader
from perennial.adapters.cloud_storage import CloudStorageStore, connect
from perennial.adapters.memory import MemoryStore
from perennial.config import Config
from perennial.ports import ObjectStore

PLAIN = os.environ.get("PERENNIAL_TEST_BUCKET", "")
VERSIONED = os.environ.get("PERENNIAL_TEST_VERSIONED_BUCKET", "")
KINDS = ["memory", "emulator", "reader", *(["google"] if PLAIN and VERSIONED else [])]


class Beside(CloudStorageStore):
    """A bucket that Google's client writes, and `predict`'s reader reads."""

    def __init__(self, client: Client, connection: storage_reader.Connection, bucket: str) -> None:
        super().__init__(client, bucket)
        reader = storage_reader.CloudStorageReader(connection, bucket)
        self.stat, self.read = reader.stat, reader.read
        self.download, self.list = reader.download, reader.list


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageServer]:
    """The emulator, as a process of its own."""
    directory = tmp_path_factory.mktemp("storage")
    with StorageServer(directory, buckets=["plain", "kept:versioned"]) as server:
        yield server


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest) -> tuple[ObjectStore, ObjectStore]:
    """Two buckets of one kind: one forgets what is replaced, the other keeps versions."""
    if request.param == "memory":
        return MemoryStore("plain"), MemoryStore("kept", versioned=True)
    if request.param == "google":
        client = connect(Config("", "", "", ""))
        return CloudStorageStore(client, PLAIN), CloudStorageStore(client, VERSIONED)
    url = request.getfixturevalue("server").url
    config = Config("", "", "", "", storage_endpoint=url)
    client = connect(config)
    if request.param == "reader":
        connection = storage_reader.connect(config, {})
        return Beside(client, connection, "plain"), Beside(client, connection, "kept")
    return CloudStorageStore(client, "plain"), CloudStorageStore(client, "kept")


@pytest.fixture
def store(stores: tuple[ObjectStore, ObjectStore]) -> ObjectStore:
    """A bucket without versions."""
    return stores[0]


@pytest.fixture
def versioned(stores: tuple[ObjectStore, ObjectStore]) -> ObjectStore:
    """A bucket with versions."""
    return stores[1]


@pytest.fixture
def room() -> str:
    """A prefix of the test's own."""
    return f"{uuid.uuid4().hex}/"
