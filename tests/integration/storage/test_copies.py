"""Copy, rewrite, move and compose."""

import base64

import google_crc32c
import pytest
import requests
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import storage

MIB = 1 << 20


@pytest.fixture
def source(bucket: storage.Bucket) -> storage.Blob:
    blob = bucket.blob("source")
    blob.metadata = {"from": "source"}
    blob.content_encoding = "identity"
    blob.upload_from_string(b"content", content_type="text/csv")
    return blob


def test_a_copy_has_bytes_and_metadata_of_its_source(
    bucket: storage.Bucket, versioned: storage.Bucket, source: storage.Blob
) -> None:
    copy = bucket.copy_blob(source, versioned, "copy")
    assert copy.generation > source.generation
    assert copy.metageneration == 1
    source.delete()
    found = versioned.get_blob("copy")
    assert found.download_as_bytes() == b"content"
    assert (found.content_type, found.metadata) == ("text/csv", {"from": "source"})
    assert (found.crc32c, found.md5_hash) == (source.crc32c, source.md5_hash)


def test_a_named_generation_can_be_copied(versioned: storage.Bucket) -> None:
    blob = versioned.blob("a")
    blob.upload_from_string(b"old")
    old = blob.generation
    versioned.blob("a").upload_from_string(b"new")
    versioned.copy_blob(versioned.blob("a"), versioned, "a", source_generation=old)
    assert versioned.blob("a").download_as_bytes() == b"old"
    assert len(list(versioned.list_blobs(versions=True))) == 3


def test_a_rewrite_may_bring_its_own_metadata(bucket: storage.Bucket, source: storage.Blob) -> None:
    target = bucket.blob("target")
    target.metadata = {"own": "yes"}
    token, rewritten, total = target.rewrite(source)
    assert (token, rewritten, total) == (None, 7, 7)
    assert target.metadata == {"own": "yes"}
    assert target.content_type == "text/csv"
    assert target.download_as_bytes() == b"content"


def test_a_rewrite_onto_itself_changes_the_storage_class(source: storage.Blob) -> None:
    before = source.generation
    source.update_storage_class("NEARLINE")
    assert source.storage_class == "NEARLINE"
    assert source.generation > before
    assert source.bucket.blob("source").download_as_bytes() == b"content"


def test_a_rewrite_may_take_several_calls(bucket: storage.Bucket) -> None:
    blob = bucket.blob("source")
    content = b"x" * (2 * MIB + 1)
    blob.upload_from_string(content)
    url = f"{blob.self_link}/rewriteTo/b/{bucket.name}/o/target"
    query = {"maxBytesRewrittenPerCall": MIB}

    steps = []
    while not steps or not steps[-1]["done"]:
        assert not bucket.blob("target").exists()
        token = {"rewriteToken": steps[-1]["rewriteToken"]} if steps else {}
        steps.append(requests.post(url, params={**query, **token}, timeout=10).json())

    assert [int(step["totalBytesRewritten"]) for step in steps] == [MIB, 2 * MIB, 2 * MIB + 1]
    assert {step["objectSize"] for step in steps} == {str(len(content))}
    assert steps[-1]["resource"]["name"] == "target"
    assert bucket.blob("target").download_as_bytes() == content


def test_a_rewrite_token_is_good_for_its_own_source_only(bucket: storage.Bucket) -> None:
    blob = bucket.blob("source")
    blob.upload_from_string(b"x" * (MIB + 1))
    url = f"{blob.self_link}/rewriteTo/b/{bucket.name}/o/target"
    query = {"maxBytesRewrittenPerCall": str(MIB)}
    token = requests.post(url, params=query, timeout=10).json()["rewriteToken"]
    blob.upload_from_string(b"y" * (MIB + 1))
    for wrong in (token, "never given"):
        answer = requests.post(url, params={**query, "rewriteToken": wrong}, timeout=10)
        assert answer.status_code == requests.codes.bad_request
    assert not bucket.blob("target").exists()


