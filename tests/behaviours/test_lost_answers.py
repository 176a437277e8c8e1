"""What happens when a request or its answer is lost on the way, against the emulator's faults."""

from __future__ import annotations

import io
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest
import requests
from google.cloud.storage.retry import DEFAULT_RETRY

from localdev.storage.process import StorageServer
from perennial.adapters import cloud_storage
from perennial.adapters.cloud_storage import CloudStorageStore, connect
from perennial.adapters.memory import MemoryStore
from perennial.config import Config
from perennial.errors import (
    ObjectNotFound,
    PermissionDenied,
    PreconditionFailed,
    StoreUnavailable,
)
from perennial.workflows.writing import create_once

Order = Callable[..., None]


@pytest.fixture
def faulty(server: StorageServer, room: str) -> CloudStorageStore:
    """A bucket whose requests can be told to fail."""
    client = connect(Config("", "", "", "", storage_endpoint=server.url))
    client._http.headers["x-emulator-fault-id"] = room
    return CloudStorageStore(client, "plain")


@pytest.fixture
def order(server: StorageServer, room: str) -> Order:
    """Orders faults for the next requests of one kind."""

    def order(operation: str, *faults: dict[str, Any]) -> None:
        plan = {"id": room, "match": {"operation": operation}, "faults": faults}
        requests.post(f"{server.url}/_emulator/faults", json=plan, timeout=5).raise_for_status()

    return order


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request is tried twice."""
    monkeypatch.setattr(cloud_storage, "RETRY", DEFAULT_RETRY.with_timeout(0))


DROP = {"do": "commit_then_drop"}


class TestRetries:
    def test_a_passing_fault_goes_unnoticed(
        self, faulty: CloudStorageStore, room: str, order: Order
    ) -> None:
        for operation in ("insert", "get", "download", "list", "rewrite", "delete"):
            order(operation, {"do": "status", "status": 503}, {"do": "status", "status": 429})

        info = faulty.create(room + "a", b"petals")
        assert faulty.stat(room + "a") == info
        assert faulty.read(room + "a").data == b"petals"
        assert list(faulty.list(room)) == [info]
        faulty.copy_from(faulty, room + "a", room + "b", generation=info.generation)
        faulty.delete(room + "a")
        assert [i.name for i in faulty.list(room)] == [room + "b"]

    @pytest.mark.usefixtures("_impatient")
    def test_without_any_answer_the_store_is_unavailable(
        self, faulty: CloudStorageStore, room: str, order: Order
    ) -> None:
        order("insert", DROP, {"do": "status", "status": 503})
        order("download", {"do": "status", "status": 500})

        with pytest.raises(StoreUnavailable) as caught:
            faulty.create(room + "a", b"landed")
        assert (caught.value.bucket, caught.value.name) == ("plain", room + "a")
        with pytest.raises(StoreUnavailable, match="503 This fault was ordered"):
            faulty.create(room + "b", b"did not land")
        with pytest.raises(StoreUnavailable):
            faulty.read(room + "a")
        assert [i.name for i in faulty.list(room)] == [room + "a"]

    def test_a_broken_download_begins_anew_and_is_whole(
        self, faulty: CloudStorageStore, room: str, order: Order
    ) -> None:
        content = random.Random(1).randbytes(300_000)
        faulty.create(room + "a", content)
        order("download", *({"do": "cut", "after_bytes": n} for n in (0, 100_000, 299_999)))
        assert faulty.read(room + "a").data == content

        order("download", {"do": "cut", "after_bytes": 200_000})
        file = io.BytesIO(b"before,")
        file.seek(0, io.SEEK_END)
        assert faulty.download(room + "a", file).size == len(content)
        assert file.getvalue() == b"before," + content

    @pytest.mark.usefixtures("_impatient")
    def test_a_server_that_is_gone_is_unavailable(self, tmp_path: Path) -> None:
        with StorageServer(tmp_path, buckets=["plain"]) as server:
            client = connect(Config("", "", "", "", storage_endpoint=server.url))
            store = CloudStorageStore(client, "plain")
            store.create("a", b"petals")
            server.kill()
            with pytest.raises(StoreUnavailable):
                store.read("a")
            with pytest.raises(StoreUnavailable):
                store.create("b", b"")
            with pytest.raises(StoreUnavailable):
                list(store.list())
            server.restart()
            assert store.read("a").data == b"petals"


class TestWritesThatLandedWithoutAnAnswer:
    def test_a_retried_create_meets_its_own_success(
        self, faulty: CloudStorageStore, room: str, order: Order
    ) -> None:
        order("insert", DROP)

        with pytest.raises(PreconditionFailed):
            faulty.create(room + "a", b"mine")
        assert faulty.read(room + "a").data == b"mine"

    def test_a_retried_swap_meets_its_own_success(
        self, faulty: CloudStorageStore, room: str, order: Order
    ) -> None:
        generation = faulty.create(room + "head", b"one").generation
        order("insert", DROP)

        with pytest.raises(PreconditionFailed):
            faulty.replace(room + "head", b"two", generation=generation)
        assert faulty.read(room + "head").data == b"two"

    def test_a_retried_overwrite_writes_the_same_again(
        self, faulty: CloudStorageStore, room: str, order: Order
    ) -> None:
        order("insert", DROP)

        info = faulty.overwrite(room + "a", b"beat")
        assert faulty.stat(room + "a") == info
        assert faulty.read(room + "a").data == b"beat"

    def test_a_retried_copy_meets_its_own_success(
        self, faulty: CloudStorageStore, room: str, order: Order
    ) -> None:
        generation = faulty.create(room + "a", b"petals").generation
        order("rewrite", DROP)

        with pytest.raises(PreconditionFailed):
            faulty.copy_from(faulty, room + "a", room + "b", generation=generation)
        assert faulty.read(room + "b").data == b"petals"

    def test_a_retried_delete_finds_nothing_left(
        self, faulty: CloudStorageStore, room: str, order: Order
    ) -> None:
        faulty.create(room + "a", b"")
        order("delete", DROP)

        with pytest.raises(ObjectNotFound):
            faulty.delete(room + "a")

    def test_the_last_part_of_a_big_file_is_sent_again(
        self, faulty: CloudStorageStore, room: str, order: Order
    ) -> None:
        content = random.Random(2).randbytes(9 * 1024 * 1024)
        order("resume", DROP)

        info = faulty.create(room + "big", content)
        assert info == faulty.stat(room + "big")
        assert faulty.read(room + "big").data == content


class TestCreateOnce:
    def test_the_412_after_a_lost_answer_is_ones_own_success(
        self, faulty: CloudStorageStore, room: str, order: Order
    ) -> None:
        order("insert", DROP)

        written = create_once(faulty, room + "a", b"mine", metadata={"k": "v"})

        assert written.mine
        assert written.data == b"mine"
        assert written.info.generation == faulty.stat(room + "a").generation
        assert faulty.stat(room + "a").metadata == {"k": "v"}

    @pytest.mark.usefixtures("_impatient")
    def test_an_unknown_outcome_is_found_out(
        self, faulty: CloudStorageStore, room: str, order: Order
    ) -> None:
        order("insert", DROP, {"do": "status", "status": 503})

        landed = create_once(faulty, room + "a", b"mine")
        did_not = create_once(faulty, room + "b", b"mine too")

        assert landed.mine
        assert did_not.mine
        assert faulty.read(room + "a").info.generation == landed.info.generation
        assert faulty.read(room + "b").info.generation == did_not.info.generation

    @pytest.mark.usefixtures("_impatient")
    def test_an_outcome_that_stays_unknown_is_an_error(
        self, faulty: CloudStorageStore, room: str, order: Order
    ) -> None:
        order("insert", *[{"do": "status", "status": 503}] * 3)
        with pytest.raises(StoreUnavailable):
            create_once(faulty, room + "a", b"mine")

        order("insert", DROP)
        order("download", {"do": "status", "status": 503})
        with pytest.raises(StoreUnavailable):
            create_once(faulty, room + "b", b"mine")

    def test_a_lost_race_shows_what_the_winner_wrote(self) -> None:
        store = MemoryStore("plain")
        first = create_once(store, "a", b"theirs")
        second = create_once(store, "a", b"mine")

        assert first.mine
        assert not second.mine
        assert second.data == b"theirs"
        assert second.info == store.read("a").info

    def test_the_same_bytes_from_another_are_as_good_as_ones_own(self) -> None:
        store = MemoryStore("plain")
        store.create("a", b"same")

        assert create_once(store, "a", b"same").mine


def test_big_files_stream_in_bounded_memory(faulty: CloudStorageStore, room: str) -> None:
    """64 MiB pass without ever being held whole."""
    size = 64 * 1024 * 1024
    with TemporaryFile() as source, TemporaryFile() as target:
        source.truncate(size)
        tracemalloc.start()
        try:
            faulty.create(room + "big", source)
            _, uploading = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            assert faulty.download(room + "big", target).size == size
            _, downloading = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert uploading < 40 * 1024 * 1024
    assert downloading < 4 * 1024 * 1024


def test_an_upload_that_may_not_replace_names_what_is_there(
    faulty: CloudStorageStore, room: str, order: Order
) -> None:
    """Whoever may only create is refused by a 403, and keeps what is there."""
    name = f"{room}/a.csv"
    faulty.overwrite(name, b"first")
    order("insert", {"do": "status", "status": 403})

    with pytest.raises(PermissionDenied) as error:
        faulty.overwrite(name, b"second")

    assert str(error.value) == (
        f"gs://plain/{name} exists already and this identity may not replace it: "
        "drop it under another name"
    )
    assert faulty.read(name).data == b"first"
