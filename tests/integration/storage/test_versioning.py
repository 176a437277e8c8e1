"""Versioned buckets keep what was replaced or deleted."""

import pytest
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud import storage


@pytest.fixture
def generations(versioned: storage.Bucket) -> list[int]:
    found = []
    for content in ("first", "second", "third"):
        blob = versioned.blob("a")
        blob.upload_from_string(content)
        found.append(blob.generation)
    return found


def test_every_generation_stays_readable(versioned: storage.Bucket, generations: list[int]) -> None:
    assert generations == sorted(set(generations))
    for generation, content in zip(generations, (b"first", b"second", b"third"), strict=True):
        assert versioned.blob("a", generation=generation).download_as_bytes() == content
    assert versioned.blob("a").download_as_bytes() == b"third"


def test_what_was_replaced_says_when(versioned: storage.Bucket, generations: list[int]) -> None:
    replaced = versioned.get_blob("a", generation=generations[0])
    successor = versioned.get_blob("a", generation=generations[1])
    assert replaced.time_deleted is not None
    assert replaced.time_created <= replaced.time_deleted <= successor.time_created
    assert versioned.get_blob("a").time_deleted is None


def test_deleting_the_live_generation_keeps_it(
    versioned: storage.Bucket, generations: list[int]
) -> None:
    versioned.blob("a").delete()
    assert versioned.get_blob("a") is None
    assert list(versioned.list_blobs()) == []
    deleted = versioned.get_blob("a", generation=generations[2])
    assert deleted.time_deleted is not None
    assert deleted.download_as_bytes() == b"third"
    with pytest.raises(NotFound):
        versioned.blob("a").delete()


def test_deleting_a_named_generation_is_for_good(
    versioned: storage.Bucket, generations: list[int]
) -> None:
    versioned.blob("a", generation=generations[0]).delete()
    assert versioned.get_blob("a", generation=generations[0]) is None
    with pytest.raises(NotFound):
        versioned.blob("a", generation=generations[0]).delete()

    versioned.blob("a", generation=generations[2]).delete()
    assert versioned.get_blob("a") is None
    left = [blob.generation for blob in versioned.list_blobs(versions=True)]
    assert left == [generations[1]]


def test_create_only_succeeds_over_what_is_noncurrent(
    versioned: storage.Bucket, generations: list[int]
) -> None:
    with pytest.raises(PreconditionFailed):
        versioned.blob("a").upload_from_string(b"new", if_generation_match=0)
    versioned.blob("a").delete()
    blob = versioned.blob("a")
    blob.upload_from_string(b"new", if_generation_match=0)
    assert blob.generation > generations[-1]


def test_versioning_can_be_turned_on_and_off(bucket: storage.Bucket) -> None:
    assert not bucket.versioning_enabled
    bucket.blob("a").upload_from_string(b"lost")
    bucket.blob("a").upload_from_string(b"kept")
    bucket.versioning_enabled = True
    bucket.patch()
    bucket.blob("a").upload_from_string(b"live")
    bucket.versioning_enabled = False
    bucket.patch()
    bucket.blob("a").upload_from_string(b"last")
    contents = [blob.download_as_bytes() for blob in bucket.list_blobs(versions=True)]
    assert contents == [b"kept", b"last"]


def test_metadata_of_a_noncurrent_generation_can_be_changed(
    versioned: storage.Bucket, generations: list[int]
) -> None:
    old = versioned.blob("a", generation=generations[0])
    old.metadata = {"note": "old"}
    old.patch()
    found = versioned.get_blob("a", generation=generations[0])
    assert found.metadata == {"note": "old"}
    assert found.time_deleted is not None
    assert versioned.get_blob("a").metadata is None
