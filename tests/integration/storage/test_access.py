"""Callers with a token are held to what the table gives them, with Google's client and statuses."""

from __future__ import annotations

import io
import json

import pytest
import requests

from localdev.storage.process import StorageServer
from perennial.adapters.cloud_storage import UPLOAD_CHUNK, CloudStorageStore, connect
from perennial.adapters.storage_reader import CloudStorageReader
from perennial.adapters.storage_reader import connect as connect_reader
from perennial.config import Config
from perennial.errors import PermissionDenied, PreconditionFailed, StoreError

HEAD = "taps/registry/head.json"
TABLE = {
    "t-writer": {"part": "writer", "verbs": {"own": ["reads", "adds to"], "other": ["reads"]}},
    "t-mover": {"part": "mover", "verbs": {"own": ["reads", "adds to", "replaces heads"]}},
    "t-adder": {"part": "adder", "verbs": {"own": ["adds to"]}},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guarded")
    table = folder / "access.json"
    table.write_text(json.dumps(TABLE))
    buckets = ["own", "other", "hidden"]
    arguments = ["--access", str(table)]
    with StorageServer(folder / "state", buckets=buckets, arguments=arguments) as server:
        yield server


@pytest.fixture
def config(server):
    def config(token: str) -> Config:
        return Config("", "", "", "", storage_endpoint=server.url, storage_token=token)

    return config


@pytest.fixture
def store(config):
    def store(token: str, bucket: str = "own") -> CloudStorageStore:
        return CloudStorageStore(connect(config(token)), bucket)

    return store


def test_what_is_granted_works(store):
    writer = store("t-writer")
    made = writer.create("granted/a", b"a")
    assert writer.read("granted/a").data == b"a"
    assert [one.name for one in writer.list("granted/")] == ["granted/a"]
    copied = writer.copy_from(
        store("t-writer"), "granted/a", "granted/b", generation=made.generation
    )
    assert copied.name == "granted/b"


def test_another_bucket_is_refused(store):
    store("", "other").create("seen", b"1")
    assert store("t-writer", "other").read("seen").data == b"1"
    with pytest.raises(PermissionDenied, match=r"writer does not have storage\.objects\.create"):
        store("t-writer", "other").create("new", b"2")
    store("", "hidden").create("secret", b"3")
    for call in (lambda one: one.read("secret"), lambda one: list(one.list())):
        with pytest.raises(PermissionDenied):
            call(store("t-writer", "hidden"))
    with pytest.raises(PermissionDenied):
        store("t-writer").copy_from(
            store("t-writer", "hidden"), "secret", "stolen", generation=1
        )  # fmt: skip


def test_nothing_is_replaced_or_deleted_without_the_right(store):
    writer = store("t-writer")
    made = writer.create("fixed", b"1")
    with pytest.raises(PermissionDenied):
        writer.overwrite("fixed", b"2")
    with pytest.raises(PermissionDenied):
        writer.replace("fixed", b"2", generation=made.generation)
    with pytest.raises(PermissionDenied):
        writer.delete("fixed")
    # Whoever was there first is told as ever, though the service says 403.
    with pytest.raises(PreconditionFailed):
        writer.create("fixed", b"2")
    assert writer.read("fixed").data == b"1"


def test_only_heads_are_replaced(store):
    mover = store("t-mover")
    first = mover.create(HEAD, b"1")
    mover.replace(HEAD, b"2", generation=first.generation)
    assert mover.read(HEAD).data == b"2"
    made = mover.create("taps/registry/commits/1.json", b"1")
    with pytest.raises(PermissionDenied):
        mover.replace(made.name, b"2", generation=made.generation)


def test_large_uploads_are_refused_before_their_bytes_are_sent(store):
    large = io.BytesIO(b"x" * (UPLOAD_CHUNK + 1))
    with pytest.raises(PermissionDenied):
        store("t-writer", "other").create("large", large)
    assert large.tell() == 0
    assert store("t-writer").create("large", large).size == UPLOAD_CHUNK + 1
    with pytest.raises(PermissionDenied):
        store("t-writer").overwrite("large", large)


def test_who_may_not_read_is_not_told_what_is_missing(store):
    store("t-adder").create("adder/x", b"1")
    for name in ("adder/x", "adder/nothing"):
        with pytest.raises(PermissionDenied):
            store("t-adder").stat(name)


def test_nobody_has_an_unknown_token(store, config):
    with pytest.raises(StoreError, match="401"):
        store("t-stranger").read("anything")
    with pytest.raises(PermissionDenied):
        CloudStorageReader(connect_reader(config("t-stranger"), {}), "own").stat("anything")


def test_the_light_reader_says_who_it_is(store, config):
    store("", "hidden").create("light", b"1")
    with pytest.raises(PermissionDenied, match="writer does not have"):
        CloudStorageReader(connect_reader(config("t-writer"), {}), "hidden").read("light")


def test_buckets_and_policies_are_the_owners(server):
    for path in ("b", "b/own", "b/own/iam"):
        answer = requests.get(
            f"{server.url}/storage/v1/{path}",
            params={"project": "local"},
            headers={"Authorization": "Bearer t-mover"},
            timeout=30,
        )
        assert answer.status_code == 403, path


def test_every_request_of_a_batch_is_asked(store, server):
    store("").create("batched", b"1")
    body = (
        "--x\r\nContent-Type: application/http\r\nContent-ID: <1>\r\n\r\n"
        "DELETE /storage/v1/b/own/o/batched HTTP/1.1\r\n\r\n\r\n--x--\r\n"
    )
    answer = requests.post(
        f"{server.url}/batch/storage/v1",
        data=body,
        headers={
            "Authorization": "Bearer t-writer",
            "Content-Type": "multipart/mixed; boundary=x",
        },
        timeout=30,
    )
    assert "403 Forbidden" in answer.text
    assert store("").read("batched").data == b"1"


def test_tokens_are_not_shown(config):
    assert "t-writer" not in repr(config("t-writer"))


def test_a_table_with_an_unknown_word_is_refused(tmp_path):
    table = tmp_path / "access.json"
    table.write_text(json.dumps({"t": {"part": "p", "verbs": {"own": ["raeds"]}}}))
    with pytest.raises(RuntimeError, match="raeds"):
        StorageServer(tmp_path / "state", arguments=["--access", str(table)]).start()
