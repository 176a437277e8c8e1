"""A deployment in memory: real workflows, stores that keep the port's promises, and trouble.

Nothing here knows what is right: it does what the plan says, and remembers what was seen.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from perennial.adapters.graph import Graph
from perennial.adapters.memory import MemoryStore
from perennial.adapters.onnx_codec import OnnxCodec
from perennial.domain.names import FileId
from perennial.domain.versioning.registry import Head
from perennial.errors import (
    GateFailed,
    LaunchError,
    ObjectNotFound,
    PerennialError,
    PreconditionFailed,
    StoreUnavailable,
)
from perennial.ports import Buckets
from perennial.workflows.registry import Registry
from perennial.workflows.serve import Server
from perennial.workflows.serving.pipeline import Timing
from perennial.workflows.trainer import Trainer
from tests.calls import Crash, Watched
from tests.simulation.scheduler import Scheduler, Task, VirtualClock

PIPELINE = "taps"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When everything that predict is asked about happens."""
JOB_SECONDS = 3600.0
"""After which the platform kills a job."""
CLAIM_SECONDS = 7200.0

_WRITES = ("create", "replace", "copy_from")
_BACKOFF = timedelta(seconds=10)
_DELIVERIES = 5  # of one event, at most


class InProcessCodec(OnnxCodec):
    """The real codec; the smoke gate's fresh process is left to tests of its own."""

    def check_smoke(self, graph: bytes, manifest: Any, instances: Any, expected: Any) -> None:
        """Load the graph here."""
        if len(instances) != len(expected) or not len(expected):
            raise GateFailed("nothing was recorded")


@dataclass
class Execution:
    """One run of the training job, as the platform knows it."""

    name: str
    force: bool
    task: Task | None = None
    began: datetime | None = None

    def ended(self, now: datetime) -> bool:
        """Whether the platform has seen its end; it kills what is over its time."""
        if self.task is None or self.began is None:
            return False
        if self.task.state == "done":
            return True
        return self.task.state == "hung" and (now - self.began).total_seconds() > JOB_SECONDS


@dataclass
class Answered:
    """What a caller of predict was told."""

    version: str
    heat: float
    prediction: object
    heads: int


@dataclass
class Commitment:
    """One commit that somebody wished to make.

    Attributes:
        tried: ids of the heads that it tried to put in place, one for each race.
        outcome: `made` where it was acknowledged, `refused` where it was told no, else unknown.
    """

    tried: list[str] = field(default_factory=list)
    outcome: str = "unknown"


class RecordingRegistry(Registry):
    """The registry, and what it said of each commit."""

    seen: Seen
    scheduler: Scheduler

    def commit(self, *args: Any, **options: Any) -> Head:
        """Remember what was said of it, and to whom."""
        commitment = Commitment()
        self.seen.commitments.append(commitment)
        self._open[self.scheduler.current] = commitment
        try:
            head = super().commit(*args, **options)
        except (StoreUnavailable, Crash):
            raise
        except BaseException:
            commitment.outcome = "refused"
            raise
        commitment.outcome = "made"
        return head

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(deployment.buckets.models, deployment.clock)
        self.seen, self.scheduler = deployment.seen, deployment.scheduler
        self._open: dict[Task | None, Commitment] = {}

    def _swap(self, base: Any, head: Head) -> bool:
        self._open[self.scheduler.current].tried.append(head.commit)
        return super()._swap(base, head)


@dataclass
class Seen:
    """What the outside saw, for the invariants.

    Attributes:
        uploads: bytes of each landing generation.
        writes: digests of every generation that was ever written, by bucket and name.
        heads: every head, in the order of its writes.
        commitments: what was said of each commit.
        answers: of predict.
        unforeseen: errors that no caller may see.
    """

    uploads: dict[FileId, bytes] = field(default_factory=dict)
    writes: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    heads: list[Head] = field(default_factory=list)
    commitments: list[Commitment] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    unforeseen: list[str] = field(default_factory=list)


class ObservedStore(MemoryStore):
    """A bucket that remembers everything that ever was in it."""

    seen: Seen

    def _write(self, name: str, data: Any, metadata: Any, **options: Any) -> Any:
        info = super()._write(name, data, metadata, **options)
        written = self.read(name, generation=info.generation).data
        digest = hashlib.sha256(written).hexdigest()
        self.seen.writes.setdefault((self.bucket, name), []).append(digest)
        if name.endswith("/registry/head.json"):
            self.seen.heads.append(Head.from_json(written))
        return info


