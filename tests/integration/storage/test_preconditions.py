"""Conditions on generation and metageneration, wherever Cloud Storage honours them."""

import io
from collections.abc import Callable

import pytest
import requests
from google.api_core.exceptions import NotFound, NotModified, PreconditionFailed
from google.cloud import storage

Operation = Callable[..., object]


@pytest.fixture
def blob(bucket: storage.Bucket) -> storage.Blob:
    blob = bucket.blob("there")
    blob.upload_from_string(b"content")
    return blob


def fresh(blob: storage.Blob) -> storage.Blob:
    """The same object, by a client that knows nothing of it."""
    return blob.bucket.blob(blob.name)


def resumable(blob: storage.Blob, **conditions: int) -> None:
    blob.chunk_size = 256 * 1024
    # Without its size, the client cannot choose an upload in one request.
    blob.upload_from_file(io.BytesIO(b"x" * 300 * 1024), **conditions)


WRITES: dict[str, Operation] = {
    "upload": lambda blob, **conditions: blob.upload_from_string(b"new", **conditions),
    "resumable": resumable,
    "copy": lambda blob, **conditions: blob.bucket.copy_blob(
        blob.bucket.get_blob("source"), blob.bucket, blob.name, **conditions
    ),
    "rewrite": lambda blob, **conditions: blob.rewrite(blob.bucket.blob("source"), **conditions),
    "move": lambda blob, **conditions: blob.bucket.move_blob(
        blob.bucket.blob("source"), blob.name, **conditions
    ),
    "compose": lambda blob, **conditions: blob.compose([blob.bucket.blob("source")], **conditions),
}
ON_WHAT_EXISTS: dict[str, Operation] = {
    "delete": lambda blob, **conditions: blob.delete(**conditions),
    "patch": lambda blob, **conditions: blob.patch(**conditions),
}
READS: dict[str, Operation] = {
    "get": lambda blob, **conditions: blob.reload(**conditions),
    "download": lambda blob, **conditions: blob.download_as_bytes(**conditions),
}


@pytest.fixture
def source(bucket: storage.Bucket) -> storage.Blob:
    blob = bucket.blob("source")
    blob.upload_from_string(b"source")
    return blob


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_create_only_writes_once(
    bucket: storage.Bucket, source: storage.Blob, write: Operation
) -> None:
    write(bucket.blob("new"), if_generation_match=0)
    first = bucket.get_blob("new")
    if bucket.get_blob("source") is None:
        bucket.blob("source").upload_from_string(b"source")
    with pytest.raises(PreconditionFailed):
        write(bucket.blob("new"), if_generation_match=0)
    assert bucket.get_blob("new").generation == first.generation


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_replacing_requires_the_generation_that_is_there(
    blob: storage.Blob, source: storage.Blob, write: Operation
) -> None:
    with pytest.raises(PreconditionFailed):
        write(fresh(blob), if_generation_match=blob.generation - 1)
    assert fresh(blob).download_as_bytes() == b"content"

    write(fresh(blob), if_generation_match=blob.generation)
    assert fresh(blob).download_as_bytes() != b"content"


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_generation_is_not_matched_by_nothing(
    bucket: storage.Bucket, source: storage.Blob, write: Operation
) -> None:
    with pytest.raises(PreconditionFailed):
        write(bucket.blob("absent"), if_generation_match=1)
    assert not bucket.blob("absent").exists()


@pytest.mark.parametrize("name", ["upload", "resumable", "copy", "rewrite", "move"])
def test_not_match_refuses_a_write_over_that_generation(
    blob: storage.Blob, source: storage.Blob, name: str
) -> None:
    with pytest.raises(PreconditionFailed):
        WRITES[name](fresh(blob), if_generation_not_match=blob.generation)
    WRITES[name](fresh(blob), if_generation_not_match=blob.generation - 1)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_writes_honour_the_metageneration(
    blob: storage.Blob, source: storage.Blob, write: Operation
) -> None:
    with pytest.raises(PreconditionFailed):
        write(fresh(blob), if_metageneration_match=2)
    write(fresh(blob), if_metageneration_match=1)


