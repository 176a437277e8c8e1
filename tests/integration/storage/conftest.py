"""A real emulator process, and real clients for it."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY

from localdev.storage.faults import HEADER
from localdev.storage.process import StorageServer

NewClient = Callable[..., storage.Client]


class Faults:
    """Orders faults for the requests of one client only."""

    def __init__(self, url: str) -> None:
        self.id = uuid4().hex
        self._url = f"{url}/_emulator/faults"

    def order(self, *faults: dict[str, Any], **match: str) -> None:
        plan = {"id": self.id, "match": match, "faults": list(faults)}
        requests.post(self._url, json=plan, timeout=10).raise_for_status()

    def left(self) -> list[dict[str, Any]]:
        plans = requests.get(self._url, timeout=10).json()["faults"]
        return [fault for plan in plans if plan["id"] == self.id for fault in plan["faults"]]


@pytest.fixture(scope="session")
def server() -> Iterator[StorageServer]:
    """The emulator that the tests of one worker share; each has its own buckets."""
    with TemporaryDirectory() as directory, StorageServer(Path(directory)) as server:
        yield server


@pytest.fixture
def own_server() -> Iterator[StorageServer]:
    """An emulator that one test may kill; what it stored is gone afterwards."""
    with TemporaryDirectory() as parent:
        directory = Path(parent) / "state"
        with StorageServer(directory, buckets=["plain", "kept:versioned"]) as server:
            yield server


@pytest.fixture
def new_client() -> Iterator[NewClient]:
    """Makes clients: ``new_client(server)``, or with a ``fault_id`` that its requests carry."""
    clients = []

    def make(server: StorageServer, fault_id: str | None = None) -> storage.Client:
        client = storage.Client(
            project="test",
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": server.url},
            extra_headers={HEADER: fault_id} if fault_id else {},
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(server: StorageServer, new_client: NewClient) -> storage.Client:
    return new_client(server)


@pytest.fixture
def bucket(client: storage.Client) -> storage.Bucket:
    """A fresh bucket, not versioned."""
    return client.create_bucket(f"plain-{uuid4().hex}")


@pytest.fixture
def versioned(client: storage.Client) -> storage.Bucket:
    """A fresh bucket that keeps noncurrent generations."""
    bucket = client.bucket(f"versioned-{uuid4().hex}")
    bucket.versioning_enabled = True
    return client.create_bucket(bucket)


@pytest.fixture
def faults(server: StorageServer) -> Faults:
    return Faults(server.url)


@pytest.fixture
def unlucky(
    server: StorageServer, new_client: NewClient, faults: Faults, bucket: storage.Bucket
) -> storage.Bucket:
    """The same bucket through a client whose requests suffer what ``faults`` orders."""
    return new_client(server, faults.id).bucket(bucket.name)


@pytest.fixture
def upload_in_chunks() -> Callable[..., storage.Blob]:
    """Uploads by a resumable session; the client does so if it is not told the size."""

    def upload(blob: storage.Blob, content: bytes, **options: Any) -> storage.Blob:
        blob.chunk_size = 256 * 1024
        blob.upload_from_file(io.BytesIO(content), **options)
        return blob

    return upload


@pytest.fixture
def retry() -> Any:
    """The client's own retry, hurried up."""
    return DEFAULT_RETRY.with_delay(initial=0.02, maximum=0.1).with_timeout(20)
