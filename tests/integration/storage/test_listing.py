"""Listings: order, pages, prefixes, delimiters, offsets, globs, versions."""

import random

import pytest
import requests
from google.api_core.exceptions import BadRequest
from google.cloud import storage

NAMES = ["a", "a/1", "a/2/x", "a/2/y", "a-b", "b/", "b/1", "b/c/", "b/c/d", "c", "é", "z/é", "😀"]


@pytest.fixture
def filled(bucket: storage.Bucket) -> storage.Bucket:
    for name in random.Random(1).sample(NAMES, len(NAMES)):
        bucket.blob(name).upload_from_string(b"")
    return bucket


def names(bucket: storage.Bucket, **query: object) -> list[str]:
    return [blob.name for blob in bucket.list_blobs(**query)]


def names_and_prefixes(bucket: storage.Bucket, **query: object) -> tuple[list[str], list[str]]:
    listing = bucket.list_blobs(**query)
    found = [blob.name for blob in listing]
    return found, sorted(listing.prefixes)


def test_names_come_in_the_order_of_their_utf8_bytes(filled: storage.Bucket) -> None:
    assert names(filled) == sorted(NAMES, key=str.encode)


def test_order_beyond_the_basic_plane_is_that_of_bytes_not_of_utf16(bucket: storage.Bucket) -> None:
    for name in ("\uffee", "\U00010000", "\ud7ff", "\ue000"):
        bucket.blob(name).upload_from_string(b"")
    assert names(bucket) == ["\ud7ff", "\ue000", "\uffee", "\U00010000"]


@pytest.mark.parametrize("page_size", [1, 2, 3, 5, len(NAMES), len(NAMES) + 1])
def test_pages_join_to_the_whole(filled: storage.Bucket, page_size: int) -> None:
    pages = [[blob.name for blob in page] for page in filled.list_blobs(page_size=page_size).pages]
    assert [name for page in pages for name in page] == sorted(NAMES, key=str.encode)
    assert all(len(page) == page_size for page in pages[:-1])
    assert pages[-1]


@pytest.mark.parametrize("page_size", [1, 2, 3, 5, 100])
def test_pages_with_a_delimiter_join_to_the_whole(filled: storage.Bucket, page_size: int) -> None:
    found = names_and_prefixes(filled, delimiter="/", page_size=page_size)
    assert found == (["a", "a-b", "c", "é", "😀"], ["a/", "b/", "z/"])


def test_a_page_counts_objects_and_prefixes_together(
    client: storage.Client, filled: storage.Bucket
) -> None:
    answer = requests.get(
        f"{client._connection.API_BASE_URL}/storage/v1/b/{filled.name}/o",
        params={"delimiter": "/", "maxResults": 3},
        timeout=10,
    ).json()
    assert [item["name"] for item in answer["items"]] == ["a", "a-b"]
    assert answer["prefixes"] == ["a/"]
    assert answer["nextPageToken"]


def test_a_listing_stops_where_it_is_told_to(filled: storage.Bucket) -> None:
    assert len(names(filled, max_results=4)) == 4


def test_more_than_a_thousand_come_in_pages(bucket: storage.Bucket) -> None:
    for number in range(1003):
        bucket.blob(f"{number:04d}").upload_from_string(b"")
    pages = [len(list(page)) for page in bucket.list_blobs(page_size=5000).pages]
    assert pages == [1000, 3]


def test_what_changes_between_pages_disturbs_nothing_else(filled: storage.Bucket) -> None:
    pages = filled.list_blobs(page_size=4).pages
    seen = [blob.name for blob in next(pages)]
    rest = sorted(NAMES, key=str.encode)[4:]
    filled.blob(rest[0]).delete()
    filled.blob("!").upload_from_string(b"")
    seen += [blob.name for page in pages for blob in page]
    assert seen == [name for name in sorted(NAMES, key=str.encode) if name != rest[0]]


def test_prefixes(filled: storage.Bucket) -> None:
    assert names(filled, prefix="a") == ["a", "a-b", "a/1", "a/2/x", "a/2/y"]
    assert names(filled, prefix="a/") == ["a/1", "a/2/x", "a/2/y"]
    assert names(filled, prefix="😀") == ["😀"]
    assert names(filled, prefix="nothing") == []