@pytest.mark.parametrize("operation", ON_WHAT_EXISTS.values(), ids=ON_WHAT_EXISTS)
def test_delete_and_patch_honour_all_four(blob: storage.Blob, operation: Operation) -> None:
    for wrong in (
        {"if_generation_match": blob.generation + 1},
        {"if_generation_match": 0},
        {"if_generation_not_match": blob.generation},
        {"if_metageneration_match": 2},
        {"if_metageneration_not_match": 1},
    ):
        with pytest.raises(PreconditionFailed):
            operation(fresh(blob), **wrong)
    assert fresh(blob).download_as_bytes() == b"content"
    operation(
        fresh(blob),
        if_generation_match=blob.generation,
        if_generation_not_match=blob.generation + 1,
        if_metageneration_match=1,
        if_metageneration_not_match=2,
    )


@pytest.mark.parametrize("operation", ON_WHAT_EXISTS.values(), ids=ON_WHAT_EXISTS)
def test_a_condition_on_what_is_absent_is_not_found(
    bucket: storage.Bucket, operation: Operation
) -> None:
    with pytest.raises(NotFound):
        operation(bucket.blob("absent"), if_generation_match=5)


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_reads_tell_failed_from_not_modified(blob: storage.Blob, read: Operation) -> None:
    for wrong in ({"if_generation_match": 1}, {"if_metageneration_match": 2}):
        with pytest.raises(PreconditionFailed):
            read(fresh(blob), **wrong)
    for same in ({"if_generation_not_match": blob.generation}, {"if_metageneration_not_match": 1}):
        with pytest.raises(NotModified):
            read(fresh(blob), **same)
    read(fresh(blob), if_generation_match=blob.generation, if_metageneration_match=1)
    read(fresh(blob), if_generation_not_match=1, if_metageneration_not_match=2)


@pytest.mark.parametrize("name", ["copy", "rewrite", "move"])
def test_copies_honour_conditions_on_their_source(
    bucket: storage.Bucket, source: storage.Blob, name: str
) -> None:
    for wrong in (
        {"if_source_generation_match": source.generation - 1},
        {"if_source_generation_not_match": source.generation},
        {"if_source_metageneration_match": 2},
        {"if_source_metageneration_not_match": 1},
    ):
        with pytest.raises(PreconditionFailed):
            WRITES[name](bucket.blob("copy"), **wrong)
    assert not bucket.blob("copy").exists()
    WRITES[name](bucket.blob("copy"), if_source_generation_match=source.generation)
    assert bucket.blob("copy").download_as_bytes() == b"source"


def test_compose_honours_conditions_on_its_sources(
    bucket: storage.Bucket, source: storage.Blob, blob: storage.Blob
) -> None:
    parts = [bucket.blob("source"), bucket.blob("there")]
    with pytest.raises(PreconditionFailed):
        bucket.blob("all").compose(parts, if_source_generation_match=[source.generation, 1])
    assert not bucket.blob("all").exists()
    bucket.blob("all").compose(
        parts, if_source_generation_match=[source.generation, blob.generation]
    )
    assert bucket.blob("all").download_as_bytes() == b"sourcecontent"


def test_metageneration_compare_and_swap(blob: storage.Blob) -> None:
    fresh(blob).patch(if_metageneration_match=1)
    with pytest.raises(PreconditionFailed):
        fresh(blob).patch(if_metageneration_match=1)
    assert fresh(blob).exists(if_metageneration_match=2)


def test_entity_tags_make_reads_conditional(blob: storage.Blob) -> None:
    reader = fresh(blob)
    with pytest.raises(NotModified):
        reader.reload(if_etag_not_match=blob.etag)
    with pytest.raises(PreconditionFailed):
        reader.reload(if_etag_match="another")
    assert reader.download_as_bytes(if_etag_match=blob.etag) == b"content"
    assert reader.download_as_bytes(if_etag_not_match="another") == b"content"

    blob.patch()
    reader.reload(if_etag_not_match=reader.etag + "x")
    assert (
        requests.get(
            blob.media_link, headers={"If-None-Match": f'"{blob.etag}"'}, timeout=10
        ).status_code
        == requests.codes.not_modified
    )


def test_a_bucket_has_a_metageneration_too(client: storage.Client, bucket: storage.Bucket) -> None:
    bucket.labels = {"team": "data"}
    with pytest.raises(PreconditionFailed):
        bucket.patch(if_metageneration_match=9)
    bucket.patch(if_metageneration_match=1)
    assert client.get_bucket(bucket.name).labels == {"team": "data"}


def test_a_condition_that_is_no_number_is_refused(blob: storage.Blob) -> None:
    answer = requests.get(blob.self_link, params={"ifGenerationMatch": "soon"}, timeout=10)
    assert answer.status_code == requests.codes.bad_request
