"""The commit loop: one winner, no lost update, and a 412 that may be one's own success."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from perennial.adapters.memory import MemoryStore
from perennial.domain import names
from perennial.domain.versioning.manifest import FileDigest, Manifest
from perennial.errors import (
    InvariantBroken,
    NotFoundError,
    PermissionDenied,
    PreconditionFailed,
    RefusedError,
    StoreUnavailable,
)
from perennial.workflows.registry import Registry


class Troubled(MemoryStore):
    """A store whose writes to the head go wrong as told.

    `lost`: the write lands and the answer is lost, so the client's own retry answers a 412.
    `unknown`: the write lands and no answer comes at all.
    `never`: the write does not land and no answer comes.
    """

    def __init__(self) -> None:
        super().__init__("models")
        self.troubles: list[str] = []
        self.after_landing = lambda: None

    def replace(self, name, data, *, generation, metadata=None):
        trouble = self.troubles.pop(0) if self.troubles else ""
        if trouble == "never":
            raise StoreUnavailable("no answer", bucket=self.bucket, name=name)
        info = super().replace(name, data, generation=generation, metadata=metadata)
        self.after_landing()
        if trouble == "lost":
            raise PreconditionFailed("412", bucket=self.bucket, name=name)
        if trouble == "unknown":
            raise StoreUnavailable("no answer", bucket=self.bucket, name=name)
        return info


def add(registry: Registry, version: str):
    return registry.commit(
        "shop",
        lambda head: replace(head, statuses={**head.statuses, version: "approved"}),
        action="judge",
        by="test",
        version=version,
    )


@pytest.fixture
def troubled(clock):
    store = Troubled()
    registry = Registry(store, clock)
    add(registry, "v000001")
    return store, registry


@pytest.mark.parametrize("trouble", ["lost", "unknown", "never"])
def test_a_commit_whose_answer_was_lost_happens_exactly_once(troubled, trouble):
    store, registry = troubled
    store.troubles = [trouble]
    head = add(registry, "v000002")
    assert head.number == 2
    assert registry.head("shop") == head
    assert [entry.version for entry in registry.history("shop")] == ["v000002", "v000001"]


def test_a_lost_answer_is_found_among_the_ancestors_when_others_committed_since(troubled):
    store, registry = troubled
    store.troubles = ["lost"]

    def another():
        store.after_landing = lambda: None
        add(registry, "v000003")

    store.after_landing = another
    mine = add(registry, "v000002")
    assert mine.number == 2
    versions = [entry.version for entry in registry.history("shop")]
    assert versions == ["v000003", "v000002", "v000001"]


@pytest.mark.parametrize("writers", [2, 4, 8])
def test_racing_commits_all_land_once_and_history_is_one_chain(models, clock, writers):
    def work(number: int) -> None:
        registry = Registry(models, clock)
        for step in range(5):
            add(registry, f"v{number:03d}{step:03d}")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    registry = Registry(models, clock)
    head = registry.head("shop")
    assert head.number == writers * 5
    assert len(head.statuses) == writers * 5
    history = list(registry.history("shop"))
    assert [entry.head.number for entry in history] == list(range(writers * 5, 0, -1))
    assert len({entry.version for entry in history}) == writers * 5


def test_orphaned_history_entries_are_no_part_of_the_history(models, registry):
    add(registry, "v000001")
    orphan = names.commit("shop", 1, "feedfeedfeedfeed")
    models.create(orphan, b"{}")
    assert [entry.version for entry in registry.history("shop")] == ["v000001"]


def test_a_change_that_the_rules_forbid_leaves_no_trace(models, registry):
    add(registry, "v000001")
    before = [info.name for info in models.list()]

    def forbidden(head):
        raise RefusedError("no")

    with pytest.raises(RefusedError):
        registry.commit("shop", forbidden, action="approve", by="test")
    assert [info.name for info in models.list()] == before


def test_a_store_that_never_answers_is_reported_after_bounded_tries(troubled):
    store, registry = troubled
    store.troubles = ["never"] * 1000
    with pytest.raises(StoreUnavailable):
        add(registry, "v000002")
    assert len(store.troubles) > 900


def test_version_numbers_are_reserved_once_whoever_asks_at_the_same_time(models, clock):
    reserved: list[str] = []

    def work(run: str) -> None:
        registry = Registry(models, clock)
        reserved.extend(registry.reserve_version("shop", run) for _ in range(5))

    threads = [threading.Thread(target=work, args=(f"r{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reserved) == [f"v{n:06d}" for n in range(1, 21)]


def test_pipelines_lists_those_with_a_head_only(models, registry):
    add(registry, "v000001")
    models.create("stray/definitions/x.yaml", b"")
    models.create("zoo/registry/commits/1", b"")
    registry.commit("bike", lambda head: head, action="apply", by="test")
    assert registry.pipelines() == ["bike", "shop"]


def test_who_may_see_one_pipeline_only_is_told_that_it_does_not_exist(clock):
    class OneOnly(MemoryStore):
        def read(self, name, *, generation=None):
            if not name.startswith("shop/"):
                raise PermissionDenied("403", bucket=self.bucket, name=name)
            return super().read(name, generation=generation)

    store = OneOnly("models")
    store.create("roses/registry/head.json", b"another's")
    with pytest.raises(NotFoundError, match=r"^no pipeline 'shop' was ever applied$"):
        Registry(store, clock).require("shop")


class Overtaken(MemoryStore):
    """A store in which somebody else does something right before a head is written, once."""

    def __init__(self) -> None:
        super().__init__("models")
        self.meanwhile = lambda: None

    def _write(self, name, *args, **kwargs):
        if name.endswith("/head.json"):
            meanwhile, self.meanwhile = self.meanwhile, lambda: None
            meanwhile()
        return super()._write(name, *args, **kwargs)


@pytest.mark.parametrize("first", [True, False])
def test_a_commit_that_is_overtaken_follows_the_one_that_overtook_it(clock, first):
    """Also where it is the pipeline's first."""
    store = Overtaken()
    registry = Registry(store, clock)
    if not first:
        add(registry, "v000001")
    seen = []

    def change(head):
        seen.append(head.number)
        return replace(head, statuses={**head.statuses, "v000002": "approved"})

    store.meanwhile = lambda: add(registry, "v000003")
    mine = registry.commit("shop", change, action="judge", by="test", version="v000002")

    assert seen == [mine.number - 2, mine.number - 1]
    assert registry.head("shop") == mine
    assert {"v000002", "v000003"} <= set(mine.statuses)
    told = [entry.version for entry in registry.history("shop")]
    assert told == ["v000002", "v000003", *(() if first else ("v000001",))]


