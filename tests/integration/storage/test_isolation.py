"""Clients that are idle, slow or rude do not hold up the others, nor fill the memory."""

import contextlib
import io
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from google.cloud import storage

from localdev.storage.process import StorageServer

MIB = 1 << 20


@pytest.fixture
def raw_connection(server: StorageServer) -> Iterator[Callable[[bytes], socket.socket]]:
    """Opens connections on which nothing but these bytes is ever sent."""
    with contextlib.ExitStack() as stack:

        def connect(data: bytes) -> socket.socket:
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            stack.enter_context(connection)
            connection.sendall(data)
            return connection

        yield connect


def upload_head(bucket: storage.Bucket, length: int) -> bytes:
    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=never"
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()


def test_many_idle_and_slow_clients_block_nobody(
    raw_connection: Callable[[bytes], socket.socket], bucket: storage.Bucket
) -> None:
    bucket.blob("large").upload_from_string(b"x" * 16 * MIB)
    path = f"/storage/v1/b/{bucket.name}/o/large?alt=media"
    for _ in range(20):
        raw_connection(b"")  # says nothing
        raw_connection(b"GET /storage/v1/b HTTP/1.1\r\nHo")  # stops in the headers
        raw_connection(upload_head(bucket, MIB) + b"half")  # stops in the body
        raw_connection(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())  # reads nothing

    for number in range(20):
        blob = bucket.blob(f"{number}")
        blob.upload_from_string(b"content", timeout=5)
        assert blob.download_as_bytes(timeout=5) == b"content"
    assert len(list(bucket.list_blobs(timeout=5))) == 21
    assert bucket.blob("large").download_as_bytes(timeout=10) == b"x" * 16 * MIB


def test_an_upload_that_its_sender_abandons_leaves_nothing(
    server: StorageServer,
    raw_connection: Callable[[bytes], socket.socket],
    bucket: storage.Bucket,
) -> None:
    connection = raw_connection(upload_head(bucket, 4 * MIB) + b"x" * 3 * MIB)
    connection.close()
    bucket.blob("after").upload_from_string(b"")
    assert [blob.name for blob in bucket.list_blobs()] == ["after"]


@pytest.mark.parametrize(
    "request_line", ["GET /nowhere", "POST /storage/v1", "PUT /storage/v1/b/x", "GET /", "GET /%ff"]
)
def test_an_unknown_path_is_not_found(
    raw_connection: Callable[[bytes], socket.socket], request_line: str
) -> None:
    connection = raw_connection(f"{request_line} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert connection.recv(100).split(b" ")[1] in (b"400", b"404")


def test_health_says_ready(server: StorageServer) -> None:
    answer = requests.get(f"{server.url}/_emulator/health", timeout=5)
    assert answer.status_code == requests.codes.ok


class Zeros(io.RawIOBase):
    """So many zeros, without their memory."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        left = self._size - self._position
        count = left if size < 0 else min(size, left)
        self._position += count
        return bytes(count)


def peak_memory(server: StorageServer) -> int:
    """The most memory that the server ever had resident, in bytes."""
    status = Path(f"/proc/{server.pid}/status")
    if not status.exists():
        pytest.skip("peak memory is read from /proc, which this system does not have")
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("chunk_size", [None, 16 * MIB])
def test_a_large_object_passes_through_in_bounded_memory(
    own_server: StorageServer, new_client: Callable[..., storage.Client], chunk_size: int | None
) -> None:
    size = 256 * MIB
    bucket = new_client(own_server).bucket("plain")
    blob = bucket.blob("large", chunk_size=chunk_size)
    blob.upload_from_file(Zeros(size), size=size, checksum=None)
    assert bucket.get_blob("large").size == size
    answer = requests.get(blob.media_link, stream=True, timeout=30)
    assert sum(len(block) for block in answer.iter_content(MIB)) == size
    bucket.blob("twice").compose([bucket.blob("large")])
    assert peak_memory(own_server) < 150 * MIB
