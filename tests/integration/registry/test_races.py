"""Two to eight promoters race for one registry: the champion never moves but by the rules.

In threads over the store in memory and over the emulator's process, and in processes of their own
whose writes land and lose their answers. Afterwards the history is replayed by a checker that knows
nothing of the code that wrote it; and the checker is shown forged histories, which it must refuse.
"""

from __future__ import annotations

import multiprocessing
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
import requests
from google.cloud.storage.retry import DEFAULT_RETRY

from localdev.storage.process import StorageServer
from perennial.adapters import cloud_storage
from perennial.adapters.cloud_storage import CloudStorageStore, connect
from perennial.adapters.memory import MemoryStore
from perennial.config import Config
from perennial.domain.versioning import registry as state
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Commit, Head
from perennial.ports import ObjectInfo, ObjectStore
from perennial.workflows import promotion
from perennial.workflows.registry import Registry
from tests.calls import Calls, Watched
from tests.integration.registry.checking import violations
from tests.integration.registry.promoters import PIPELINE, Belief, HurriedClock, Promoter
from tests.linearizability import history_of

ACTS = 12
SEEDS = 100  # apart, so that no two promoters of a race choose alike


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageServer]:
    """The emulator, as a process of its own."""
    with StorageServer(tmp_path_factory.mktemp("storage")) as server:
        yield server


@pytest.fixture
def bucket(server: StorageServer) -> str:
    """A bucket of the test's own."""
    name = f"models-{uuid.uuid4().hex}"
    connect(_config(server.url)).create_bucket(name)
    return name


def _config(url: str) -> Config:
    return Config("", "", "", "", storage_endpoint=url)


def told(models: ObjectStore) -> tuple[list[Commit], dict[str, Manifest]]:
    """The history, oldest first, and the manifests of its versions."""
    registry = Registry(models, HurriedClock())
    history = list(registry.history(PIPELINE))[::-1]
    versions = registry.require(PIPELINE).statuses
    return history, {version: registry.manifest(PIPELINE, version) for version in versions}


def assert_true(models: ObjectStore, beliefs: Sequence[Belief], promoters: int) -> None:
    """The history is by the rules, and says what its authors believe."""
    history, manifests = told(models)
    assert violations(history, manifests, beliefs) == []
    assert len(history) == Registry(models, HurriedClock()).require(PIPELINE).number
    made = [belief for belief in beliefs if belief.outcome == "made"]
    print(Counter(belief.outcome for belief in beliefs), Counter(e.action for e in history))
    assert len(made) >= promoters  # whoever runs first gets through; so does a claim, and a release
    assert {"claim", "release"} <= {entry.action for entry in history}


@pytest.mark.parametrize("promoters", [2, 4, 8])
def test_in_threads_over_the_store_in_memory(promoters: int) -> None:
    store = MemoryStore("models")

    def race(number: int) -> list[Belief]:
        # Every call yields to others at random, so that they meet everywhere.
        watched: ObjectStore = Watched(store, Calls(jitter=random.Random(number)))  # type: ignore[assignment]
        return Promoter(f"p{number}", watched, SEEDS * promoters + number).act(2 * ACTS)

    with ThreadPoolExecutor(promoters) as pool:
        beliefs = list(chain.from_iterable(pool.map(race, range(promoters))))
    assert_true(store, beliefs, promoters)


def test_histories_with_outcomes_that_nobody_knows_are_linearizable() -> None:
    """Clients are cut off for a while; what they had sent took effect, or never did."""
    landed = 0
    for seed in range(6):
        history, manifests, beliefs = history_of(seed)
        assert violations(history, manifests, beliefs) == [], seed
        assert {"made", "read", "unknown"} <= {belief.outcome for belief in beliefs}
        landed += len(
            {e.head.commit for e in history} - {b.commit for b in beliefs if b.outcome == "made"}
        )
    assert landed > 0


@pytest.mark.parametrize("promoters", [2, 8])
def test_in_threads_over_the_emulator(server: StorageServer, bucket: str, promoters: int) -> None:
    def race(number: int) -> list[Belief]:
        return _race(server.url, bucket, f"p{number}", SEEDS * promoters + number)

    with ThreadPoolExecutor(promoters) as pool:
        beliefs = list(chain.from_iterable(pool.map(race, range(promoters))))
    assert_true(CloudStorageStore(connect(_config(server.url)), bucket), beliefs, promoters)


