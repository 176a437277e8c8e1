"""Speed of the storage emulator, through the real client: ``python -m tests.bench.storage``."""

import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from localdev.storage.process import StorageServer

MIB = 1 << 20
OBJECTS = 10_000
LARGE = 500 * 10**6
SMALL = b'{"format": 1, "decision": "accepted", "rows": 168}'


class Zeros(io.RawIOBase):
    """So many zeros, without their memory."""

    def __init__(self, size: int) -> None:
        self._left = size

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return LARGE - self._left

    def read(self, size: int = -1) -> bytes:
        count = self._left if size < 0 else min(size, self._left)
        self._left -= count
        return bytes(count)


class Sink(io.RawIOBase):
    """Takes bytes and forgets them."""

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # only ever given bytes
        return len(data)


@contextmanager
def timed() -> Iterator[list[float]]:
    """Gives a list that holds the seconds that passed, once they have."""
    seconds: list[float] = []
    began = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - began)


def small_uploads(bucket: storage.Bucket, threads: int, count: int) -> float:
    """Create-only uploads a second, from one client in so many threads."""

    def upload(number: int) -> None:
        name = f"{threads}/verdicts/{number:08d}.json"
        bucket.blob(name).upload_from_string(SMALL, if_generation_match=0)

    with ThreadPoolExecutor(threads) as pool, timed() as seconds:
        list(pool.map(upload, range(count)))
    return count / seconds[0]


def listing(bucket: storage.Bucket) -> float:
    """Seconds to list every object, a thousand to a page; the best of three."""
    results = []
    for _ in range(3):
        with timed() as seconds:
            assert sum(1 for _ in bucket.list_blobs()) == OBJECTS
        results += seconds
    return min(results)


def peak_memory(server: StorageServer) -> str:
    """The most memory that the server ever had resident."""
    status = Path(f"/proc/{server.pid}/status")
    if not status.exists():
        return "unknown here"
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return f"{int(line.split()[1]) / 1024:.0f} MiB"


def main() -> None:
    """Print the figures."""
    with (
        TemporaryDirectory() as directory,
        StorageServer(Path(directory), buckets=["small", "large"], notify=["small"]) as server,
    ):
        client = storage.Client(
            project="bench",
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": server.url},
        )
        small, large = client.bucket("small"), client.bucket("large")
        for threads, count in ((1, 2_000), (4, 3_000), (8, OBJECTS - 5_000)):
            rate = small_uploads(small, threads, count)
            print(f"small uploads, one client, {threads} threads: {rate:.0f} a second")
        print(f"{OBJECTS} objects listed: {listing(small):.3f} s")
        with timed() as seconds:
            large.blob("large").upload_from_file(Zeros(LARGE), size=LARGE)
        print(f"500 MB upload: {seconds[0]:.2f} s; server's peak memory {peak_memory(server)}")
        with timed() as seconds:
            large.blob("large").download_to_file(Sink())
        print(f"500 MB download: {seconds[0]:.2f} s; server's peak memory {peak_memory(server)}")


if __name__ == "__main__":
    main()
