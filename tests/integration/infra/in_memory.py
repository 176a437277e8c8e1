"""A deployment in memory: real workflows, each part with what Terraform gives to its account."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from perennial.adapters.graph import Graph
from perennial.adapters.memory import MemoryStore
from perennial.adapters.onnx_codec import OnnxCodec
from perennial.domain.names import FileId, verdict
from perennial.domain.serving.batch import WAITING
from perennial.domain.serving.request_rows import Rows
from perennial.workflows.apply import apply
from perennial.workflows.batch.scoring import score_requested, score_waiting
from perennial.workflows.ingest import ingest
from perennial.workflows.monitoring import logs
from perennial.workflows.monitoring.look import Lookout
from perennial.workflows.monitoring.tick import Watched, watch
from perennial.workflows.registry import Registry
from perennial.workflows.serve import Server
from perennial.workflows.serving.lookups import Lookups
from perennial.workflows.sweep import Swept, sweep
from perennial.workflows.train import train
from perennial.workflows.trainer import Trainer
from tests.integration.infra.guarded import ROLES, Account, Guarded, Platform
from tests.integration.infra.roles import Access, Grant

PREFIX = "flower-shop-perennial-"
DEFINITION = """
name: taps
task: binary
columns:
  at: {type: timestamp, role: event_time}
  visit: {type: integer, role: key}
  heat: {type: number, rules: [{range: [-100, 100]}]}
  open: {type: integer, role: label, classes: [0, 1]}
training: {model: linear, min_rows: 40}
serving: {lookup: true}
"""
START = datetime(2026, 1, 1, tzinfo=UTC)
INSTANCE = {"at": "2026-01-09T10:00:00Z", "heat": 3.0}
PARTS = ("ingest", "monitor", "train", "predict")


class Killed(BaseException):
    """The process ended in the middle of its work."""


class Clock:
    """Real enough to stamp, instant to sleep."""

    def __init__(self) -> None:
        self._ticks = itertools.count()

    def now(self) -> datetime:
        return START + timedelta(days=60, milliseconds=next(self._ticks))

    def sleep(self, seconds: float) -> None:
        pass


class Codec(OnnxCodec):
    """The real one, in a process that can be killed when it has trained."""

    killed = False

    def export(self, model):
        if self.killed:
            raise Killed
        return super().export(model)


@dataclass
class Deployment:
    """A deployment in memory, whose parts have what Terraform gives to them and nothing more."""

    accounts: dict[str, Account]
    clock: Clock = field(default_factory=Clock)
    codec: Codec = field(default_factory=Codec)
    platform: Platform = field(default_factory=lambda: Platform("perennial-train"))
    executions: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.stores = {
            role: MemoryStore(PREFIX + role, self.clock, versioned=role in ("landing", "models"))
            for role in ROLES
        }
        self.predictions = MemoryStore(PREFIX + "predictions", self.clock)
        hour = f"{self.clock.now():%Y/%m/%d/%H:00:00_%H:59:59}"
        self.predictions.create(f"{logs.PREFIX}{hour}_S0.json", b"")  # as the log's sink does

    def apply(self, text: str = DEFINITION) -> None:
        """What an operator does, with rights of his own."""
        everybody = Account(_everything(self.stores, self.platform.job))
        buckets = everybody.stores(self.stores)
        registry = Registry(buckets.models, self.clock)
        launcher = self.platform.launcher(everybody)
        apply(buckets, registry, launcher, self.clock, text, by="ann")

    def drop(self, name: str, day: int, *, heat: float = 0) -> FileId:
        """A user's upload."""
        info = self.stores["landing"].overwrite(f"taps/{name}", taps(day, heat=heat))
        return FileId(info.generation, info.name)

    def forget(self, file: FileId) -> None:
        """Leave a judged file as a process does that ends just before its verdict."""
        self.stores["data"].delete(verdict("taps", file))

    def ingest(self, file: FileId) -> str:
        account = self.accounts["ingest"]
        buckets = account.stores(self.stores)
        registry = Registry(buckets.models, self.clock)
        launcher = self.platform.launcher(account)
        return ingest(buckets, registry, self.clock, file, launcher).decision

    def sweep(self) -> Swept:
        account = self.accounts["monitor"]
        buckets = account.stores(self.stores)
        registry = Registry(buckets.models, self.clock)
        return sweep(buckets, registry, self.platform.launcher(account), self.clock)

    def watch(self) -> Watched:
        """A tick's looks, after its sweep."""
        account = self.accounts["monitor"]
        buckets = account.stores(self.stores)
        registry = Registry(buckets.models, self.clock)
        lookout = Lookout(
            buckets, registry, self.platform.launcher(account), self.clock,
            Guarded(self.predictions, account),  # type: ignore[arg-type]
        )  # fmt: skip
        return watch(lookout, registry.pipelines(), {"log": lambda *_: None})

    def train(self, execution: str, *, force: bool = False) -> list[str]:
        trainer = self.trainer(execution)
        return [record.outcome for record in train(trainer, "taps", force=force)]

    def score(self, execution: str, request: str = WAITING) -> list[str]:
        trainer = self.trainer(execution)
        if request == WAITING:
            return [one.outcome for one in score_waiting(trainer, "taps")]
        return [one.outcome for one in score_requested(trainer, "taps", request)]

    def look_up(self, key: str) -> object:
        """What was predicted for a row of a file."""
        models = self.accounts["predict"].stores(self.stores).models
        lookups = Lookups(models, self.clock)

        async def find() -> object:
            entries = await lookups.entries(Registry(models, self.clock).require("taps"))
            found = await lookups.find(entries, [key])
            return found and found.prediction

        return asyncio.run(find())

    def trainer(self, execution: str) -> Trainer:
        """The parts of the job, in one of its executions."""
        account = self.accounts["train"]
        buckets = account.stores(self.stores)
        registry = Registry(buckets.models, self.clock)
        launcher = self.platform.launcher(account)
        return Trainer(buckets, registry, self.codec, launcher, self.clock, execution)

    def predict(self) -> list[object]:
        models = self.accounts["predict"].stores(self.stores).models
        server = Server(models, self.clock, Graph)

        async def answer() -> list[object]:
            [pipeline] = await server.pipelines()
            assert pipeline.champion is not None, pipeline.error
            answer = await server.answer(pipeline, pipeline.champion, Rows([INSTANCE]))
            return answer.predictions

        return asyncio.run(answer())


def taps(day: int, *, heat: float = 0) -> bytes:
    """A day of taps that open when it is hot, as CSV."""
    lines = ["at,visit,heat,open"]
    for n in range(100):
        chance = random.Random(f"{day}/{n}")
        value = chance.gauss(0, 1)
        opens = int(value + chance.gauss(0, 0.5) > 0)
        time = START + timedelta(days=day, minutes=n)
        visit = 1000 * day + n
        lines.append(f"{time:%Y-%m-%dT%H:%M:%S},{visit},{value + heat:.4f},{opens}")
    return ("\n".join(lines) + "\n").encode()


def _everything(stores: dict[str, MemoryStore], job: str) -> Access:
    grants = [Grant("roles/storage.objectUser", store.bucket) for store in stores.values()]
    return Access(
        (*grants, Grant("roles/run.jobsExecutorWithOverrides", job), Grant("roles/run.viewer", job))
    )