class OneHead(MemoryStore):
    """A store in which nothing is overwritten, and nothing replaced but the head."""

    def overwrite(self, name, data, *, metadata=None):
        raise AssertionError(f"{name} was written without a condition")

    def replace(self, name, data, *, generation, metadata=None):
        assert name == names.head("shop")
        return super().replace(name, data, generation=generation, metadata=metadata)


def test_of_all_that_a_commit_writes_the_head_alone_is_ever_replaced(clock):
    registry = Registry(OneHead("models"), clock)
    for version in ("v000001", "v000002"):
        assert registry.reserve_version("shop", "r1") == version
        add(registry, version)
    assert len(list(registry.history("shop"))) == 2


def test_a_version_number_that_another_took_meanwhile_is_left_to_it(clock):
    class Taken(MemoryStore):
        def create(self, name, data, **words):
            if name.endswith("v000001/claim.json"):
                super().create(name, b"another run's")
            return super().create(name, data, **words)

    store = Taken("models")
    assert Registry(store, clock).reserve_version("shop", "r1") == "v000002"
    assert store.read(names.version("shop", "v000001", "claim.json")).data == b"another run's"


MANIFEST = Manifest(
    pipeline="shop", version="v000001", task="regression", label="y", classes=(), inputs=(),
    text="", files={"model.onnx": FileDigest(hashlib.sha256(b"graph").hexdigest(), 5)}, run="r1",
    champion=None, definition="d", trained_rows=1, trained_through=datetime(2026, 1, 1, tzinfo=UTC),
    created=datetime(2026, 1, 1, tzinfo=UTC), seed=0,
)  # fmt: skip


@pytest.mark.parametrize("file", ["model.onnx", "manifest.json"])
def test_a_file_of_a_version_that_is_there_with_other_content_stops_everything(
    models, registry, file
):
    name = names.version("shop", "v000001", file)
    models.create(name, b"other")
    with pytest.raises(InvariantBroken, match="exists already with other content"):
        registry.write_version(MANIFEST, {"model.onnx": b"graph"})
    assert models.read(name).data == b"other"


def test_a_version_is_written_again_as_it_was(models, registry):
    """By a run whose answers were lost."""
    first = registry.write_version(MANIFEST, {"model.onnx": b"graph"})
    before = list(models.list())
    assert registry.write_version(MANIFEST, {"model.onnx": b"graph"}) == first
    assert list(models.list()) == before


def test_a_file_that_the_manifest_does_not_state_is_not_written(models, registry):
    with pytest.raises(InvariantBroken, match="is not the file that the manifest states"):
        registry.write_version(MANIFEST, {"model.onnx": b"another graph"})
    assert list(models.list()) == []