@pytest.mark.parametrize("promoters", [2, 4, 8])
def test_in_processes_whose_answers_are_lost(
    server: StorageServer, bucket: str, promoters: int
) -> None:
    """A write lands and its answer never comes, or it does not land and the server says 503."""
    for number in range(promoters):
        plan = {
            "id": f"{bucket}-{number}",
            "match": {"operation": "insert"},
            "faults": _troubles(number),
        }
        requests.post(f"{server.url}/_emulator/faults", json=plan, timeout=10).raise_for_status()
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(promoters)
    with ProcessPoolExecutor(
        promoters, mp_context=context, initializer=_wait_for_all, initargs=(together,)
    ) as pool:
        racing = [
            pool.submit(
                _race_alone, server.url, bucket, number, SEEDS * promoters + number
            )
            for number in range(promoters)
        ]  # fmt: skip
        beliefs = [belief for one in racing for belief in one.result()]
    assert_true(CloudStorageStore(connect(_config(server.url)), bucket), beliefs, promoters)
    plans = requests.get(f"{server.url}/_emulator/faults", timeout=10).json()["faults"]
    left = {plan["id"]: len(plan["faults"]) for plan in plans}
    assert all(left[f"{bucket}-{number}"] < TROUBLES for number in range(promoters))


TROUBLES = 400


def _troubles(seed: int) -> list[dict[str, object]]:
    """What befalls a client's writes, one after the other: nothing, mostly."""
    kinds = [
        {"do": "commit_then_drop"},
        {"do": "status", "status": 503},
        {"do": "delay", "seconds": 0.0},
    ]
    return random.Random(seed).choices(kinds, weights=(3, 1, 6), k=TROUBLES)


def _race(url: str, bucket: str, name: str, seed: int, fault_id: str = "") -> list[Belief]:
    client = connect(_config(url))
    if fault_id:
        client._http.headers["x-emulator-fault-id"] = fault_id
    return Promoter(name, CloudStorageStore(client, bucket), seed).act(ACTS)


def _wait_for_all(together: Barrier) -> None:
    """Begin when all are there: a process takes longer to start than to race."""
    together.wait(timeout=120)


def _race_alone(url: str, bucket: str, number: int, seed: int) -> list[Belief]:
    """In a process of its own. Every other one never tries a request twice by itself."""
    patience = 0.0 if number % 2 else 20.0
    cloud_storage.RETRY = DEFAULT_RETRY.with_delay(initial=0.01, maximum=0.1).with_timeout(patience)
    return _race(url, bucket, f"p{number}", seed, fault_id=f"{bucket}-{number}")


@pytest.fixture(scope="module")
def truth() -> tuple[list[Commit], dict[str, Manifest], list[Belief]]:
    """A true history with every kind of commit, by one client."""
    store = MemoryStore("models")
    beliefs = Promoter("p", store, 3).act(80)
    return *told(store), beliefs


def _at(history: Sequence[Commit], action: str, last: int = -1) -> int:
    return [place for place, entry in enumerate(history) if entry.action == action][last]


def _with_head(history: Sequence[Commit], place: int, **facts: object) -> list[Commit]:
    forged = list(history)
    entry = forged[place]
    forged[place] = replace(entry, head=replace(entry.head, **facts))  # type: ignore[arg-type]
    return forged