class Deployment:
    """The buckets, the platform of jobs, the delivery of events, and one predict process.

    Args:
        seed: of whatever chance decides.
        faults: what befalls which call of which task.
    """

    def __init__(self, seed: int, faults: dict[tuple[int, int], str]) -> None:
        self.clock = VirtualClock()
        self.scheduler = Scheduler(seed, self.clock)
        self.chance = Random(f"deployment {seed}")
        self.seen = Seen()
        self.counts: Counter[str] = Counter()
        self.faults = faults
        self.events: list[tuple[datetime, FileId, int]] = []
        self.executions: dict[str, Execution] = {}
        self.listed = 0  # what `Watched` counts
        self._trace = hashlib.sha256()
        self.lines: list[str] | None = None
        self.stores = {
            name: self._store(name) for name in ("landing", "quarantine", "data", "models")
        }
        self.buckets: Any = Buckets(**{n: Watched(s, self) for n, s in self.stores.items()})  # type: ignore[arg-type]
        self.registry = RecordingRegistry(self)
        self._runner = asyncio.Runner()
        self.predicting: Task | None = None
        self.restart_predict()

    def _store(self, name: str) -> ObservedStore:
        store = ObservedStore(name, self.clock, versioned=name == "landing")
        store.seen = self.seen
        return store

    @property
    def trace(self) -> str:
        """Digest of all that happened, in order."""
        return self._trace.hexdigest()

    def around(self, bucket: str, method: str, call: Callable[[], Any]) -> Any:
        """Let others go first; then do it, or what the plan says befalls it."""
        if self.scheduler.current is None:
            return call()
        task = self.scheduler.pause()
        task.calls += 1
        self.clock.pass_(self.chance.uniform(0.005, 0.05))
        fault = self.faults.get((task.number, task.calls))
        if fault and task.kind == "predict" and fault not in ("slow", "unanswered"):
            fault = "refused"  # reads have a deadline, and its process ends between requests
        self.counts["calls"] += 1
        self._note(f"{task.name} {task.calls}: {bucket}.{method} {fault or ''}")
        if fault:
            self.counts[fault] += 1
            return self._befall(fault, method, call)
        return call()

    def _befall(self, fault: str, method: str, call: Callable[[], Any]) -> Any:
        if fault == "slow":
            self.clock.sleep(self.chance.uniform(30, 4000))
            return call()
        happened = fault in ("unanswered", "retried", "lost_after", "dies_after")
        answer = None
        if happened:
            answer = call() if fault == "retried" else _quietly(call)
        if fault.startswith("dies"):
            raise Crash(method)
        if fault.startswith("lost"):
            self.scheduler.hang()
        if fault == "retried":
            if method in _WRITES:
                raise PreconditionFailed(f"{method}: somebody was first")
            if method == "delete":
                raise ObjectNotFound(f"{method}: it is gone")
            return answer
        if method == "launch":
            raise LaunchError("the platform does not answer")
        raise StoreUnavailable(f"{method}: no answer")

    def _note(self, line: str) -> None:
        self._trace.update(line.encode() + b"\n")
        if self.lines is not None:
            self.lines.append(f"{self.clock.time:%d %H:%M:%S} {line}")

    # The platform of jobs, as `JobLauncher`.

    def launch(self, pipeline: str, *, force: bool = False) -> str:
        """Start a run, sooner or later."""
        name: str = self.around("jobs", "launch", lambda: self._accept(force=force))
        return name

    def _accept(self, *, force: bool) -> str:
        name = f"job-{len(self.executions)}"
        self.executions[name] = Execution(name, force)
        return name

    def launch_task(self, task: str, pipeline: str, subject: str) -> str:
        """Nothing else is launched here."""
        raise LaunchError(f"no {task} in a simulation")

    def has_ended(self, execution: str) -> bool:
        """Whether the platform knows that it is over."""
        found = self.executions.get(execution)
        return found is None or found.ended(self.clock.time)

    def begin(self, execution: Execution) -> None:
        """Its process starts."""
        from perennial.workflows.train import train

        trainer = Trainer(
            self.buckets, self.registry, InProcessCodec(), self, self.clock,
            execution=execution.name, claim_seconds=CLAIM_SECONDS,
        )  # fmt: skip
        self.counts["jobs"] += 1
        execution.began = self.clock.time
        execution.task = self.scheduler.spawn(
            "job", lambda: train(trainer, PIPELINE, force=execution.force)
        )

    def pending(self) -> list[Execution]:
        """Executions whose process has not started."""
        return [one for one in self.executions.values() if one.task is None]

    # Files and their events.

    def upload(self, name: str, data: bytes, *, deliveries: int) -> None:
        """A user's upload, and so many events about it."""
        info = self.stores["landing"].overwrite(name, data)
        file = FileId(info.generation, name)
        self.seen.uploads[file] = data
        self.counts["uploads"] += 1
        self.counts["events lost"] += not deliveries
        self.counts["events doubled"] += max(deliveries - 1, 0)
        self.events += [(self.clock.time, file, 0)] * deliveries

    def deliver(self, event: tuple[datetime, FileId, int]) -> None:
        """Hand an event to ingest; one that is not acknowledged comes again."""
        from perennial.workflows.ingest import ingest

        self.events.remove(event)
        _, file, earlier = event
        self.counts["events delivered"] += 1

        def handle() -> None:
            done = False
            try:
                ingest(self.buckets, self.registry, self.clock, file, self)
                done = True
            finally:
                if not done and earlier + 1 < _DELIVERIES:
                    again = self.clock.time + _BACKOFF * 2**earlier
                    self.events.append((again, file, earlier + 1))

        self.scheduler.spawn("ingest", handle)

    # predict, as one process.

    def restart_predict(self) -> None:
        """A new process, which knows nothing."""
        timing = Timing(interval=1.0, patience=600.0, cold_patience=600.0)
        self._server = Server(self.buckets.models, self.clock, Graph, timing=timing)

    def predict(self, heat: float) -> Answered | None:
        """Ask for one prediction; None where nothing answers yet."""

        async def ask() -> Answered | None:
            pipeline = await self._server.pipeline(PIPELINE)
            if pipeline is None or pipeline.champion is None:
                return None
            model = pipeline.champion
            answer = model.answer([{"at": NOON.isoformat(), "heat": heat}])
            return Answered(model.version, heat, answer.predictions[0], len(self.seen.heads))

        answered = self._runner.run(ask())
        if answered is not None:
            self.seen.answers.append(answered)
            self.counts["predictions"] += 1
        return answered

    def close(self) -> None:
        """End whatever still hangs."""
        for task in self.scheduler.tasks:
            self.scheduler.kill(task)
        self._runner.close()


def _quietly(call: Callable[[], Any]) -> Any:
    """Do it, though nobody is there to read an answer."""
    with suppress(PerennialError):
        return call()
    return None
