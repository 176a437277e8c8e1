"""A deployment in memory that can be copied as it stands, so that each crash has a world alike.

Time and the names of executions are made up and go on in a copy from where they were. The year is
one that no data has, so that what the clock gave can be told from what a file says.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from perennial.adapters.memory import MemoryStore
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.domain.versioning.registry import Head
from perennial.errors import PermissionDenied, RefusedError
from perennial.ports import Buckets
from perennial.workflows.apply import apply
from perennial.workflows.batch.scoring import score_requested, score_waiting
from perennial.workflows.importing import record as record_import
from perennial.workflows.importing import take_in
from perennial.workflows.ingest import ingest
from perennial.workflows.quarantine import Hospital
from perennial.workflows.rebuild import rebuild
from perennial.workflows.rebuild import record as record_rebuild
from perennial.workflows.registry import Registry
from perennial.workflows.sweep import Swept, sweep
from perennial.workflows.train import train
from perennial.workflows.trainer import Trainer
from perennial.workflows.upgrade import check_upgrade
from tests.calls import Calls, Watched
from tests.unit.training.conftest import SmokelessCodec, day_of_taps

ROLES = ("landing", "quarantine", "data", "models")
YEAR = 2031


class Clock:
    """Each look takes a millisecond; a sleep takes none, and lets the others work."""

    def __init__(self) -> None:
        self.time = datetime(YEAR, 1, 1, 12, tzinfo=UTC)
        self.others: Callable[[], object] = lambda: None

    def now(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        self.others()


@dataclass
class Platform:
    """Remembers what it was asked to start; nothing runs by itself.

    Attributes:
        asked: what was asked for, in order; the n-th is the execution `job-n`.
        ended: executions that are over.
    """

    asked: list[tuple[str, ...]] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)

    def launch(self, pipeline: str, *, force: bool = False) -> str:
        return self._start("train", pipeline, "force" if force else "")

    def launch_task(self, task: str, pipeline: str, subject: str) -> str:
        return self._start(task, pipeline, subject)

    def _start(self, *what: str) -> str:
        self.asked.append(what)
        return f"job-{len(self.asked)}"

    def has_ended(self, execution: str) -> bool:
        return execution in self.ended


class CreateOnly(Watched):
    """Landing in a deployment, where whoever drops may create and read, and not replace."""

    def overwrite(self, name: str, data: Any, **options: Any) -> Any:
        def put() -> Any:
            if next(self.inner.list(name, limit=1), None) is not None:
                raise PermissionDenied(f"{name} exists already", bucket=self.bucket, name=name)
            return self.inner.overwrite(name, data, **options)

        return self.calls.around(self.bucket, "overwrite", put)


@dataclass
class World:
    """Four buckets, a platform, and a process at work in which every storage call is watched.

    Attributes:
        environment: libraries that the training job runs with.
        told: what a monitor's channel was told.
        facts: what a scenario remembers of its preparation.
    """

    stores: dict[str, MemoryStore]
    clock: Clock
    platform: Platform = field(default_factory=Platform)
    calls: Calls = field(default_factory=Calls)
    environment: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def new(cls) -> World:
        clock = Clock()
        stores = {r: MemoryStore(r, clock, versioned=r == "landing") for r in ROLES}
        return cls(stores, clock)

    def copied(self) -> World:
        """The same in buckets of its own, and with time of its own."""
        clock = Clock()
        clock.time = self.clock.time
        stores = {}
        for role, store in self.stores.items():
            twin = copy.copy(store)
            twin._objects, twin._names = dict(store._objects), list(store._names)
            twin._clock = clock
            stores[role] = twin
        platform = Platform(list(self.platform.asked), set(self.platform.ended))
        return World(
            stores, clock, platform, Calls(), dict(self.environment), list(self.told),
            dict(self.facts),
        )  # fmt: skip

    @property
    def others(self) -> World:
        """Processes other than the one that is watched, at work on the same."""
        return replace(self, calls=Calls())

    @property
    def effects(self) -> object:
        """Differs where anything was written or asked for since, by whomever."""
        stores = tuple((store._last, len(store._names)) for store in self.stores.values())
        return stores, len(self.platform.asked), len(self.platform.ended), len(self.told)

    @property
    def buckets(self) -> Buckets:
        watched = {
            role: (CreateOnly if role == "landing" else Watched)(store, self.calls)
            for role, store in self.stores.items()
        }
        return Buckets(**watched)  # type: ignore[arg-type]

    @property
    def registry(self) -> Registry:
        return Registry(self.buckets.models, self.clock)

    def trainer(self, execution: str) -> Trainer:
        return Trainer(
            self.buckets, self.registry, SmokelessCodec(), self.platform, self.clock, execution,
            environment=self.environment,
        )  # fmt: skip

    def head(self, pipeline: str = "taps") -> Head:
        return Registry(self.stores["models"], self.clock).require(pipeline)

    def hospital(self, pipeline: str = "shop") -> Hospital:
        return Hospital(self.buckets, self.registry, self.platform, self.clock, pipeline)

    def apply(self, text: str) -> None:
        """Put a definition in force, as `perennial apply` does."""
        apply(self.buckets, self.registry, self.platform, self.clock, text, by="ann")

    def drop(self, name: str, data: bytes) -> FileId:
        """A user's upload; no event comes of it."""
        return FileId(self.stores["landing"].overwrite(name, data).generation, name)

    def ingest(self, file: FileId) -> Verdict:
        """An event about a file arrives."""
        return ingest(self.buckets, self.registry, self.clock, file, self.platform)

    def drop_and_ingest(self, name: str, data: bytes) -> Verdict:
        return self.ingest(self.drop(name, data))

    def day(self, day: int, **options: Any) -> Verdict:
        """A day of taps arrives; options as those of `day_of_taps`."""
        return self.drop_and_ingest(f"taps/day{day}.csv", day_of_taps(day, **options))

    def sweep(self) -> Swept:
        swept = sweep(self.buckets, self.registry, self.platform, self.clock)
        assert not swept.errors, swept.errors
        return swept

    def job(self, execution: str = "job-0", pipeline: str = "taps", *, force: bool = False) -> None:
        """The training job, as `functions/train` runs it."""
        trainer = self.trainer(execution)
        runs = train(trainer, pipeline, force=force)
        list(check_upgrade(trainer, pipeline, runs))
        if runs:
            list(score_waiting(trainer, pipeline))

    def task(self, execution: str, task: str, pipeline: str, subject: str) -> None:
        """An execution that does something else."""
        trainer = self.trainer(execution)
        if task == "rebuild":
            record_rebuild(trainer, rebuild(trainer, pipeline, subject))
        elif task == "import":
            record_import(trainer, subject, take_in(trainer, pipeline, subject))
            list(score_waiting(trainer, pipeline))
            self.job(execution, pipeline)
        elif subject == "waiting":
            list(score_waiting(trainer, pipeline))
        else:
            list(score_requested(trainer, pipeline, subject))

    def run_what_was_asked_for(self) -> None:
        """The platform starts what it was asked to, one after the other."""
        for number, (what, pipeline, subject) in enumerate(self.platform.asked, 1):
            execution = f"job-{number}"
            if execution in self.platform.ended:
                continue
            if what == "train":
                self.job(execution, pipeline, force=subject == "force")
            else:
                self.task(execution, what, pipeline, subject)
            self.platform.ended.add(execution)

    def deliver(self) -> None:
        """Whatever is due happens, in other processes: verdicts, runs, scoring."""
        for _ in range(10):
            self.others.run_what_was_asked_for()
            before = len(self.platform.asked)
            self.others.sweep()
            if len(self.platform.asked) == before:
                return
        raise RefusedError("the world does not come to rest")
