"""Bytes that are not what their sender said are refused, and leave nothing behind."""

import base64
import hashlib
import json
from collections.abc import Callable

import google_crc32c
import pytest
import requests
from google.api_core.exceptions import BadRequest
from google.cloud import storage

from localdev.storage.process import StorageServer

CONTENT = b"x" * 300 * 1024


def crc32c_of(content: bytes) -> str:
    return base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()


def md5_of(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


@pytest.mark.parametrize("checksum", ["crc32c", "md5", "auto"])
@pytest.mark.parametrize("in_chunks", [False, True])
def test_what_the_client_computes_is_accepted(
    bucket: storage.Bucket,
    upload_in_chunks: Callable[..., storage.Blob],
    checksum: str,
    in_chunks: bool,
) -> None:
    blob = bucket.blob("a")
    upload = upload_in_chunks if in_chunks else storage.Blob.upload_from_string
    upload(blob, CONTENT, checksum=checksum)
    assert blob.crc32c == crc32c_of(CONTENT)
    assert blob.md5_hash == md5_of(CONTENT)
    for kind in ("crc32c", "md5"):
        assert bucket.blob("a").download_as_bytes(checksum=kind) == CONTENT


@pytest.mark.parametrize("field", ["crc32c", "md5_hash"])
@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_wrong_checksum_in_the_metadata_is_refused(
    bucket: storage.Bucket,
    upload_in_chunks: Callable[..., storage.Blob],
    field: str,
    in_chunks: bool,
) -> None:
    bucket.blob("a").upload_from_string(b"before")
    blob = bucket.blob("a")
    upload = upload_in_chunks if in_chunks else storage.Blob.upload_from_string
    setattr(blob, field, crc32c_of(b"y") if field == "crc32c" else md5_of(b"y"))
    with pytest.raises(BadRequest, match="doesn't match"):
        upload(blob, CONTENT, checksum=None)
    assert bucket.blob("a").download_as_bytes() == b"before"


@pytest.mark.parametrize(
    "wrong", [f"crc32c={crc32c_of(b'y')}", f"md5={md5_of(b'y')}", f"crc32c={crc32c_of(b'')}, md5=x"]
)
def test_a_wrong_checksum_in_the_header_is_refused(
    server: StorageServer, bucket: storage.Bucket, wrong: str
) -> None:
    url = f"{server.url}/upload/storage/v1/b/{bucket.name}/o"
    simple = requests.post(
        url,
        params={"uploadType": "media", "name": "a"},
        data=CONTENT,
        headers={"x-goog-hash": wrong},
        timeout=10,
    )
    assert simple.status_code == requests.codes.bad_request

    session = bucket.blob("a").create_resumable_upload_session()
    final = requests.put(session, data=CONTENT, headers={"x-goog-hash": wrong}, timeout=10)
    assert final.status_code == requests.codes.bad_request
    assert not bucket.blob("a").exists()


def test_right_checksums_in_the_header_are_accepted(
    server: StorageServer, bucket: storage.Bucket
) -> None:
    answer = requests.post(
        f"{server.url}/upload/storage/v1/b/{bucket.name}/o",
        params={"uploadType": "media", "name": "a"},
        data=CONTENT,
        headers={"x-goog-hash": f"crc32c={crc32c_of(CONTENT)}, md5={md5_of(CONTENT)}"},
        timeout=10,
    )
    assert answer.status_code == requests.codes.ok


def test_a_multipart_body_that_ends_too_soon_is_refused(
    server: StorageServer, bucket: storage.Bucket
) -> None:
    head = b"--b\r\nContent-Type: application/json\r\n\r\n" + json.dumps({"name": "a"}).encode()
    body = head + b"\r\n--b\r\nContent-Type: text/plain\r\n\r\nhalf a file"
    url = f"{server.url}/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart"
    headers = {"Content-Type": "multipart/related; boundary=b"}
    refused = requests.post(url, data=body, headers=headers, timeout=10)
    assert refused.status_code == requests.codes.bad_request
    assert not bucket.blob("a").exists()
    whole = requests.post(url, data=body + b"\r\n--b--\r\n", headers=headers, timeout=10)
    assert whole.status_code == requests.codes.ok
    assert bucket.blob("a").download_as_bytes() == b"half a file"


@pytest.mark.parametrize("size", [0, 1, 1000, 1_048_570, 1_048_576, 2_500_000])
def test_content_that_looks_like_a_boundary_arrives_whole(
    bucket: storage.Bucket, size: int
) -> None:
    content = (b"\r\n--==============0123456789==\r\n" * (size // 32 + 1))[:size] + b"\r\n--\r"
    bucket.blob("a").upload_from_string(content)
    assert bucket.blob("a").download_as_bytes() == content
