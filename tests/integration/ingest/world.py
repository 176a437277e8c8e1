"""A deployment in memory, whose storage calls can be counted, cut short and slowed down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from perennial.adapters.clock import SystemClock
from perennial.adapters.memory import MemoryStore
from perennial.domain import names
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Head
from perennial.ports import Buckets
from perennial.workflows.apply import apply
from perennial.workflows.ingest import ingest
from perennial.workflows.quarantine import Hospital
from perennial.workflows.registry import Registry
from perennial.workflows.sweep import Swept, sweep
from tests.calls import Calls, Watched

VISITS = """
name: shop
task: binary
columns:
  when: {type: timestamp, role: event_time}
  people: {type: integer, rules: [{range: [1, 20]}]}
  bought: {type: boolean, role: label}
training: {min_rows: 2}
"""
LENIENT = VISITS.replace("[1, 20]", "[0, 1000]")
GOOD = b"when,people,bought\n2024-02-01,2,true\n2024-02-02,1,false\n"
UNLABELLED = b"when,people\n2024-02-08,3\n2024-02-09,1\n"
OTHER = b"when,people,bought\n2024-02-08,3,true\n2024-02-09,1,false\n"
BAD = b"when,people,bought\n2024-02-01,99,true\n2024-02-02,1,false\n"


class Clock:
    """A time that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2024, 3, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        time.sleep(0)


class Launcher:
    """Remembers what it launched; executions end when a test says so."""

    def __init__(self) -> None:
        self.launched: list[str] = []
        self.ended: set[str] = set()
        self.before: Callable[[], None] = lambda: None

    def launch(self, pipeline: str, *, force: bool = False) -> str:
        self.before()
        self.launched.append(pipeline)
        return f"{pipeline}-{len(self.launched)}"

    def launch_task(self, task: str, pipeline: str, subject: str) -> str:
        self.before()
        self.launched.append(f"{task} {pipeline}/{subject}")
        return f"{task}-{pipeline}-{len(self.launched)}"

    def has_ended(self, execution: str) -> bool:
        return execution in self.ended


class World:
    """Four buckets, a registry, a launcher."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.calls = Calls()
        self.launcher = Launcher()
        roles = ("landing", "quarantine", "data", "models")
        self.stores = {
            role: MemoryStore(role, self.clock, versioned=role == "landing") for role in roles
        }
        self.buckets: Any = Buckets(**{n: Watched(s, self.calls) for n, s in self.stores.items()})
        self.registry = Registry(self.buckets.models, self.clock)

    def apply(self, text: str = VISITS) -> list[Verdict]:
        """Put a definition in force; the verdicts on what waited for it."""
        return apply(self.buckets, self.registry, self.launcher, self.clock, text, by="ann").judged

    def drop(self, name: str, data: bytes = GOOD) -> FileId:
        """A user's upload."""
        return FileId(self.stores["landing"].overwrite(name, data).generation, name)

    def ingest(self, file: FileId) -> Verdict:
        """An event about it arrives."""
        return ingest(self.buckets, self.registry, self.clock, file, self.launcher)

    def drop_and_ingest(self, name: str, data: bytes = GOOD) -> Verdict:
        return self.ingest(self.drop(name, data))

    def sweep(self, pipeline: str | None = None) -> Swept:
        return sweep(self.buckets, self.registry, self.launcher, self.clock, pipeline)

    def hospital(self, pipeline: str = "shop") -> Hospital:
        return Hospital(self.buckets, self.registry, self.launcher, self.clock, pipeline)

    def objects(self, *buckets: str) -> dict[tuple[str, str], bytes]:
        """Everything that lies in these buckets."""
        return {
            (bucket, info.name): self.stores[bucket].read(info.name).data
            for bucket in buckets
            for info in self.stores[bucket].list()
        }

    def verdicts(self, pipeline: str = "shop") -> list[Verdict]:
        """Every decision ever made, by name."""
        store = self.stores["data"]
        return [
            Verdict.from_json(store.read(info.name).data)
            for info in store.list(f"{pipeline}/verdicts/")
        ]


def crown(
    pipeline: str, buckets: Buckets, *, number: int = 1, created: datetime | None = None
) -> str:
    """Bring a version in and make it the champion, as a run would; its name."""
    version = names.version_name(number)
    created = created or datetime.now(UTC)
    manifest = Manifest(
        pipeline=pipeline, version=version, task="binary", label="bought", classes=(False, True),
        inputs=(), text="", files={}, run="r1", champion=None,
        definition="", trained_rows=2, trained_through=created, created=created, seed=0,
    )  # fmt: skip
    name = names.version(pipeline, version, "manifest.json")
    buckets.models.create(name, manifest.to_json())

    def enter(head: Head) -> Head:
        return replace(head, champion=version, statuses={**head.statuses, version: "approved"})

    Registry(buckets.models, SystemClock()).commit(
        pipeline, enter, action="promote", by="run r1", version=version
    )
    return version


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """Do them in threads that start together; their results, in order."""
    results: list[Any] = [None] * len(deeds)
    barrier = threading.Barrier(len(deeds))

    def do(place: int) -> None:
        barrier.wait()
        try:
            results[place] = deeds[place]()
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            results[place] = error

    threads = [threading.Thread(target=do, args=(place,)) for place in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
