"""Odd names: what Cloud Storage allows arrives as it was sent, everywhere."""

import unicodedata
from collections.abc import Callable

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import storage

ODD = [
    "with space",
    " leading and trailing ",
    "hash#tag",
    "per%cent",
    "per%20cent",
    "%2F",
    "what?",
    "a=b&c=d",
    "plus+plus",
    "semi;colon,comma",
    "quo\"te's",
    "back\\slash",
    "a/../b",
    "../up",
    "a/./b",
    "...",
    "double//slash",
    "//",
    "/leading",
    "trailing/",
    "/",
    "ünïcödé",
    "日本語/ファイル.csv",
    "😀/🌷",
    "tab\there",
    "nul\x00byte",
    "del\x7f",
    "~tilde",
    "[brackets]{braces}",
    "compose",
    "o/rewriteTo/b/x/o/y",
    "\u202eright to left",
    "x" * 1000,
    "é" * 512,
]


@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_an_odd_name_goes_the_whole_way(
    bucket: storage.Bucket, upload_in_chunks: Callable[..., storage.Blob], name: str
) -> None:
    blob = bucket.blob(name)
    blob.upload_from_string(b"1", if_generation_match=0)
    assert blob.name == name
    assert bucket.blob(name).download_as_bytes() == b"1"
    assert blob.download_as_bytes() == b"1"  # by its mediaLink
    assert [found.name for found in bucket.list_blobs()] == [name]
    assert [found.name for found in bucket.list_blobs(prefix=name)] == [name]

    large = upload_in_chunks(bucket.blob(name), b"2" * 300 * 1024)
    assert bucket.get_blob(name).size == 300 * 1024

    bucket.copy_blob(large, bucket, "copy")
    bucket.blob(name).rewrite(bucket.blob("copy"))
    bucket.blob(name).compose([bucket.blob(name), bucket.blob("copy")])
    assert bucket.get_blob(name).size == 600 * 1024
    bucket.move_blob(bucket.blob(name), "moved")
    bucket.move_blob(bucket.blob("moved"), name)
    bucket.blob(name).patch()
    bucket.blob(name).delete()
    assert not bucket.blob(name).exists()


def test_all_of_them_live_side_by_side(bucket: storage.Bucket) -> None:
    for name in ODD:
        bucket.blob(name).upload_from_string(name)
    assert [blob.name for blob in bucket.list_blobs()] == sorted(ODD, key=str.encode)
    for name in ODD:
        assert bucket.blob(name).download_as_bytes() == name.encode()
    with bucket.client.batch():
        for name in ODD:
            bucket.blob(name).delete()
    assert list(bucket.list_blobs()) == []


def test_normal_forms_are_different_names(bucket: storage.Bucket) -> None:
    composed = unicodedata.normalize("NFC", "é")
    decomposed = unicodedata.normalize("NFD", "é")
    bucket.blob(composed).upload_from_string(b"composed")
    bucket.blob(decomposed).upload_from_string(b"decomposed")
    assert bucket.blob(composed).download_as_bytes() == b"composed"
    assert bucket.blob(decomposed).download_as_bytes() == b"decomposed"
    assert len(list(bucket.list_blobs())) == 2


def test_case_matters(bucket: storage.Bucket) -> None:
    bucket.blob("A").upload_from_string(b"")
    assert not bucket.blob("a").exists()


@pytest.mark.parametrize(
    "name", ["x" * 1025, "é" * 513, "line\nbreak", "carriage\rreturn", "."], ids=ascii
)
def test_a_name_that_cloud_storage_refuses_is_refused(
    bucket: storage.Bucket, upload_in_chunks: Callable[..., storage.Blob], name: str
) -> None:
    with pytest.raises(BadRequest):
        bucket.blob(name).upload_from_string(b"")
    with pytest.raises(BadRequest):
        upload_in_chunks(bucket.blob(name), b"x")
    bucket.blob("source").upload_from_string(b"")
    if name != ".":  # which no URL can carry
        with pytest.raises(BadRequest):
            bucket.blob(name).compose([bucket.blob("source")])
    assert [blob.name for blob in bucket.list_blobs()] == ["source"]


def test_the_longest_name_is_kept(bucket: storage.Bucket) -> None:
    bucket.blob("x" * 1024).upload_from_string(b"")
    assert bucket.blob("x" * 1024).exists()
