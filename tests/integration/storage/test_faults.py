"""Ordered faults, seen through the client's own retries."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from google.api_core.exceptions import PreconditionFailed, ServiceUnavailable
from google.cloud import storage

from localdev.storage.process import StorageServer

LARGE = bytes(range(256)) * 16_384


def test_an_error_is_answered_as_often_as_ordered(
    unlucky: storage.Bucket, faults: Any, retry: Any
) -> None:
    faults.order({"do": "status", "status": 503}, {"do": "status", "status": 429})
    unlucky.blob("a").upload_from_string(b"a", retry=retry)
    assert faults.left() == []
    assert unlucky.blob("a").download_as_bytes() == b"a"


def test_without_retry_the_error_arrives(unlucky: storage.Bucket, faults: Any) -> None:
    faults.order({"do": "status", "status": 503})
    with pytest.raises(ServiceUnavailable):
        unlucky.blob("a").upload_from_string(b"a", retry=None)
    assert not unlucky.blob("a").exists()


def test_a_fault_strikes_only_what_it_is_meant_for(
    unlucky: storage.Bucket, bucket: storage.Bucket, faults: Any
) -> None:
    faults.order({"do": "status"}, operation="download", name="b", method="GET")
    bucket.blob("b").upload_from_string(b"b")
    unlucky.blob("a").upload_from_string(b"a")
    assert unlucky.blob("a").download_as_bytes(retry=None) == b"a"  # another name
    assert unlucky.get_blob("b").size == 1  # another operation
    assert bucket.blob("b").download_as_bytes(retry=None) == b"b"  # another client
    with pytest.raises(ServiceUnavailable):
        unlucky.blob("b").download_as_bytes(retry=None)
    assert unlucky.blob("b").download_as_bytes(retry=None) == b"b"  # used up


@pytest.mark.parametrize(
    "operation", ["insert", "get", "list", "delete", "patch", "copy", "rewrite", "compose", "move"]
)
def test_every_operation_can_be_struck(
    unlucky: storage.Bucket, faults: Any, operation: str
) -> None:
    unlucky.blob("a").upload_from_string(b"a")
    faults.order({"do": "status"}, operation=operation)
    operations = {
        "insert": lambda: unlucky.blob("b").upload_from_string(b"b", retry=None),
        "get": lambda: unlucky.blob("a").reload(retry=None),
        "list": lambda: list(unlucky.list_blobs(retry=None)),
        "delete": lambda: unlucky.blob("a").delete(retry=None),
        "patch": lambda: unlucky.blob("a").patch(retry=None),
        "copy": lambda: unlucky.copy_blob(unlucky.blob("a"), unlucky, "b", retry=None),
        "rewrite": lambda: unlucky.blob("b").rewrite(unlucky.blob("a"), retry=None),
        "compose": lambda: unlucky.blob("b").compose([unlucky.blob("a")], retry=None),
        "move": lambda: unlucky.move_blob(unlucky.blob("a"), "b", retry=None),
    }
    with pytest.raises(ServiceUnavailable):
        operations[operation]()
    assert faults.left() == []
    operations[operation]()


def test_a_create_that_landed_unheard_meets_itself(
    unlucky: storage.Bucket, faults: Any, retry: Any
) -> None:
    faults.order({"do": "commit_then_drop"}, operation="insert")
    with pytest.raises(PreconditionFailed):
        unlucky.blob("a").upload_from_string(b"mine", if_generation_match=0, retry=retry)
    assert unlucky.blob("a").download_as_bytes() == b"mine"


def test_a_swap_that_landed_unheard_meets_itself(
    unlucky: storage.Bucket, faults: Any, retry: Any
) -> None:
    blob = unlucky.blob("head")
    blob.upload_from_string(b"before")
    faults.order({"do": "commit_then_drop"}, operation="insert")
    with pytest.raises(PreconditionFailed):
        unlucky.blob("head").upload_from_string(
            b"after", if_generation_match=blob.generation, retry=retry
        )
    assert unlucky.blob("head").download_as_bytes() == b"after"


def test_a_finished_resumable_upload_that_was_not_heard_of_answers_again(
    unlucky: storage.Bucket,
    faults: Any,
    retry: Any,
    upload_in_chunks: Callable[..., storage.Blob],
) -> None:
    faults.order({"do": "commit_then_drop"}, operation="resume")
    content = LARGE[: 200 * 1024]  # one chunk
    blob = upload_in_chunks(unlucky.blob("a"), content, if_generation_match=0, retry=retry)
    assert faults.left() == []
    assert unlucky.get_blob("a").generation == blob.generation


def test_a_delete_that_landed_unheard_is_repeated_in_vain(
    unlucky: storage.Bucket, faults: Any
) -> None:
    unlucky.blob("a").upload_from_string(b"")
    faults.order({"do": "commit_then_drop"}, operation="delete")
    with pytest.raises(requests.ConnectionError):
        unlucky.blob("a").delete(retry=None)
    assert not unlucky.blob("a").exists()


@pytest.mark.parametrize("after_bytes", [0, 1, 100_000, 1 << 20, 3_000_001])
def test_a_download_that_is_cut_goes_on_where_it_was(
    unlucky: storage.Bucket, faults: Any, retry: Any, after_bytes: int
) -> None:
    unlucky.blob("a").upload_from_string(LARGE)
    faults.order({"do": "cut", "after_bytes": after_bytes}, operation="download")
    assert unlucky.blob("a").download_as_bytes(retry=retry) == LARGE
    assert faults.left() == []


def test_a_cut_download_without_retry_fails(unlucky: storage.Bucket, faults: Any) -> None:
    unlucky.blob("a").upload_from_string(LARGE)
    faults.order({"do": "cut", "after_bytes": 1000}, operation="download")
    with pytest.raises(requests.exceptions.RequestException):
        unlucky.blob("a").download_as_bytes(retry=None)


def test_an_upload_that_is_cut_leaves_nothing(
    server: StorageServer, unlucky: storage.Bucket, faults: Any, retry: Any
) -> None:
    faults.order({"do": "cut", "after_bytes": 2_000_000}, operation="insert")
    with pytest.raises(requests.ConnectionError):
        unlucky.blob("a").upload_from_string(LARGE, retry=None)
    assert not unlucky.blob("a").exists()
    assert list((server.directory / "incoming").iterdir()) == []
    unlucky.blob("a").upload_from_string(LARGE, retry=retry)
    assert unlucky.blob("a").download_as_bytes() == LARGE


def test_a_delay_delays_one_request_and_no_other(
    unlucky: storage.Bucket, bucket: storage.Bucket, faults: Any
) -> None:
    faults.order({"do": "delay", "seconds": 0.3}, operation="insert")
    began = time.monotonic()
    unlucky.blob("a").upload_from_string(b"")
    assert time.monotonic() - began >= 0.3
    faults.order({"do": "delay", "seconds": 20}, operation="get")
    with pytest.raises(requests.exceptions.ReadTimeout):
        unlucky.blob("a").reload(timeout=0.2, retry=None)
    bucket.blob("a").reload(timeout=5)


def test_a_fault_for_everybody_strikes_the_next_request(
    own_server: StorageServer, new_client: Any
) -> None:
    url = f"{own_server.url}/_emulator/faults"
    requests.post(url, json={"id": "*", "faults": [{"do": "status"}]}, timeout=10)
    bucket = new_client(own_server).bucket("plain")
    with pytest.raises(ServiceUnavailable):
        bucket.blob("a").reload(retry=None)
    requests.post(url, json={"id": "*", "faults": [{"do": "status"}]}, timeout=10)
    requests.delete(url, timeout=10)
    bucket.blob("a").upload_from_string(b"", retry=None)


@pytest.mark.parametrize(
    "plan", [{}, {"id": "x"}, {"id": "x", "faults": [{"do": "explode"}]}, {"id": "x", "faults": 3}]
)
def test_a_plan_that_is_none_is_refused(server: StorageServer, plan: dict[str, Any]) -> None:
    answer = requests.post(f"{server.url}/_emulator/faults", json=plan, timeout=10)
    assert answer.status_code == requests.codes.bad_request
