"""Resumable uploads: chunks, cuts, restarts, and every question a client may ask."""

import io
import os
from collections.abc import Callable
from typing import Any

import pytest
import requests
from google.api_core.exceptions import PreconditionFailed
from google.cloud import storage
from google.cloud.storage._media.requests import ResumableUpload

from localdev.storage.process import StorageServer

KIB = 1024
CHUNK = 256 * KIB
CONTENT = os.urandom(3 * CHUNK + 1000)
TOTAL = len(CONTENT)


def put(session: str, data: bytes, content_range: str) -> requests.Response:
    return requests.put(session, data=data, headers={"Content-Range": content_range}, timeout=10)


def ask(session: str, total: int | str = "*") -> requests.Response:
    """How far did it get?"""
    return put(session, b"", f"bytes */{total}")


@pytest.fixture
def session(bucket: storage.Bucket) -> str:
    """A session that has been begun for an object named ``a``."""
    url: str = bucket.blob("a").create_resumable_upload_session(content_type="text/csv", size=TOTAL)
    return url


def test_a_session_is_filled_chunk_by_chunk(bucket: storage.Bucket, session: str) -> None:
    assert "Range" not in ask(session).headers
    for start in range(0, TOTAL, CHUNK):
        chunk = CONTENT[start : start + CHUNK]
        last = start + len(chunk) - 1
        assert not bucket.blob("a").exists()
        answer = put(session, chunk, f"bytes {start}-{last}/{TOTAL}")
        if last + 1 < TOTAL:
            assert answer.status_code == requests.codes.permanent_redirect
            assert answer.headers["Range"] == f"bytes=0-{last}"
            assert ask(session).headers["Range"] == f"bytes=0-{last}"
    assert answer.status_code == requests.codes.ok
    assert answer.json()["size"] == str(TOTAL)
    assert bucket.blob("a").download_as_bytes() == CONTENT
    assert bucket.get_blob("a").content_type == "text/csv"


def test_a_session_may_be_filled_at_once(bucket: storage.Bucket, session: str) -> None:
    assert requests.put(session, data=CONTENT, timeout=10).status_code == requests.codes.ok
    assert bucket.blob("a").download_as_bytes() == CONTENT


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_a_stream_of_unknown_size(bucket: storage.Bucket, size: int) -> None:
    with bucket.blob("a").open("wb", chunk_size=CHUNK) as stream:
        stream.write(CONTENT[:size])
    assert bucket.blob("a").download_as_bytes() == CONTENT[:size]


def test_an_empty_session_is_finished_by_a_question(bucket: storage.Bucket) -> None:
    session = bucket.blob("a").create_resumable_upload_session()
    assert ask(session, 0).status_code == requests.codes.ok
    assert bucket.blob("a").download_as_bytes() == b""


def test_an_odd_chunk_is_kept_up_to_a_quantum(bucket: storage.Bucket, session: str) -> None:
    answer = put(session, CONTENT[: CHUNK + 5], f"bytes 0-{CHUNK + 4}/{TOTAL}")
    assert answer.headers["Range"] == f"bytes=0-{CHUNK - 1}"
    answer = put(session, CONTENT[CHUNK:], f"bytes {CHUNK}-{TOTAL - 1}/{TOTAL}")
    assert answer.status_code == requests.codes.ok
    assert bucket.blob("a").download_as_bytes() == CONTENT


def test_bytes_that_were_kept_are_not_taken_twice(bucket: storage.Bucket, session: str) -> None:
    put(session, CONTENT[: 2 * CHUNK], f"bytes 0-{2 * CHUNK - 1}/{TOTAL}")
    other = b"?" * CHUNK + CONTENT[CHUNK:]  # the first chunk again, and different
    answer = put(session, other, f"bytes 0-{TOTAL - 1}/{TOTAL}")
    assert answer.status_code == requests.codes.ok
    assert bucket.blob("a").download_as_bytes() == CONTENT


