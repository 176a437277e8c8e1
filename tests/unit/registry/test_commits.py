"""The commit loop: one winner, no lost update, and a 412 that may be one's own success."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from perennial.adapters.memory import MemoryStore
from perennial.domain import names
from perennial.errors import (
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
