"""A deployment in memory, whose storage calls can be counted, cut short and slowed down."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from perennial.adapters.clock import SystemClock
from perennial.adapters.memory import MemoryStore
from perennial.domain import names
from perennial.domain.manifest import FileDigest, Manifest
from perennial.domain.names import FileId
from perennial.domain.registry import Head
from perennial.domain.verdict import Verdict
from perennial.errors import PerennialError
from perennial.ports import Buckets, ObjectInfo
from perennial.workflows.apply import apply
from perennial.workflows.ingest import ingest
from perennial.workflows.quarantine import Hospital
from perennial.workflows.registry import Registry
from perennial.workflows.sweep import Swept, sweep

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


class Crash(BaseException):
    """The process ended: no handler of ours may catch it."""


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


@dataclass
class Calls:
    """What every bucket of a world does around each call.

    Attributes:
        made: the calls so far, as (bucket, method).
        listed: objects that listings have given.
        crash_at: end the process at this call, counted from 1, or at the n-th such call.
        after: whether the call takes effect before that.
        meanwhile: what somebody else does then, in the place of the process's end.
        jitter: yields to other threads at random, so that handlers interleave.
    """

    made: list[tuple[str, str]] = field(default_factory=list)
    listed: int = 0
    crash_at: int | tuple[str, str, int] | None = None
    after: bool = False
    meanwhile: Callable[[], object] | None = None
    jitter: random.Random | None = None

    def around(self, bucket: str, method: str, call: Callable[[], Any]) -> Any:
        self.made.append((bucket, method))
        if self.jitter is not None:
            time.sleep(self.jitter.random() / 1000)
        such = (bucket, method, self.made.count((bucket, method)))
        if self.crash_at not in (len(self.made), such):
            return call()
        self.crash_at = None
        if self.meanwhile is not None:
            return self._interrupted(call, self.meanwhile)
        if self.after:
            with suppress(PerennialError):  # an answer, which nobody is there to read
                call()
        raise Crash(method)

    def _interrupted(self, call: Callable[[], Any], meanwhile: Callable[[], object]) -> Any:
        if not self.after:
            meanwhile()
            return call()
        try:
            return call()
        finally:
            meanwhile()


class Watched:
    """A bucket, with `Calls` around it."""

    def __init__(self, inner: MemoryStore, calls: Calls) -> None:
        self.inner = inner
        self.calls = calls
        self.bucket = inner.bucket

    def __getattr__(self, method: str) -> Callable[..., Any]:
        bound = getattr(self.inner, method)
        return lambda *args, **kwargs: self.calls.around(
            self.bucket, method, lambda: bound(*args, **kwargs)
        )

    def copy_from(self, source: Any, *args: Any, **kwargs: Any) -> ObjectInfo:
        return self.calls.around(
            self.bucket, "copy_from", lambda: self.inner.copy_from(source.inner, *args, **kwargs)
        )

    def list(self, *args: Any, **kwargs: Any) -> Iterator[ObjectInfo]:
        found = self.calls.around(self.bucket, "list", lambda: [*self.inner.list(*args, **kwargs)])
        self.calls.listed += len(found)
        return iter(found)


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
        inputs=(), text="", files={"model.onnx": FileDigest("0" * 64, 0)}, run="r1", champion=None,
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
