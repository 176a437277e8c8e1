"""Objects and their metadata, as the client reads and writes them."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import google_crc32c
import pytest
from google.api_core.exceptions import BadRequest, NotFound, PreconditionFailed
from google.cloud import storage

from localdev.storage.process import StorageServer


def test_an_object_reads_back_with_everything_that_was_said_of_it(bucket: storage.Bucket) -> None:
    blob = bucket.blob("folder/data.csv")
    blob.metadata = {"source": "shop", "läden": "zwölf"}
    blob.cache_control = "no-store"
    blob.content_disposition = 'attachment; filename="data.csv"'
    blob.content_language = "de"
    blob.custom_time = datetime(2024, 2, 14, tzinfo=UTC)
    blob.upload_from_string(b"a,b\n1,2\n", content_type="text/csv")

    found = bucket.get_blob("folder/data.csv")

    assert found.download_as_bytes() == b"a,b\n1,2\n"
    assert found.metadata == {"source": "shop", "läden": "zwölf"}
    assert found.content_type == "text/csv"
    assert found.cache_control == "no-store"
    assert found.content_disposition == 'attachment; filename="data.csv"'
    assert found.content_language == "de"
    assert found.custom_time == datetime(2024, 2, 14, tzinfo=UTC)
    assert found.size == 8
    assert found.metageneration == 1
    assert found.storage_class == "STANDARD"
    assert found.id == f"{bucket.name}/folder/data.csv/{found.generation}"
    md5 = hashlib.md5(b"a,b\n1,2\n", usedforsecurity=False).digest()
    assert found.md5_hash == base64.b64encode(md5).decode()
    crc32c = google_crc32c.value(b"a,b\n1,2\n").to_bytes(4, "big")
    assert found.crc32c == base64.b64encode(crc32c).decode()


def test_times_and_generation_are_of_now(bucket: storage.Bucket) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    blob = bucket.blob("a")
    blob.upload_from_string(b"")
    after = datetime.now(UTC)

    assert before <= blob.time_created <= after
    assert blob.updated == blob.time_created
    assert before.timestamp() <= blob.generation / 1e6 <= after.timestamp()


def test_an_empty_object_is_an_object(bucket: storage.Bucket) -> None:
    bucket.blob("empty").upload_from_string(b"")
    assert bucket.blob("empty").download_as_bytes() == b""
    assert bucket.get_blob("empty").size == 0


def test_the_default_content_type_is_bytes(bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"a", content_type=None)
    assert blob.content_type == "application/octet-stream"


def test_what_does_not_exist_is_not_found(client: storage.Client, bucket: storage.Bucket) -> None:
    assert bucket.get_blob("absent") is None
    assert not bucket.blob("absent").exists()
    with pytest.raises(NotFound):
        bucket.blob("absent").download_as_bytes()
    with pytest.raises(NotFound):
        bucket.blob("absent").delete()
    with pytest.raises(NotFound):
        client.bucket("no-such-bucket").blob("a").upload_from_string(b"")
    with pytest.raises(NotFound):
        list(client.list_blobs("no-such-bucket"))


def test_errors_have_the_shape_of_google_apis(
    server: StorageServer, client: storage.Client, bucket: storage.Bucket
) -> None:
    with pytest.raises(NotFound) as caught:
        client.get_bucket("no-such-bucket")
    assert caught.value.errors[0]["reason"] == "notFound"
    bucket.blob("a").upload_from_string(b"")
    with pytest.raises(PreconditionFailed) as refused:
        bucket.blob("a").delete(if_generation_match=1)
    assert refused.value.errors[0]["reason"] == "conditionNotMet"


def test_patch_changes_what_it_names_and_counts_up(bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.metadata = {"keep": "1", "drop": "2"}
    blob.upload_from_string(b"a", content_type="text/plain")
    generation, etag = blob.generation, blob.etag

    blob.metadata = {"drop": None, "new": "3"}
    blob.cache_control = "private"
    blob.patch()

    found = bucket.get_blob("a")
    assert found.metadata == {"keep": "1", "new": "3"}
    assert found.cache_control == "private"
    assert found.content_type == "text/plain"
    assert (found.generation, found.metageneration) == (generation, 2)
    assert found.updated >= found.time_created
    assert found.etag != etag


def test_update_replaces_all_metadata(bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.metadata = {"old": "1"}
    blob.upload_from_string(b"a", content_type="text/plain")

    fresh = bucket.blob("a")
    fresh.metadata = {"new": "2"}
    fresh.update()

    found = bucket.get_blob("a")
    assert found.metadata == {"new": "2"}
    assert found.content_type == "application/octet-stream"
    assert found.download_as_bytes() == b"a"


def test_overwriting_makes_a_new_generation_and_forgets_the_old(bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"old")
    old = blob.generation
    bucket.blob("a").upload_from_string(b"new")

    assert bucket.get_blob("a").generation > old
    assert bucket.get_blob("a", generation=old) is None
    with pytest.raises(NotFound):
        bucket.blob("a", generation=old).download_as_bytes()


def test_a_partial_answer_may_be_asked_for(client: storage.Client, bucket: storage.Bucket) -> None:
    bucket.blob("a").upload_from_string(b"a")
    names = client.list_blobs(bucket, fields="items(name),nextPageToken")
    assert [blob.name for blob in names] == ["a"]


@pytest.mark.parametrize("field", ["contentType", "contentDisposition", "cacheControl"])
@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "nul\x00", 3])
def test_what_becomes_a_header_must_be_fit_for_one(
    bucket: storage.Bucket, field: str, value: object
) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"a")
    blob._patch_property(field, value)
    with pytest.raises(BadRequest):
        blob.patch()
    assert bucket.get_blob("a").metageneration == 1


def test_metadata_must_be_text(bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob._patch_property("metadata", "not a mapping")
    with pytest.raises(BadRequest):
        blob.upload_from_string(b"a")
    assert not blob.exists()