def test_a_prefix_at_an_end_of_unicode_has_an_end(bucket: storage.Bucket) -> None:
    for name in ("\ud7ff", "\ud7ffa", "\ue000", "\U0010fffe", "\U0010ffff", "\U0010ffffa"):
        bucket.blob(name).upload_from_string(b"")
    assert names(bucket, prefix="\U0010ffff") == ["\U0010ffff", "\U0010ffffa"]
    assert names(bucket, prefix="\ud7ff") == ["\ud7ff", "\ud7ffa"]  # before the surrogates


def test_a_delimiter_groups_within_the_prefix(filled: storage.Bucket) -> None:
    assert names_and_prefixes(filled, prefix="a/", delimiter="/") == (["a/1"], ["a/2/"])
    assert names_and_prefixes(filled, prefix="b/", delimiter="/") == (["b/", "b/1"], ["b/c/"])
    assert names_and_prefixes(filled, prefix="a", delimiter="-") == (
        ["a", "a/1", "a/2/x", "a/2/y"],
        ["a-"],
    )


def test_a_delimiter_may_be_longer_than_a_character(bucket: storage.Bucket) -> None:
    for name in ("x--y", "x-y", "x--z"):
        bucket.blob(name).upload_from_string(b"")
    assert names_and_prefixes(bucket, delimiter="--") == (["x-y"], ["x--"])


@pytest.mark.parametrize("page_size", [2, 3, 100])
def test_objects_that_end_in_the_delimiter_can_be_shown_too(
    filled: storage.Bucket, page_size: int
) -> None:
    found = names_and_prefixes(
        filled, delimiter="/", include_trailing_delimiter=True, page_size=page_size
    )
    assert found == (["a", "a-b", "b/", "c", "é", "😀"], ["a/", "b/", "z/"])


def test_offsets_include_the_start_and_exclude_the_end(filled: storage.Bucket) -> None:
    assert names(filled, start_offset="a/2/x", end_offset="b/1") == ["a/2/x", "a/2/y", "b/"]
    assert names(filled, prefix="b/", start_offset="b/c") == ["b/c/", "b/c/d"]
    assert names(filled, prefix="b/", end_offset="b/1") == ["b/"]
    assert names_and_prefixes(filled, delimiter="/", start_offset="b") == (
        ["c", "é", "😀"],
        ["b/", "z/"],
    )


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("*", ["a", "a-b", "c", "é", "😀"]),
        ("**", sorted(NAMES, key=str.encode)),
        ("a/*", ["a/1"]),
        ("a/**", ["a/1", "a/2/x", "a/2/y"]),
        ("**/[xd]", ["a/2/x", "b/c/d"]),
        ("?", ["a", "c", "é", "😀"]),
        ("[!a]", ["c", "é", "😀"]),
        ("{a/1,b/*,nothing}", ["a/1", "b/", "b/1"]),
        ("z/é", ["z/é"]),
        ("a.b", []),
    ],
)
def test_globs(filled: storage.Bucket, glob: str, expected: list[str]) -> None:
    assert names(filled, match_glob=glob) == expected
    assert names(filled, match_glob=glob, page_size=1) == expected


def test_a_glob_that_is_none_is_refused(filled: storage.Bucket) -> None:
    with pytest.raises(BadRequest):
        names(filled, match_glob="{a")


def test_a_page_token_that_is_none_is_refused(filled: storage.Bucket) -> None:
    with pytest.raises(BadRequest):
        names(filled, page_token="not ours")  # noqa: S106 - a place in a listing is no secret


@pytest.mark.parametrize("page_size", [1, 2, 100])
def test_versions_are_listed_by_name_and_age(versioned: storage.Bucket, page_size: int) -> None:
    expected = []
    for name in ("a", "b"):
        for content in ("1", "2", "3"):
            blob = versioned.blob(name)
            blob.upload_from_string(content)
            expected.append((name, blob.generation))
    versioned.blob("b").delete()

    found = list(versioned.list_blobs(versions=True, page_size=page_size))

    assert [(blob.name, blob.generation) for blob in found] == expected
    assert [blob.time_deleted is None for blob in found] == [False, False, True, *3 * [False]]
    assert names(versioned) == ["a"]


def test_a_listing_shows_what_the_object_shows(bucket: storage.Bucket) -> None:
    blob = bucket.blob('quo"te\\ü')
    blob.metadata = {"selfLink": "/mine", "kind": "of"}
    blob.upload_from_string(b"abc")
    (listed,) = bucket.list_blobs()
    assert listed._properties == bucket.get_blob(blob.name)._properties
    assert listed.metadata == {"selfLink": "/mine", "kind": "of"}
