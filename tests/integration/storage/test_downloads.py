"""Downloads: ranges, compressed objects, headers, generations."""

import gzip
import io
import os

import pytest
import requests
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import storage

CONTENT = os.urandom(10_000)
LARGE = os.urandom(3_500_000)


@pytest.fixture
def blob(bucket: storage.Bucket) -> storage.Blob:
    blob = bucket.blob("data")
    blob.upload_from_string(CONTENT)
    return bucket.blob("data")


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 0), (0, 9), (5, 9), (9_999, 9_999), (9_990, None), (9_990, 20_000), (None, 99), (0, None)],
)
def test_a_range_is_what_was_asked_for(
    blob: storage.Blob, start: int | None, end: int | None
) -> None:
    expected = CONTENT[start or 0 : None if end is None else end + 1]
    assert blob.download_as_bytes(start=start, end=end) == expected


@pytest.mark.parametrize("start", [0, 1_000_000, 1_048_575, 1_048_576, 3_400_000])
def test_a_range_of_a_large_object(bucket: storage.Bucket, start: int) -> None:
    bucket.blob("large").upload_from_string(LARGE)
    assert bucket.blob("large").download_as_bytes(start=start) == LARGE[start:]


def test_the_last_bytes_can_be_asked_for(blob: storage.Blob) -> None:
    blob.reload()
    answer = requests.get(blob.media_link, headers={"Range": "bytes=-10"}, timeout=10)
    assert answer.status_code == requests.codes.partial_content
    assert answer.content == CONTENT[-10:]
    assert answer.headers["Content-Range"] == "bytes 9990-9999/10000"


@pytest.mark.parametrize("header", ["bytes=0-1,5-6", "bytes=9-5", "lines=1-2", "bytes=-"])
def test_a_range_that_is_none_is_ignored(blob: storage.Blob, header: str) -> None:
    blob.reload()
    answer = requests.get(blob.media_link, headers={"Range": header}, timeout=10)
    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_a_range_past_the_end_cannot_be_satisfied(
    bucket: storage.Bucket, blob: storage.Blob
) -> None:
    with pytest.raises(GoogleAPICallError) as caught:
        blob.download_as_bytes(start=10_000)
    assert caught.value.code == requests.codes.requested_range_not_satisfiable
    assert caught.value.response.headers["Content-Range"] == "bytes */10000"
    bucket.blob("empty").upload_from_string(b"")
    with pytest.raises(GoogleAPICallError):
        bucket.blob("empty").download_as_bytes(start=0, end=1)


def test_chunked_and_streamed_reads(bucket: storage.Bucket) -> None:
    bucket.blob("large").upload_from_string(LARGE)
    assert bucket.blob("large", chunk_size=512 * 1024).download_as_bytes() == LARGE
    with bucket.blob("large").open("rb", chunk_size=300_000) as stream:
        assert stream.read() == LARGE
    target = io.BytesIO()
    bucket.blob("large").download_to_file(target)
    assert target.getvalue() == LARGE


def test_streamed_writes(bucket: storage.Bucket) -> None:
    with bucket.blob("large").open("wb", chunk_size=256 * 1024) as stream:
        stream.write(LARGE)
    assert bucket.blob("large").download_as_bytes() == LARGE


def test_headers_describe_the_object(bucket: storage.Bucket) -> None:
    blob = bucket.blob("data")
    blob.content_disposition = 'inline; filename="ü.txt"'
    blob.cache_control = "no-cache"
    blob.upload_from_string(b"abc", content_type="text/plain")
    answer = requests.get(blob.media_link, timeout=10)
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Content-Length"] == "3"
    assert answer.headers["Cache-Control"] == "no-cache"
    disposition = answer.headers["Content-Disposition"].encode("latin-1").decode()
    assert disposition == 'inline; filename="ü.txt"'
    assert answer.headers["ETag"] == blob.etag
    assert answer.headers["x-goog-generation"] == str(blob.generation)
    assert answer.headers["x-goog-metageneration"] == "1"
    assert answer.headers["x-goog-stored-content-encoding"] == "identity"
    assert answer.headers["x-goog-stored-content-length"] == "3"
    assert answer.headers["x-goog-hash"] == f"crc32c={blob.crc32c},md5={blob.md5_hash}"


def test_a_media_link_pins_its_generation(versioned: storage.Bucket) -> None:
    blob = versioned.blob("a")
    blob.upload_from_string(b"old")
    versioned.blob("a").upload_from_string(b"new")
    assert blob.download_as_bytes() == b"old"
    assert versioned.blob("a").download_as_bytes() == b"new"


@pytest.fixture
def zipped(bucket: storage.Bucket) -> storage.Blob:
    """An object that is stored compressed."""
    blob = bucket.blob("zipped")
    blob.content_encoding = "gzip"
    # Two members, as concatenated gzip files have.
    blob.upload_from_string(gzip.compress(LARGE) + gzip.compress(b"end"), content_type="text/csv")
    return blob


def test_a_compressed_object_is_sent_as_stored_to_who_accepts_it(zipped: storage.Blob) -> None:
    assert gzip.decompress(zipped.download_as_bytes(raw_download=True)) == LARGE + b"end"
    answer = requests.get(
        zipped.media_link, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=10
    )
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.raw.read(decode_content=False)) == LARGE + b"end"


def test_a_compressed_object_is_decompressed_for_everybody_else(zipped: storage.Blob) -> None:
    answer = requests.get(
        zipped.media_link,
        headers={"Accept-Encoding": "identity", "Range": "bytes=0-9"},
        timeout=10,
    )
    assert answer.status_code == requests.codes.ok  # ranges do not apply
    assert answer.content == LARGE + b"end"
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["x-goog-stored-content-encoding"] == "gzip"
    assert "x-goog-hash" not in answer.headers  # it would be that of other bytes


def test_no_transform_forbids_decompression(bucket: storage.Bucket) -> None:
    blob = bucket.blob("zipped")
    blob.content_encoding = "gzip"
    blob.cache_control = "no-transform"
    blob.upload_from_string(gzip.compress(b"text"))
    answer = requests.get(
        blob.media_link, headers={"Accept-Encoding": "identity"}, stream=True, timeout=10
    )
    assert gzip.decompress(answer.raw.read(decode_content=False)) == b"text"


def test_a_gzip_file_without_that_label_is_never_touched(bucket: storage.Bucket) -> None:
    content = gzip.compress(b"a,b\n1,2\n")
    bucket.blob("data.csv.gz").upload_from_string(content, content_type="application/gzip")
    assert bucket.blob("data.csv.gz").download_as_bytes() == content