def test_a_session_goes_by_what_is_in_its_file(
    server: StorageServer, bucket: storage.Bucket, session: str
) -> None:
    """As after a write that failed halfway, on a full disk."""
    put(session, CONTENT[: 2 * CHUNK], f"bytes 0-{2 * CHUNK - 1}/{TOTAL}")
    os.truncate(server.directory / "uploads" / session.rpartition("upload_id=")[2], CHUNK)
    assert ask(session).headers["Range"] == f"bytes=0-{CHUNK - 1}"
    answer = put(session, CONTENT[CHUNK:], f"bytes {CHUNK}-{TOTAL - 1}/{TOTAL}")
    assert answer.status_code == requests.codes.ok
    assert bucket.blob("a").download_as_bytes() == CONTENT


def test_a_gap_is_refused(bucket: storage.Bucket, session: str) -> None:
    answer = put(session, CONTENT[CHUNK:], f"bytes {CHUNK}-{TOTAL - 1}/{TOTAL}")
    assert answer.status_code == requests.codes.bad_request
    assert "Range" not in ask(session).headers
    assert not bucket.blob("a").exists()


def test_more_than_was_announced_is_refused(bucket: storage.Bucket, session: str) -> None:
    answer = put(session, CONTENT + b"!", f"bytes 0-{TOTAL}/{TOTAL}")
    assert answer.status_code == requests.codes.bad_request
    assert not bucket.blob("a").exists()


@pytest.mark.parametrize("header", ["bytes 0-", "0-5/6", "bytes a-b/c"])
def test_a_content_range_that_is_none_is_refused(session: str, header: str) -> None:
    assert put(session, b"x", header).status_code == requests.codes.bad_request


def test_a_finished_session_repeats_its_answer(bucket: storage.Bucket, session: str) -> None:
    first = requests.put(session, data=CONTENT, timeout=10).json()
    again = put(session, CONTENT[2 * CHUNK :], f"bytes {2 * CHUNK}-{TOTAL - 1}/{TOTAL}")
    assert again.json() == first
    assert ask(session).json() == first
    assert bucket.get_blob("a").generation == int(first["generation"])


def test_a_cancelled_session_is_gone(bucket: storage.Bucket, session: str) -> None:
    put(session, CONTENT[:CHUNK], f"bytes 0-{CHUNK - 1}/{TOTAL}")
    assert requests.delete(session, timeout=10).status_code == 499
    for answer in (ask(session), requests.delete(session, timeout=10)):
        assert answer.status_code == requests.codes.not_found
    assert not bucket.blob("a").exists()


def test_a_session_that_never_was_is_not_found(server: StorageServer) -> None:
    url = f"{server.url}/upload/storage/v1/b/x/o?uploadType=resumable"
    assert ask(f"{url}&upload_id=../../etc/passwd").status_code == requests.codes.not_found
    assert ask(url).status_code == requests.codes.bad_request


def test_a_hopeless_condition_is_refused_before_any_byte(bucket: storage.Bucket) -> None:
    bucket.blob("a").upload_from_string(b"there")
    with pytest.raises(PreconditionFailed):
        bucket.blob("a").create_resumable_upload_session(if_generation_match=0)


def test_a_condition_is_enforced_at_the_end(bucket: storage.Bucket) -> None:
    session = bucket.blob("a").create_resumable_upload_session(if_generation_match=0)
    put(session, CONTENT[:CHUNK], f"bytes 0-{CHUNK - 1}/{TOTAL}")
    bucket.blob("a").upload_from_string(b"faster")
    for _ in range(2):
        answer = put(session, CONTENT[CHUNK:], f"bytes {CHUNK}-{TOTAL - 1}/{TOTAL}")
        assert answer.status_code == requests.codes.precondition_failed
    assert bucket.blob("a").download_as_bytes() == b"faster"