def judged_against_another(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    version = history[_at(history, "promote")].version
    forged = replace(manifests[version], champion="v999999")
    return history, {**manifests, version: forged}, beliefs


def made_before_a_recall(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    version = history[_at(history, "promote")].version
    forged = replace(manifests[version], environment={"recalls": "-1"})
    return history, {**manifests, version: forged}, beliefs


def a_gap(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    place = _at(history, "claim")
    return history[:place] + history[place + 1 :], manifests, ()


def a_foreign_parent(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    return _with_head(history, _at(history, "claim"), parent="feed"), manifests, beliefs


def a_champion_that_moves_by_itself(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    place = _at(history, "release")
    others = history[place].head.approved - {history[place].head.champion}
    return _with_head(history, place, champion=min(others)), manifests, beliefs


def a_champion_without_approval(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    place = _at(history, "promote")
    head = history[place].head
    statuses = {**head.statuses, head.champion: "waiting"}
    return _with_head(history, place, statuses=statuses), manifests, beliefs


def a_recalled_version_that_is_back(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    place = _at(history, "release")
    head = history[place].head
    back = next(v for v, status in head.statuses.items() if status == "recalled")
    statuses = {**head.statuses, back: "approved"}
    return _with_head(history, place, statuses=statuses), manifests, beliefs


def a_promotion_past_a_pin(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    place = _at(history, "promote")
    pin = history[_at(history, "rollback")].head.pin
    return _with_head(history, place - 1, pin=pin), manifests, beliefs


def a_promotion_without_a_claim(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    return _with_head(history, _at(history, "promote") - 1, claim=None), manifests, beliefs


def a_lost_commit(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    return history, manifests, [*beliefs, Belief("p-x", "made", "feed")]


def a_commit_that_was_refused(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    made = history[_at(history, "unpin")].head.commit
    forged = [replace(b, outcome="refused", commit="") if b.commit == made else b for b in beliefs]
    return history, manifests, forged


def _later(history: list[Commit], beliefs: list, place: int, **facts: object) -> list:
    """What its author believes of a commit, otherwise."""
    commit = history[place].head.commit
    return [
        replace(b, **facts) if b.outcome == "made" and b.commit == commit else b for b in beliefs
    ]


def a_commit_before_it_was_tried(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    last = max(one.ended for one in beliefs)
    late = {"began": last + 1, "ended": last + 2}
    return history, manifests, _later(history, beliefs, _at(history, "unpin", 0), **late)


def a_commit_after_its_answer(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    first = min(one.began for one in beliefs)
    early = {"began": first - 2, "ended": first - 1}
    return history, manifests, _later(history, beliefs, _at(history, "unpin"), **early)


def a_stale_read(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    """Of the first commit, when all others had had their answers."""
    last = max(one.ended for one in beliefs)
    read = Belief("p-x", "read", history[0].head.commit, "read", last + 1, last + 2)
    return history, manifests, [*beliefs, read]


def a_read_of_the_future(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    first = min(one.began for one in beliefs)
    read = Belief("p-x", "read", history[-1].head.commit, "read", first - 2, first - 1)
    return history, manifests, [*beliefs, read]


def a_read_of_what_never_was(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    last = max(one.ended for one in beliefs)
    return history, manifests, [*beliefs, Belief("p-x", "read", "feed", "read", last, last)]


def an_unknown_commit_that_came_twice(
    history: list[Commit], manifests: dict, beliefs: list
) -> tuple:
    """Its author sent one, of which no answer came."""
    place = _at(history, "unpin")
    unknown = _later(history, beliefs, place, outcome="unknown", commit="")
    head = replace(history[-1].head, commit="feed", parent=history[-1].head.commit,
                   number=history[-1].head.number + 1)  # fmt: skip
    return [*history, replace(history[place], head=head)], manifests, unknown


def the_same_commit_twice(history: list[Commit], manifests: dict, beliefs: list) -> tuple:
    return [*history, history[-1]], manifests, beliefs


FORGERIES = [
    judged_against_another,
    made_before_a_recall,
    a_gap,
    a_foreign_parent,
    a_champion_that_moves_by_itself,
    a_champion_without_approval,
    a_recalled_version_that_is_back,
    a_promotion_past_a_pin,
    a_promotion_without_a_claim,
    a_lost_commit,
    a_commit_that_was_refused,
    a_commit_before_it_was_tried,
    a_commit_after_its_answer,
    a_stale_read,
    a_read_of_the_future,
    a_read_of_what_never_was,
    an_unknown_commit_that_came_twice,
    the_same_commit_twice,
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_the_checker_refuses_a_forged_history(forge: Callable[..., tuple], truth: tuple) -> None:
    history, manifests, beliefs = truth
    assert {"promote", "approve", "rollback", "unpin", "recall", "judge"} <= {
        entry.action for entry in history
    }
    assert violations(history, manifests, beliefs) == []
    assert violations(*forge(list(history), dict(manifests), list(beliefs))) != []


class Overtaken(MemoryStore):
    """Just before a version is judged, somebody moves the champion."""

    def __init__(self) -> None:
        super().__init__("models")
        self.meanwhile: Callable[[], None] | None = None

    def create(self, name: str, *args: Any, **options: Any) -> ObjectInfo:
        info = super().create(name, *args, **options)
        if self.meanwhile and name.endswith("manifest.json"):
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return info


def _lax(judge: Callable[..., Head]) -> Callable[..., Head]:
    """A transition that takes the champion of the moment for the one that was met."""

    def judge_version(head: Head, **facts: Any) -> Head:
        return judge(head, **{**facts, "against": head.champion, "recalls": head.recalls})

    return judge_version


@pytest.mark.parametrize("sabotaged", [False, True])
def test_the_checker_notices_a_registry_that_does_not_check(
    monkeypatch: pytest.MonkeyPatch, sabotaged: bool
) -> None:
    """Of two registries that are overtaken at the same moment, it refuses the one that is lax."""
    store, clock = Overtaken(), HurriedClock()
    registry = Registry(store, clock)
    promoter = Promoter("p", store, 0)
    promoter.act(0)
    for _ in range(2):
        promoter.run(status="approved")
    if sabotaged:
        monkeypatch.setattr(state, "judge_version", _lax(state.judge_version))

    def meanwhile() -> None:
        promotion.rollback(registry, clock, PIPELINE, "v000001", by="ann", why="x")
        promotion.unpin(registry, PIPELINE, by="ann")

    store.meanwhile = meanwhile
    promoter.run(status="approved")

    found = violations(*told(store))
    assert found == (
        ["commit 11, promote: v000003 was judged against v000002, and v000001 served"]
        if sabotaged
        else []
    )
