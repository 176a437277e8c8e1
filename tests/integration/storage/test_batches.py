"""The client's batches."""

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import storage


def test_a_batch_deletes_and_patches(client: storage.Client, bucket: storage.Bucket) -> None:
    for name in ("a", "b/ü 1", "c"):
        bucket.blob(name).upload_from_string(b"")
    kept = bucket.blob("c")
    kept.metadata = {"läden": "zwölf"}
    with client.batch():
        bucket.blob("a").delete()
        bucket.blob("b/ü 1").delete()
        kept.patch()
    (left,) = bucket.list_blobs()
    assert (left.name, left.metadata) == ("c", {"läden": "zwölf"})
    assert kept.metageneration == 2


def test_each_request_of_a_batch_stands_alone(
    client: storage.Client, bucket: storage.Bucket
) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"")
    with client.batch(raise_exception=False) as batch:
        bucket.blob("absent").delete()
        bucket.blob("a").delete(if_generation_match=1)
        bucket.blob("a").delete(if_generation_match=blob.generation)
    assert [response.status_code for response in batch._responses] == [404, 412, 204]
    assert not blob.exists()
    with pytest.raises(NotFound), client.batch():
        bucket.blob("a").delete()


def test_a_batch_of_a_thousand(client: storage.Client, bucket: storage.Bucket) -> None:
    with client.batch(raise_exception=False) as batch:
        for number in range(1000):
            bucket.blob(f"{number}").delete()
    assert {response.status_code for response in batch._responses} == {404}
    assert len(batch._responses) == 1000
