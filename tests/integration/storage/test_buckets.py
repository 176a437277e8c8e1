"""Buckets: create, get, list, change, delete."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud import storage

from localdev.storage.process import StorageServer


def test_a_bucket_reads_back(client: storage.Client) -> None:
    name = f"bucket-{uuid4().hex}"
    bucket = client.bucket(name)
    bucket.labels = {"team": "data"}
    bucket.storage_class = "NEARLINE"
    created = client.create_bucket(bucket, location="EU")
    found = client.get_bucket(name)
    assert found.labels == {"team": "data"}
    assert (found.storage_class, found.location) == ("NEARLINE", "EU")
    assert found.metageneration == 1
    assert found.time_created == created.time_created
    assert not found.versioning_enabled


@pytest.mark.parametrize(
    ("location", "kind"),
    [("europe-west1", "region"), ("eu", "multi-region"), ("nam4", "dual-region")],
)
def test_a_place_is_written_in_capitals(client: storage.Client, location: str, kind: str) -> None:
    bucket = client.create_bucket(f"bucket-{uuid4().hex}", location=location)
    assert (bucket.location, bucket.location_type) == (location.upper(), kind)


def test_a_bucket_can_be_created_once(client: storage.Client, bucket: storage.Bucket) -> None:
    with pytest.raises(Conflict):
        client.create_bucket(bucket.name)


@pytest.mark.parametrize("name", ["UPPER", "a b", "a!b", "ü123"])
def test_a_name_that_no_bucket_may_have_is_refused(client: storage.Client, name: str) -> None:
    with pytest.raises(BadRequest):
        client.create_bucket(name)


def test_buckets_are_listed_by_name(client: storage.Client) -> None:
    prefix = f"list-{uuid4().hex}"
    for name in ("b", "a", "c"):
        client.create_bucket(f"{prefix}-{name}")
    found = [bucket.name for bucket in client.list_buckets(prefix=prefix)]
    assert found == [f"{prefix}-a", f"{prefix}-b", f"{prefix}-c"]


def test_patching_counts_up_and_deletes_what_is_null(
    client: storage.Client, bucket: storage.Bucket
) -> None:
    bucket.labels = {"a": "1", "b": "2"}
    bucket.patch()
    found = client.get_bucket(bucket.name)
    found.labels = {"a": "1"}
    found.patch()
    found = client.get_bucket(bucket.name)
    assert found.labels == {"a": "1"}
    assert found.metageneration == 3


def test_only_an_empty_bucket_can_be_deleted(
    client: storage.Client, versioned: storage.Bucket
) -> None:
    blob = versioned.blob("a")
    blob.upload_from_string(b"")
    versioned.blob("a").delete()
    with pytest.raises(Conflict):
        versioned.delete()
    blob.delete()  # the noncurrent generation
    versioned.delete()
    assert client.lookup_bucket(versioned.name) is None
    with pytest.raises(NotFound):
        versioned.delete()


def test_buckets_of_the_command_line_are_there_and_stay(
    own_server: StorageServer, new_client: Callable[..., storage.Client]
) -> None:
    client = new_client(own_server)
    assert not client.get_bucket("plain").versioning_enabled
    assert client.get_bucket("kept").versioning_enabled
    client.bucket("plain").blob("a").upload_from_string(b"a")
    own_server.restart()
    assert client.bucket("plain").blob("a").download_as_bytes() == b"a"
    assert client.get_bucket("plain").metageneration == 1
