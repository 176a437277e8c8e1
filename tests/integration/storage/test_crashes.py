"""Killed at any moment, the emulator comes back with every acknowledged write, whole."""

import io
import random
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from google.cloud import storage

from localdev.storage.database import FILE_NAME, connect
from localdev.storage.process import StorageServer

NewClient = Callable[..., storage.Client]
WRITERS = 4


class Writer:
    """Writes until the server is gone, and remembers what it was told of each write."""

    def __init__(self, bucket: storage.Bucket, name: str) -> None:
        self._bucket = bucket
        self._name = name
        self.acknowledged: dict[str, bytes] = {}
        self.unheard: dict[str, bytes] = {}
        self.generations: list[int] = []

    def run(self) -> None:
        for number in range(10_000):
            # New names, and one that is replaced over and over; small ones, and some in chunks.
            name = f"{self._name}/{number}" if number % 3 else f"{self._name}/hot"
            content = f"{name}-{number}.".encode() * (1 if number % 10 else 40_000)
            blob = self._bucket.blob(name, chunk_size=256 * 1024)
            # Without its size, the client uploads the content in chunks.
            size = None if number % 10 == 0 else len(content)
            try:
                blob.upload_from_file(io.BytesIO(content), size=size, retry=None, timeout=5)
            except Exception:  # noqa: BLE001 - however it learns that the server is gone
                self.unheard[name] = content
                return
            self.acknowledged[name] = content
            self.generations.append(blob.generation)


def run_until_killed(server: StorageServer, writers: list[Writer], writes: int) -> None:
    """Let everybody write, and kill the server once so many writes have been acknowledged."""
    with ThreadPoolExecutor(len(writers)) as pool:
        running = [pool.submit(writer.run) for writer in writers]
        while sum(len(writer.generations) for writer in writers) < writes:
            time.sleep(0.001)
        server.kill()
        for future in running:
            future.result(timeout=60)


def check_contents(bucket: storage.Bucket, writer: Writer) -> None:
    for name in writer.acknowledged.keys() | writer.unheard.keys():
        possible = [writer.acknowledged.get(name), writer.unheard.get(name)]
        blob = bucket.get_blob(name)
        content = blob.download_as_bytes() if blob else None
        if name in writer.acknowledged:
            assert content is not None
        assert content in possible


def check_no_rubbish(server: StorageServer) -> None:
    """As many blob files as rows, and nothing half received."""
    rows = connect(server.directory / FILE_NAME).execute("SELECT generation FROM objects")
    files = {int(path.name) for path in (server.directory / "blobs").glob("*/*")}
    assert files == {generation for (generation,) in rows}
    assert list((server.directory / "incoming").iterdir()) == []


@pytest.mark.parametrize("bucket_name", ["plain", "kept"])
def test_kill_in_the_middle_of_writing(
    own_server: StorageServer, new_client: NewClient, bucket_name: str
) -> None:
    rng = random.Random(1)
    generations: list[int] = []
    for crash in range(3):
        writers = [
            Writer(new_client(own_server).bucket(bucket_name), f"{crash}-{number}")
            for number in range(WRITERS)
        ]
        run_until_killed(own_server, writers, rng.randint(20, 120))
        own_server.start()

        bucket = new_client(own_server).bucket(bucket_name)
        for writer in writers:
            check_contents(bucket, writer)
            assert writer.generations == sorted(writer.generations)
        heard = [generation for writer in writers for generation in writer.generations]
        assert len(set(heard)) == len(heard)
        assert min(heard) > max(generations, default=0)
        marker = bucket.blob("marker")
        marker.upload_from_string(b"")
        assert marker.generation > max(heard)
        generations += [*heard, marker.generation]
        check_no_rubbish(own_server)


def test_bytes_without_a_row_are_swept_at_the_start(
    own_server: StorageServer, new_client: NewClient
) -> None:
    bucket = new_client(own_server).bucket("plain")
    bucket.blob("kept").upload_from_string(b"kept")
    begun = bucket.blob("begun").create_resumable_upload_session()
    own_server.kill()
    for folder, name in (("blobs/0", "256"), ("incoming", "half"), ("uploads", "unknown")):
        (own_server.directory / folder / name).write_bytes(b"rubbish")
    own_server.start()
    check_no_rubbish(own_server)
    assert list((own_server.directory / "uploads").iterdir()) == []
    assert bucket.blob("kept").download_as_bytes() == b"kept"
    assert begun


def test_generations_grow_even_if_the_clock_goes_back(
    tmp_path_factory: pytest.TempPathFactory, new_client: NewClient
) -> None:
    directory = tmp_path_factory.mktemp("clock")
    origin = time.time() - 1000
    ahead = ["--clock-scale=1000", f"--clock-origin={origin}"]
    with StorageServer(directory, buckets=["plain"], arguments=ahead) as server:
        blob = new_client(server).bucket("plain").blob("a")
        blob.upload_from_string(b"from the future")
        assert blob.time_created.timestamp() > time.time() + 900_000
    with StorageServer(directory) as server:
        bucket = new_client(server).bucket("plain")
        generations = [blob.generation]
        for _ in range(3):
            later = bucket.blob("a")
            later.upload_from_string(b"from now")
            generations.append(later.generation)
        assert later.time_created.timestamp() < time.time() + 60
    assert generations == sorted(set(generations))


def test_a_second_start_on_the_same_port_fails_and_says_why(
    own_server: StorageServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = StorageServer(tmp_path_factory.mktemp("other"), port=own_server.port)
    with pytest.raises(RuntimeError, match="in use"):
        other.start()


def test_a_directory_has_one_server(own_server: StorageServer) -> None:
    with pytest.raises(RuntimeError, match="another one at work"):
        StorageServer(own_server.directory).start()


def test_it_ends_with_who_started_it(tmp_path: Path) -> None:
    """A parent that is killed leaves no emulator behind."""
    program = (
        "import os, pathlib, signal, sys\n"
        "from localdev.storage.process import StorageServer\n"
        "server = StorageServer(pathlib.Path(sys.argv[1])).start()\n"
        "print(server.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "state")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    emulator = psutil.Process(int(ended.stdout))
    emulator.wait(timeout=10)


def test_nothing_is_written_outside_its_directory(
    own_server: StorageServer, new_client: NewClient
) -> None:
    bucket = new_client(own_server).bucket("plain")
    bucket.blob("../../escape").upload_from_string(b"")
    bucket.blob("/etc/escape").upload_from_string(b"")
    top = {path.name for path in own_server.directory.iterdir()}
    own = {"blobs", "incoming", "uploads", "storage.log", "lock", "lock-journal"}
    assert top <= own | {FILE_NAME + suffix for suffix in ("", "-wal", "-shm")}
    assert list(own_server.directory.parent.rglob("*escape*")) == []
