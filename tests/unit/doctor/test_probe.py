"""A bucket that breaks a promise is found out, by that promise; one that keeps all is passed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from perennial.adapters.clock import SystemClock
from perennial.adapters.memory import MemoryStore
from perennial.domain.doctoring.findings import Finding
from perennial.errors import PermissionDenied, PreconditionFailed, StoreError, StoreUnavailable
from perennial.ports import ObjectInfo, StoredObject
from perennial.workflows.doctoring.probe import FOLDER, probe
from perennial.workflows.doctoring.promises import reading
from perennial.workflows.doctoring.promises.catalogue import PROMISES

CLOCK = SystemClock()


class Still:
    """A time that stands still."""

    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0, second=0)


def look(store: Any, *, versioned: bool = False, **words: Any) -> dict[str, Finding]:
    found = list(probe(store, CLOCK, "run", versioned=versioned, **words))
    assert len({one.check for one in found}) == len(found)
    return {one.check: one for one in found}


def refuse(name: str, data: bytes) -> None:
    raise StoreError(f"400 {name}: the checksum is wrong")


@pytest.mark.parametrize("versioned", [False, True])
def test_a_bucket_that_keeps_every_promise_is_passed_and_left_as_it_was(versioned: bool) -> None:
    store = MemoryStore("models", versioned=versioned)
    mine = store.create("shop/registry/head.json", b"mine")
    another = store.create(FOLDER + "another/00/a", b"another probe's")

    found = look(store, versioned=versioned, corrupt=refuse)

    assert {one.state for one in found.values()} == {"ok"}
    # One promise is for buckets with versions, another for those without.
    assert len(found) == len(PROMISES) - 1 + len(["clean-up"])
    assert list(store.list(versions=True)) == [another, mine]


class LastWriterWins(MemoryStore):
    def create(self, name, data, **words):  # type: ignore[no-untyped-def]
        return super().overwrite(name, data, metadata=words.get("metadata"))


class ChecksThenCreates(MemoryStore):
    """All who create at once look first, and then all write."""

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self.barriers: dict[str, Barrier] = {}

    def create(self, name, data, **words):  # type: ignore[no-untyped-def]
        if "race-" not in name:
            return super().create(name, data, **words)
        with self._lock:
            barrier = self.barriers.setdefault(name, Barrier(8))
        barrier.wait()
        return super().overwrite(name, data)


class IgnoresTheGeneration(MemoryStore):
    """But of the counter, where it is chance whether anybody is lost."""

    def replace(self, name, data, *, generation, metadata=None):  # type: ignore[no-untyped-def]
        if name.endswith("counter"):
            return super().replace(name, data, generation=generation, metadata=metadata)
        return super().overwrite(name, data, metadata=metadata)


class ChecksThenSwaps(MemoryStore):
    """The first four who swap look first, and then all write."""

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self.barrier = Barrier(4)
        self.swaps = 0

    def replace(self, name, data, *, generation, metadata=None):  # type: ignore[no-untyped-def]
        with self._lock:
            self.swaps += name.endswith("counter")
            first = name.endswith("counter") and self.swaps <= 4
        if not first:
            return super().replace(name, data, generation=generation, metadata=metadata)
        self.barrier.wait()
        return super().overwrite(name, data)


class Forgets(MemoryStore):
    """After a deletion, generations begin where they began."""

    def __init__(self, bucket: str) -> None:
        super().__init__(bucket, Still())  # type: ignore[arg-type]

    def delete(self, name, *, generation=None):  # type: ignore[no-untyped-def]
        super().delete(name, generation=generation)
        self._last = 0


class ReadsWhatIsLive(MemoryStore):
    def _find(self, name, generation):  # type: ignore[no-untyped-def]
        return super()._find(name, None)


class ListsLate(MemoryStore):
    """A listing shows what the one before it should have shown."""

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self.shown: dict[str, list[ObjectInfo]] = {}

    def list(self, prefix: str = "", **bounds: Any) -> Iterator[ObjectInfo]:
        now = [*super().list(prefix, **bounds)]
        if bounds:
            return iter(now)
        before = self.shown.get(prefix, now)
        self.shown[prefix] = now
        return iter(before)


class Sorts(MemoryStore):
    """As UTF-16 does, in which an emoji comes before the last of the basic plane."""

    def list(self, prefix: str = "", **bounds: Any) -> Iterator[ObjectInfo]:
        found = super().list(prefix, **bounds)
        return iter(sorted(found, key=lambda one: one.name.encode("utf-16-be")))


class IncludesTheEnd(MemoryStore):
    def list(self, prefix="", *, end=None, **bounds):  # type: ignore[no-untyped-def]
        return super().list(prefix, end=None if end is None else end + "\0", **bounds)


class ExcludesTheStart(MemoryStore):
    def list(self, prefix="", *, start=None, **bounds):  # type: ignore[no-untyped-def]
        return super().list(prefix, start=None if start is None else start + "\0", **bounds)


class OnePage(MemoryStore):
    def list(self, prefix="", *, versions=False, **bounds):  # type: ignore[no-untyped-def]
        found = list(super().list(prefix, versions=versions, **bounds))
        return iter(found if versions else found[:1000])


class LosesMetadata(MemoryStore):
    def _write(self, name, data, metadata, **words):  # type: ignore[no-untyped-def]
        return super()._write(name, data, None, **words)


class CopiesWhatIsLive(MemoryStore):
    def copy_from(self, source, name, to, *, generation):  # type: ignore[no-untyped-def]
        return self.create(to, source.read(name).data)


class CopiesOntoOthers(MemoryStore):
    def copy_from(self, source, name, to, *, generation):  # type: ignore[no-untyped-def]
        return self.overwrite(to, source.read(name, generation=generation).data)


class DeletesWhatIsLive(MemoryStore):
    """Whichever generation is named; clean-up names those that live."""

    def delete(self, name, *, generation=None):  # type: ignore[no-untyped-def]
        super().delete(name)


class TearsReads(MemoryStore):
    """Half of what was there, half of what is."""

    def read(self, name, *, generation=None):  # type: ignore[no-untyped-def]
        found = super().read(name, generation=generation)
        if not name.endswith("busy"):
            return found
        return StoredObject(found.info, found.data[:500] + b"x" * 500)


class FoldsNames(MemoryStore):
    """As a file system that knows no upper case, or takes dots for its own."""

    def _write(self, name, *words, **named):  # type: ignore[no-untyped-def]
        return super()._write(name.replace("/../", "/"), *words, **named)

    def _find(self, name, generation):  # type: ignore[no-untyped-def]
        return super()._find(name.replace("/../", "/"), generation)


class IsAhead(MemoryStore):
    def _write(self, *words, **named):  # type: ignore[no-untyped-def]
        info = super()._write(*words, **named)
        return replace(info, created=info.created + reading.SKEW + timedelta(seconds=30))


class CutsLargeFiles(MemoryStore):
    def _write(self, name, data, *words, **named):  # type: ignore[no-untyped-def]
        if not isinstance(data, bytes):
            data.seek(0)
            data = data.read(16 * 2**20)
        return super()._write(name, data, *words, **named)


class ForgetsDeletions(MemoryStore):
    """What was deleted is read as if it were there; clean-up names generations."""

    def delete(self, name, *, generation=None):  # type: ignore[no-untyped-def]
        if generation is not None:
            super().delete(name, generation=generation)


class InventsGenerations(MemoryStore):
    """One that never was is the next one."""

    def read(self, name, *, generation=None):  # type: ignore[no-untyped-def]
        if generation is not None and name.endswith("there"):
            return super().read(name)
        return super().read(name, generation=generation)


BROKEN: dict[Callable[..., MemoryStore], set[str]] = {
    LastWriterWins: {
        "an object is created once",
        "of many who create at once one wins",
        "a large file arrives whole, once",
    },
    ChecksThenCreates: {"of many who create at once one wins"},
    IgnoresTheGeneration: {"a swap needs the live generation"},
    ChecksThenSwaps: {"of many who swap at once nobody is lost"},
    Forgets: {"generations increase"},
    ReadsWhatIsLive: {
        "a read is of the generation named",
        "a replaced generation is gone",
        "a copy is of the generation named",
        "what is not there is not found",
        "what is deleted is gone",
    },
    ListsLate: {"a write shows in the next listing"},
    Sorts: {"listings are in byte order"},
    IncludesTheEnd: {"listings keep their bounds", "listings go past a page"},
    ExcludesTheStart: {"listings keep their bounds", "listings go past a page"},
    OnePage: {"listings go past a page"},
    LosesMetadata: {"facts and metadata are kept"},
    CopiesWhatIsLive: {"a copy is of the generation named"},
    CopiesOntoOthers: {"a copy is of the generation named"},
    DeletesWhatIsLive: {"what is deleted is gone"},
    TearsReads: {"bytes fit their generation"},
    FoldsNames: {"any name is a name"},
    IsAhead: {"clocks agree"},
    CutsLargeFiles: {"a large file arrives whole, once"},
    ForgetsDeletions: {
        "what is deleted is gone",
        "a write shows in the next listing",
        "generations increase",
    },
    InventsGenerations: {"what is not there is not found"},
}


@pytest.mark.parametrize("store", BROKEN, ids=lambda store: store.__name__)
def test_a_broken_promise_is_found_out(store: Callable[..., MemoryStore]) -> None:
    found = look(store("bucket"))

    problems = {check for check, one in found.items() if one.state == "problem"}
    assert problems == BROKEN[store]
    for check in problems:
        assert found[check].expected
        assert found[check].found
        assert found[check].fix.startswith("do not use this bucket")


@pytest.mark.parametrize(
    ("versioned", "check"),
    [(True, "replaced generations are kept"), (False, "a replaced generation is gone")],
)
def test_a_bucket_whose_versions_are_not_what_it_says_is_found_out(
    versioned: bool, check: str
) -> None:
    found = look(MemoryStore("bucket", versioned=not versioned), versioned=versioned)

    assert {name for name, one in found.items() if one.state == "problem"} == {check}


def test_a_bucket_that_stores_what_was_corrupted_is_found_out() -> None:
    store = MemoryStore("bucket")
    found = look(store, corrupt=lambda name, data: store.create(name, data))

    assert found["a wrong checksum is refused"].state == "problem"


def test_one_that_stores_it_and_complains_is_found_out_too() -> None:
    store = MemoryStore("bucket")

    def corrupt(name: str, data: bytes) -> None:
        store.create(name, data)
        refuse(name, data)

    assert look(store, corrupt=corrupt)["a wrong checksum is refused"].state == "problem"


def test_every_promise_is_broken_by_some_bucket() -> None:
    """Else its check might be one that cannot fail."""
    elsewhere = {"replaced generations are kept", "a wrong checksum is refused"}
    assert set.union(elsewhere, *BROKEN.values()) == {promise.name for promise in PROMISES}


class LosesAnAnswer(MemoryStore):
    """The client asks again, and meets its own success; on the first so many occasions."""

    losses = 1

    def create(self, name, data, **words):  # type: ignore[no-untyped-def]
        info = super().create(name, data, **words)
        if self.losses:
            self.losses -= 1
            raise PreconditionFailed("412", bucket=self.bucket, name=name)
        return info


def test_an_answer_that_was_lost_is_no_broken_promise() -> None:
    found = look(LosesAnAnswer("bucket"))

    assert {one.state for one in found.values()} == {"ok"}


def test_a_bucket_that_refuses_what_it_must_not_is_found_out() -> None:
    store = LosesAnAnswer("bucket")
    store.losses = 10**9
    found = look(store)

    assert found["an object is created once"].state == "problem"
    assert found["an object is created once"].found == "PreconditionFailed: 412"
    assert found["clean-up"].state == "ok"


class TestCleaningUp:
    def test_what_cannot_be_deleted_is_said_with_the_way_to_delete_it(self) -> None:
        class Retains(MemoryStore):
            def delete(self, name, *, generation=None):  # type: ignore[no-untyped-def]
                raise PermissionDenied("403 under retention", bucket=self.bucket, name=name)

        found = look(Retains("bucket"))["clean-up"]

        assert found.state == "problem"
        assert "generations in gs://bucket/perennial-probe/run/" in found.found
        assert "403 under retention" in found.found
        assert "--all-versions gs://bucket/perennial-probe/run/" in found.fix

    def test_what_cannot_be_listed_is_not_said_to_be_gone(self) -> None:
        class Silent(MemoryStore):
            def list(self, *_: Any, **__: Any) -> Iterator[ObjectInfo]:
                raise StoreUnavailable("no answer", bucket=self.bucket)

        found = look(Silent("bucket"))

        assert found["listings are in byte order"].state == "unknown"
        assert found["clean-up"].state == "problem"
        assert found["clean-up"].found.startswith("it is not known what is left in gs://bucket/")

    def test_a_probe_that_is_broken_off_cleans_up(self) -> None:
        store = MemoryStore("bucket")
        running = probe(store, CLOCK, "run", versioned=False)
        next(running)
        assert list(store.list())
        running.close()

        assert not list(store.list(versions=True))


def test_who_may_not_write_is_told_the_role() -> None:
    class ReadOnly(MemoryStore):
        def _write(self, name, *_: Any, **__: Any):  # type: ignore[no-untyped-def]
            raise PermissionDenied("403 storage.objects.create", bucket=self.bucket, name=name)

    found = look(ReadOnly("bucket"))

    assert {one.state for check, one in found.items() if check != "clean-up"} == {"unknown"}
    assert found["an object is created once"].fix == "ask for the role roles/storage.objectAdmin"
    assert found["clean-up"].state == "ok"