def test_a_cut_keeps_whole_quanta_and_the_client_goes_on(
    unlucky: storage.Bucket, faults: Any, retry: Any
) -> None:
    faults.order({"do": "cut", "after_bytes": 300 * KIB}, operation="resume")
    blob = unlucky.blob("a", chunk_size=2 * CHUNK)
    blob.upload_from_file(io.BytesIO(CONTENT), retry=retry)
    assert faults.left() == []
    assert unlucky.blob("a").download_as_bytes() == CONTENT


@pytest.mark.parametrize(
    ("after_bytes", "kept"), [(0, 0), (CHUNK - 1, 0), (CHUNK, CHUNK), (600 * KIB, 2 * CHUNK)]
)
def test_a_cut_and_a_kill_leave_whole_quanta(
    own_server: StorageServer,
    new_client: Callable[..., storage.Client],
    after_bytes: int,
    kept: int,
) -> None:
    bucket = new_client(own_server).bucket("plain")
    session = bucket.blob("a").create_resumable_upload_session()
    plan = {"id": "*", "match": {"operation": "resume"}}
    fault = {"do": "cut", "after_bytes": after_bytes}
    url = f"{own_server.url}/_emulator/faults"
    requests.post(url, json={**plan, "faults": [fault]}, timeout=10).raise_for_status()
    with pytest.raises(requests.ConnectionError):
        put(session, CONTENT, f"bytes 0-{TOTAL - 1}/{TOTAL}")

    own_server.kill()
    own_server.start()

    assert ask(session).headers.get("Range") == (f"bytes=0-{kept - 1}" if kept else None)
    answer = put(session, CONTENT[kept:], f"bytes {kept}-{TOTAL - 1}/{TOTAL}")
    assert answer.status_code == requests.codes.ok
    assert bucket.blob("a").download_as_bytes() == CONTENT
    assert list((own_server.directory / "uploads").iterdir()) == []


def test_the_client_recovers_an_upload_after_an_error(unlucky: storage.Bucket, faults: Any) -> None:
    """A failed chunk, then the client's own question how far it got."""
    faults.order({"do": "status", "status": 400}, operation="resume")
    blob = unlucky.blob("a", chunk_size=CHUNK)
    session = blob.create_resumable_upload_session(size=TOTAL)
    transport = unlucky.client._http
    upload = ResumableUpload(session, CHUNK, headers=unlucky.client._extra_headers)
    upload._resumable_url, upload._total_bytes = session, TOTAL
    upload._stream, upload._content_type = io.BytesIO(CONTENT), "text/csv"
    with pytest.raises(Exception, match="400"):
        upload.transmit_next_chunk(transport)
    assert upload.invalid
    upload.recover(transport)
    assert upload.bytes_uploaded == 0
    while not upload.finished:
        upload.transmit_next_chunk(transport)
    assert unlucky.blob("a").download_as_bytes() == CONTENT


class Interrupting:
    """A file that has something done in the middle of being read."""

    def __init__(self, content: bytes, at: int, action: Callable[[], None]) -> None:
        self._content, self._position, self._at, self._action = content, 0, at, action

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: len(self._content)}
        self._position = base[whence] + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        if self._action and self._position >= self._at:
            action, self._action = self._action, None  # type: ignore[assignment]  # once
            action()
        end = len(self._content) if size < 0 else self._position + size
        data = self._content[self._position : end]
        self._position += len(data)
        return data


@pytest.mark.parametrize("at", [0, CHUNK, 3 * CHUNK])
def test_an_upload_survives_a_kill_and_a_restart_without_noticing(
    own_server: StorageServer,
    new_client: Callable[..., storage.Client],
    retry: Any,
    at: int,
) -> None:
    def crash() -> None:
        own_server.kill()
        own_server.start()

    bucket = new_client(own_server).bucket("plain")
    blob = bucket.blob("a", chunk_size=CHUNK)
    blob.upload_from_file(Interrupting(CONTENT, at, crash), retry=retry)
    assert bucket.blob("a").download_as_bytes() == CONTENT
    assert blob.generation == bucket.get_blob("a").generation