def test_a_move_leaves_nothing_behind(bucket: storage.Bucket, source: storage.Blob) -> None:
    bucket.blob("target").upload_from_string(b"in the way")
    moved = bucket.move_blob(source, "target")
    assert moved.generation > source.generation
    assert [blob.name for blob in bucket.list_blobs()] == ["target"]
    found = bucket.get_blob("target")
    assert found.download_as_bytes() == b"content"
    assert (found.content_type, found.metadata) == ("text/csv", {"from": "source"})


def test_a_move_in_a_versioned_bucket_keeps_the_source_as_noncurrent(
    versioned: storage.Bucket,
) -> None:
    versioned.blob("source").upload_from_string(b"content")
    versioned.move_blob(versioned.blob("source"), "target")
    found = {blob.name: blob.time_deleted for blob in versioned.list_blobs(versions=True)}
    assert found["source"] is not None
    assert found["target"] is None


def test_rename_works_through_copy_and_delete(bucket: storage.Bucket, source: storage.Blob) -> None:
    bucket.rename_blob(source, "renamed")
    assert [blob.name for blob in bucket.list_blobs()] == ["renamed"]


def test_copying_what_is_absent_is_not_found(bucket: storage.Bucket, source: storage.Blob) -> None:
    with pytest.raises(NotFound):
        bucket.copy_blob(bucket.blob("absent"), bucket, "copy")
    with pytest.raises(NotFound):
        bucket.copy_blob(source, bucket.client.bucket("no-such-bucket"), "copy")
    with pytest.raises(NotFound):
        bucket.blob("copy").rewrite(bucket.blob("source", generation=1))
    with pytest.raises(NotFound):
        bucket.move_blob(bucket.blob("absent"), "copy")


def test_compose_joins_in_order(bucket: storage.Bucket) -> None:
    parts = [bucket.blob(f"part-{number}") for number in range(32)]
    for number, part in enumerate(parts):
        part.upload_from_string(f"{number},", content_type="text/csv")
    whole = bucket.blob("whole")
    whole.content_type = "text/plain"
    whole.compose(parts)

    content = "".join(f"{number}," for number in range(32)).encode()
    assert whole.download_as_bytes() == content
    assert whole.component_count == 32
    assert whole.content_type == "text/plain"
    assert whole.md5_hash is None
    crc32c = google_crc32c.value(content).to_bytes(4, "big")
    assert whole.crc32c == base64.b64encode(crc32c).decode()

    whole.compose([whole, parts[0]])  # onto itself: an append
    assert whole.download_as_bytes() == content + b"0,"
    assert whole.component_count == 33


def test_compose_takes_one_to_thirty_two(bucket: storage.Bucket) -> None:
    part = bucket.blob("part")
    part.upload_from_string(b"")
    for count in (0, 33):
        with pytest.raises(BadRequest):
            bucket.blob("whole").compose([part] * count)
    with pytest.raises(NotFound):
        bucket.blob("whole").compose([part, bucket.blob("absent")])
    with pytest.raises(NotFound):
        bucket.blob("whole").compose([bucket.blob("part", generation=1)])
    assert not bucket.blob("whole").exists()


def test_compose_reads_the_generation_that_is_named(versioned: storage.Bucket) -> None:
    old = versioned.blob("a")
    old.upload_from_string(b"old")
    versioned.blob("a").upload_from_string(b"new")
    versioned.blob("whole").compose([old, versioned.blob("a")])
    assert versioned.blob("whole").download_as_bytes() == b"oldnew"


def test_compose_may_delete_its_sources(bucket: storage.Bucket) -> None:
    for name in ("a", "b"):
        bucket.blob(name).upload_from_string(name)
    bucket.blob("whole").compose([bucket.blob("a"), bucket.blob("b")], delete_source_objects=True)
    assert [blob.name for blob in bucket.list_blobs()] == ["whole"]
