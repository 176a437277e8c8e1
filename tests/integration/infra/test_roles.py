"""Each part's grants suffice for all that it does, and are not broader in kind than that."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from perennial.adapters.graph import Graph
from perennial.adapters.memory import MemoryStore
from perennial.adapters.onnx_codec import OnnxCodec
from perennial.domain.names import FileId, verdict
from perennial.errors import PermissionDenied
from perennial.workflows.apply import apply
from perennial.workflows.ingest import ingest
from perennial.workflows.registry import Registry
from perennial.workflows.serve import Server
from perennial.workflows.sweep import Swept, sweep
from perennial.workflows.train import Trainer, train
from tests.integration.infra.guarded import ROLES, Account, Platform
from tests.integration.infra.roles import Access, Grant, holds, object_name

PREFIX = "flower-shop-perennial-"
DEFINITION = """
name: taps
task: binary
columns:
  at: {type: timestamp, role: event_time}
  heat: {type: number, rules: [{range: [-100, 100]}]}
  open: {type: integer, role: label, classes: [0, 1]}
training: {model: linear, min_rows: 40}
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
        return START + timedelta(milliseconds=next(self._ticks))

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

    def apply(self) -> None:
        """What an operator does, with rights of his own."""
        everybody = Account(_everything(self.stores, self.platform.job))
        buckets = everybody.stores(self.stores)
        registry = Registry(buckets.models, self.clock)
        launcher = self.platform.launcher(everybody)
        apply(buckets, registry, launcher, self.clock, DEFINITION, by="ann")

    def drop(self, name: str, day: int, *, heat: float = 0) -> FileId:
        """A user's upload: a day of taps that open when it is hot."""
        lines = ["at,heat,open"]
        for n in range(100):
            chance = random.Random(f"{day}/{n}")
            value = chance.gauss(0, 1)
            opens = int(value + chance.gauss(0, 0.5) > 0)
            time = START + timedelta(days=day, minutes=n)
            lines.append(f"{time:%Y-%m-%dT%H:%M:%S},{value + heat:.4f},{opens}")
        data = ("\n".join(lines) + "\n").encode()
        return FileId(
            self.stores["landing"].overwrite(f"taps/{name}", data).generation, f"taps/{name}"
        )

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

    def train(self, execution: str) -> list[str]:
        account = self.accounts["train"]
        buckets = account.stores(self.stores)
        registry = Registry(buckets.models, self.clock)
        launcher = self.platform.launcher(account)
        trainer = Trainer(buckets, registry, self.codec, launcher, self.clock, execution)
        return [record.outcome for record in train(trainer, "taps")]

    def predict(self) -> list[object]:
        models = self.accounts["predict"].stores(self.stores).models
        server = Server(models, self.clock, Graph)

        async def answer() -> list[object]:
            [pipeline] = await server.pipelines()
            assert pipeline.champion is not None, pipeline.error
            return (await server.answer(pipeline.champion, [INSTANCE])).predictions

        return asyncio.run(answer())


def _everything(stores: dict[str, MemoryStore], job: str) -> Access:
    grants = [Grant("roles/storage.objectUser", store.bucket) for store in stores.values()]
    return Access(
        (*grants, Grant("roles/run.jobsExecutorWithOverrides", job), Grant("roles/run.viewer", job))
    )


@pytest.fixture(scope="module")
def access(deployed) -> Callable[[str], Access]:
    """What Terraform gives to a part's account."""
    made = deployed.resources("apply")

    def access(part: str) -> Access:
        return Access.planned(made, f"perennial-{part}@flower-shop.iam.gserviceaccount.com")

    return access


@pytest.fixture(scope="module")
def deployment(access) -> Deployment:
    """A deployment in which everything happened that happens, each part with its own rights."""
    deployment = Deployment({part: Account(access(part)) for part in PARTS})
    deployment.apply()
    assert deployment.ingest(deployment.drop("monday.csv", 0)) == "accepted"
    assert deployment.platform.launched == ["taps"]
    assert deployment.ingest(deployment.drop("tuesday.csv", 1)) == "accepted"  # asks after the run
    bad = deployment.drop("bad.csv", 2, heat=1000)
    assert deployment.ingest(bad) == "quarantined"
    deployment.forget(bad)
    assert deployment.ingest(bad) == "quarantined"  # finds what the one that died wrote
    deployment.codec.killed = True
    with suppress(Killed):
        deployment.train("execution-1")
    deployment.codec.killed = False
    deployment.drop("unheard.csv", 3)
    bad = deployment.drop("unheard-bad.csv", 4, heat=1000)
    swept = deployment.sweep()  # asks whether the run that claimed is over
    assert swept.errors == {}
    assert swept.judged == {"accepted": 1, "quarantined": 1}
    assert swept.launched == []
    deployment.forget(bad)
    assert deployment.sweep().judged == {"quarantined": 1}
    deployment.platform.ended.add("execution-1")
    assert deployment.sweep().launched == ["taps"]
    assert deployment.train("execution-2") == ["promoted"]  # asks the same
    assert deployment.ingest(deployment.drop("friday.csv", 5)) == "accepted"
    assert deployment.train("execution-3") == ["promoted"]
    assert deployment.predict() != []
    return deployment


@pytest.mark.parametrize("part", PARTS)
def test_nothing_that_a_part_does_is_refused(deployment, part):
    assert deployment.accounts[part].used
    assert deployment.accounts[part].refused == []


@pytest.mark.parametrize("part", PARTS)
def test_a_part_may_do_nothing_in_a_bucket_that_it_does_not_do(deployment, part):
    account = deployment.accounts[part]
    assert account.access.kinds() == account.used


def test_who_starts_runs_does_so_with_overrides_and_asks_after_them(deployment):
    asked = {part: deployment.accounts[part].asked for part in PARTS}
    starts = {"run.jobs.run", "run.jobs.runWithOverrides", "run.executions.get"}
    assert asked == {
        "ingest": starts,
        "monitor": starts,
        "train": {"run.executions.get"},
        "predict": set(),
    }


@pytest.mark.parametrize("part", PARTS)
def test_nothing_but_a_head_can_be_replaced(access, part):
    for role in ROLES:
        for name in ("taps/versions/v000001/model.onnx", "taps/registry/commits/0001.json", "x"):
            full = object_name(PREFIX + role, name)
            assert not access(part).may("storage.objects.delete", PREFIX + role, full)
    head = object_name(PREFIX + "models", "taps/registry/head.json")
    may = access(part).may("storage.objects.delete", PREFIX + "models", head)
    assert may == (part == "train")


def test_a_part_without_a_grant_is_refused(deployment):
    """The guard itself: it refuses what no grant allows."""
    bare = Account(Access(()))
    with pytest.raises(PermissionDenied):
        bare.stores(deployment.stores).landing.read("taps/monday.csv")
    assert bare.refused


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('resource.name.endsWith("/registry/head.json")', True),
        ('resource.name.startsWith("taps/")', True),
        ('resource.name == "taps/registry"', False),
        ('resource.name == "x" || resource.name.startsWith("taps/")', True),
        ('(resource.name.startsWith("taps/") && resource.name.endsWith(".csv"))', False),
    ],
)
def test_conditions_are_evaluated(condition, expected):
    assert holds(condition, "taps/registry/head.json") is expected


def test_an_unknown_condition_is_an_error():
    with pytest.raises(ValueError, match="cannot evaluate"):
        holds('request.time < timestamp("2027-01-01T00:00:00Z")', "x")
