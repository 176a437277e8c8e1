"""What the port promises beyond what a deployment's life depends on (`test_promises`)."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryFile

import pytest

from perennial.errors import ObjectNotFound, StoreError
from perennial.ports import ObjectInfo, ObjectStore

ODD_NAMES = [
    "with space",
    "ünïcödé/日本語/🌼",
    "hash#mark?query=1&x=2",
    "per%20cent%2Fcoded%",
    "a/../b",
    "../up",
    "./here",
    "double//slash",
    "/leading",
    "trailing/",
    "plus+and;semicolon,comma",
    "quote'\"back\\slash",
    "bracket[0]*{x}?",
    "long/" + "x" * 900,
]


def listed(store: ObjectStore, prefix: str, **bounds: str | int | bool | None) -> list[str]:
    return [i.name.removeprefix(prefix) for i in store.list(prefix, **bounds)]  # type: ignore[arg-type]


class TestReading:
    def test_what_was_written_is_read_with_its_facts(self, store: ObjectStore, room: str) -> None:
        created = store.create(room + "a", b"petals", metadata={"kind": "rose"})
        read = store.read(room + "a")

        assert read.data == b"petals"
        assert (read.info.bucket, read.info.name) == (store.bucket, room + "a")
        assert (read.info.generation, read.info.size) == (created.generation, 6)
        assert store.stat(room + "a") == created

    def test_metadata_is_seen_by_stat_and_list_and_not_by_read(
        self, store: ObjectStore, room: str
    ) -> None:
        store.create(room + "a", b"", metadata={"Kind": "rose; ünïcödé", "rows": "12"})

        assert store.stat(room + "a").metadata == {"Kind": "rose; ünïcödé", "rows": "12"}
        assert next(store.list(room)).metadata == {"Kind": "rose; ünïcödé", "rows": "12"}
        assert store.read(room + "a").info.metadata == {}

    def test_an_object_without_metadata_has_an_empty_mapping(
        self, store: ObjectStore, room: str
    ) -> None:
        assert store.create(room + "a", b"").metadata == {}
        assert next(store.list(room)).metadata == {}

    def test_creation_time_is_now_and_agrees_with_the_generation(
        self, store: ObjectStore, room: str
    ) -> None:
        info = store.create(room + "a", b"")
        by_generation = datetime.fromtimestamp(info.generation / 1e6, UTC)

        assert abs(info.created - datetime.now(UTC)) < timedelta(minutes=5)
        assert abs(info.created - by_generation) < timedelta(seconds=1)
        assert abs(store.read(room + "a").info.created - info.created) < timedelta(seconds=1)
        assert info.deleted is None

    def test_what_is_not_there_is_not_found(self, store: ObjectStore, room: str) -> None:
        generation = store.create(room + "there", b"").generation

        with pytest.raises(ObjectNotFound) as caught:
            store.read(room + "absent")
        assert caught.value.bucket == store.bucket
        assert caught.value.name == room + "absent"
        with pytest.raises(ObjectNotFound):
            store.stat(room + "absent")
        with pytest.raises(ObjectNotFound), TemporaryFile() as file:
            store.download(room + "absent", file)
        with pytest.raises(ObjectNotFound):
            store.read(room + "there", generation=generation - 1)

    def test_an_empty_object_is_an_object(self, store: ObjectStore, room: str) -> None:
        store.create(room + "empty", b"")

        assert store.read(room + "empty").data == b""
        assert store.stat(room + "empty").size == 0


class TestWriting:
    def test_overwrite_writes_whether_or_not_something_is_there(
        self, store: ObjectStore, room: str
    ) -> None:
        store.overwrite(room + "a", b"one", metadata={"k": "1"})
        store.overwrite(room + "a", b"two")

        assert store.read(room + "a").data == b"two"
        assert store.stat(room + "a").metadata == {}

    @pytest.mark.parametrize("name", ["x" * 1025, "line\nbreak", "carriage\rreturn"])
    def test_names_that_cannot_be_are_refused(self, store: ObjectStore, name: str) -> None:
        with pytest.raises(StoreError):
            store.create(name, b"")


class TestBigObjects:
    def test_a_big_file_goes_up_and_down_in_a_stream(self, store: ObjectStore, room: str) -> None:
        content = random.Random(7).randbytes(20 * 1024 * 1024 + 13)
        with TemporaryFile() as file:
            file.write(content)  # the position is at the end: the whole file is meant
            info = store.create(room + "big", file)
        with TemporaryFile() as file:
            downloaded = store.download(room + "big", file)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()

        assert info.size == downloaded.size == len(content)
        assert downloaded.generation == info.generation
        assert digest == hashlib.sha256(content).hexdigest()

    def test_a_download_is_written_where_the_file_stands(
        self, store: ObjectStore, room: str
    ) -> None:
        store.create(room + "a", b"petals")
        with TemporaryFile() as file:
            file.write(b"before,")
            assert store.download(room + "a", file).size == 6
            file.seek(0)
            assert file.read() == b"before,petals"


class TestNames:
    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_odd_names_are_names(self, store: ObjectStore, room: str, name: str) -> None:
        info = store.create(room + name, name.encode())
        copy = store.copy_from(
            store, room + name, room + "copy of " + name, generation=info.generation
        )

        assert info.name == room + name
        assert store.stat(room + name) == info
        assert store.read(room + name).data == name.encode()
        assert store.read(copy.name).data == name.encode()
        assert set(listed(store, room)) == {name, "copy of " + name}
        store.delete(room + name)
        with pytest.raises(ObjectNotFound):
            store.stat(room + name)


class TestListing:
    def test_start_is_included_and_end_is_excluded(self, store: ObjectStore, room: str) -> None:
        for name in "abcde":
            store.create(room + name, b"")

        assert listed(store, room, start=room + "b", end=room + "d") == ["b", "c"]
        assert listed(store, room, start=room + "bb") == ["c", "d", "e"]
        assert listed(store, room, end=room + "b") == ["a"]
        assert listed(store, room + "c", start=room + "a") == [""]
        assert listed(store, room, start=room + "d", end=room + "b") == []

    def test_a_prefix_is_any_beginning(self, store: ObjectStore, room: str) -> None:
        for name in ["rose/1", "rose/2", "roses", "tulip/1"]:
            store.create(room + name, b"")

        assert listed(store, room + "rose") == ["/1", "/2", "s"]
        assert listed(store, room + "rose/") == ["1", "2"]
        assert listed(store, room + "none") == []

    def test_limit_bounds_the_listing(self, store: ObjectStore, room: str) -> None:
        for name in "abcde":
            store.create(room + name, b"")

        assert listed(store, room, limit=2) == ["a", "b"]
        assert listed(store, room, limit=0) == []
        assert listed(store, room, limit=9) == list("abcde")
        assert listed(store, room, start=room + "d", limit=1) == ["d"]

    def test_a_listing_shows_what_stat_shows(self, store: ObjectStore, room: str) -> None:
        infos = [
            store.create(room + "a", b"1", metadata={"k": "v"}),
            store.overwrite(room + "b", b"22"),
        ]

        assert list(store.list(room)) == infos


class TestCopying:
    def test_a_copy_is_a_new_object_with_the_same_bytes(
        self, store: ObjectStore, versioned: ObjectStore, room: str
    ) -> None:
        original = store.create(room + "a", b"petals")
        copy = versioned.copy_from(store, room + "a", room + "b", generation=original.generation)

        assert (copy.bucket, copy.name, copy.size) == (versioned.bucket, room + "b", 6)
        assert versioned.read(room + "b").data == b"petals"
        assert versioned.read(room + "b").info.generation == copy.generation

    def test_a_generation_that_is_gone_cannot_be_copied(
        self, store: ObjectStore, room: str
    ) -> None:
        old = store.create(room + "a", b"one").generation
        store.overwrite(room + "a", b"two")

        with pytest.raises(ObjectNotFound):
            store.copy_from(store, room + "a", room + "b", generation=old)
        with pytest.raises(ObjectNotFound):
            store.stat(room + "b")

    def test_a_noncurrent_generation_can_be_copied(
        self, store: ObjectStore, versioned: ObjectStore, room: str
    ) -> None:
        old = versioned.create(room + "a", b"one").generation
        versioned.overwrite(room + "a", b"two")

        store.copy_from(versioned, room + "a", room + "b", generation=old)

        assert store.read(room + "b").data == b"one"


class TestDeleting:
    def test_what_is_deleted_is_gone(self, store: ObjectStore, room: str) -> None:
        generation = store.create(room + "a", b"").generation
        store.delete(room + "a")

        with pytest.raises(ObjectNotFound):
            store.read(room + "a")
        with pytest.raises(ObjectNotFound):
            store.read(room + "a", generation=generation)
        assert listed(store, room, versions=True) == []

    def test_what_is_not_there_cannot_be_deleted(self, store: ObjectStore, room: str) -> None:
        old = store.create(room + "a", b"one").generation
        store.overwrite(room + "a", b"two")

        with pytest.raises(ObjectNotFound):
            store.delete(room + "b")
        with pytest.raises(ObjectNotFound):
            store.delete(room + "a", generation=old)
        assert store.read(room + "a").data == b"two"


class TestVersions:
    def test_every_generation_is_listed_oldest_first(
        self, versioned: ObjectStore, room: str
    ) -> None:
        one = versioned.create(room + "a", b"1", metadata={"n": "1"})
        other = versioned.create(room + "b", b"b")
        two = versioned.overwrite(room + "a", b"22")
        three = versioned.replace(room + "a", b"333", generation=two.generation)

        infos = list(versioned.list(room, versions=True))

        assert [i.generation for i in infos] == [
            one.generation, two.generation, three.generation, other.generation
        ]  # fmt: skip
        assert [i.deleted is None for i in infos] == [False, False, True, True]
        assert infos[0].metadata == {"n": "1"}
        assert list(versioned.list(room)) == [three, other]
        assert [i.generation for i in versioned.list(room, versions=True, limit=2)] == [
            one.generation, two.generation
        ]  # fmt: skip

    def test_an_overwritten_generation_can_be_read(self, versioned: ObjectStore, room: str) -> None:
        old = versioned.create(room + "a", b"one").generation
        versioned.overwrite(room + "a", b"two")

        assert versioned.read(room + "a").data == b"two"
        assert versioned.read(room + "a", generation=old).data == b"one"
        assert versioned.stat(room + "a", generation=old).deleted is not None

    def test_deleting_makes_noncurrent(self, versioned: ObjectStore, room: str) -> None:
        old = versioned.create(room + "a", b"one").generation
        versioned.delete(room + "a")

        with pytest.raises(ObjectNotFound):
            versioned.read(room + "a")
        with pytest.raises(ObjectNotFound):
            versioned.delete(room + "a")
        assert listed(versioned, room) == []
        assert versioned.read(room + "a", generation=old).data == b"one"
        assert versioned.create(room + "a", b"again").generation > old

    def test_deleting_a_generation_is_for_good(self, versioned: ObjectStore, room: str) -> None:
        old = versioned.create(room + "a", b"one").generation
        new = versioned.overwrite(room + "a", b"two").generation
        versioned.delete(room + "a", generation=old)

        with pytest.raises(ObjectNotFound):
            versioned.read(room + "a", generation=old)
        assert [i.generation for i in versioned.list(room, versions=True)] == [new]

    def test_a_live_generation_is_deleted_for_good_too(
        self, versioned: ObjectStore, room: str
    ) -> None:
        generation = versioned.create(room + "a", b"one").generation
        versioned.delete(room + "a", generation=generation)

        assert list(versioned.list(room, versions=True)) == []

    def test_a_generation_is_of_one_name(self, versioned: ObjectStore, room: str) -> None:
        info: ObjectInfo = versioned.create(room + "a", b"one")
        versioned.create(room + "b", b"two")

        with pytest.raises(ObjectNotFound):
            versioned.read(room + "b", generation=info.generation)
