"""A pipeline in memory: real judging, real training, real graphs; no processes."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from perennial.adapters.memory import MemoryStore
from perennial.adapters.onnx_codec import OnnxCodec
from perennial.domain.definitions.definition import digest, parse
from perennial.domain.names import FileId
from perennial.domain.versioning import registry as state
from perennial.ports import Buckets
from perennial.workflows.judging import judge
from perennial.workflows.registry import Registry
from perennial.workflows.train import train
from perennial.workflows.trainer import Trainer
from perennial.workflows.versions import explain
from tests.unit.launcher import Launcher

DEFINITION = """
name: taps
task: binary
columns:
  at: {type: timestamp, role: event_time}
  heat: {type: number}
  room: {type: category, nullable: true}
  open: {type: integer, role: label, classes: [0, 1]}
training:
  model: linear
  min_rows: 40
"""
START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """Real enough to stamp, instant to sleep."""

    def __init__(self) -> None:
        self._ticks = itertools.count()

    def now(self) -> datetime:
        return START + timedelta(milliseconds=next(self._ticks))

    def sleep(self, seconds: float) -> None:
        pass


class SmokelessCodec(OnnxCodec):
    """The real codec without its fresh process (which other tests start), and with a hook."""

    def __init__(self) -> None:
        super().__init__()
        self.on_export = lambda: None

    def export(self, model):
        hook, self.on_export = self.on_export, lambda: None
        hook()
        return super().export(model)

    def check_smoke(self, graph, manifest, instances, expected):
        assert len(instances) == len(expected) > 0


def day_of_taps(
    day: int, *, rows: int = 100, wrong: range = range(0), always: int | None = None
) -> bytes:
    """A file of one day, as CSV; arguments as those of `Taps.drop`."""
    lines = ["at,heat,room,open"]
    for n in range(rows):
        chance = random.Random(f"{day}/{n}")
        heat = chance.gauss(0, 1)
        truth = int(heat + chance.gauss(0, 0.5) > 0) ^ (n in wrong)
        truth = truth if always is None else always
        time = START + timedelta(days=day, minutes=n)
        lines.append(f"{time:%Y-%m-%dT%H:%M:%S},{heat:.4f},{chance.choice('abc')},{truth}")
    return ("\n".join(lines) + "\n").encode()


@dataclass
class Taps:
    """The pipeline under test."""

    trainer: Trainer
    text: str = DEFINITION
    days: itertools.count = field(default_factory=itertools.count)

    @property
    def registry(self) -> Registry:
        return self.trainer.registry

    @property
    def head(self) -> state.Head:
        return self.registry.require("taps")

    def apply(self, text: str = DEFINITION) -> None:
        self.registry.store_definition(parse(text).name, text)
        self.registry.commit(
            "taps", lambda head: state.apply_definition(head, digest(text)), action="apply", by="t"
        )

    def drop(
        self,
        *,
        day: int | None = None,
        rows: int = 100,
        wrong: range = range(0),
        always: int | None = None,
        name: str = "",
    ) -> str:
        """One day of taps that open when it is hot.

        The rows in `wrong` say the opposite; with `always`, all rows say that.
        """
        day = next(self.days) if day is None else day
        data = day_of_taps(day, rows=rows, wrong=wrong, always=always)
        landing = self.trainer.buckets.landing
        info = landing.overwrite(f"taps/{name or f'day{day}.csv'}", data)
        file = FileId(info.generation, info.name)
        verdict = judge(self.trainer.buckets, self.registry, self.trainer.clock, file)
        assert verdict.decision == "accepted", verdict
        return file.stem

    def train(self, **options):
        return train(self.trainer, "taps", **options)

    def learned(self) -> list[str]:
        """Names of the files that the champion has learned."""
        return [f["name"] for f in explain(self.registry, "taps", self.head.champion)["files"]]


@pytest.fixture
def taps() -> Taps:
    return made_taps()


@pytest.fixture
def another():
    """Makes a second pipeline, in buckets of its own."""
    return made_taps


def made_taps() -> Taps:
    clock = Clock()
    buckets = Buckets(
        landing=MemoryStore("landing", versioned=True),
        quarantine=MemoryStore("quarantine"),
        data=MemoryStore("data"),
        models=MemoryStore("models"),
    )
    registry = Registry(buckets.models, clock)
    trainer = Trainer(buckets, registry, SmokelessCodec(), Launcher(), clock, execution="job-1")
    made = Taps(trainer)
    made.apply()
    return made


@pytest.fixture
def restarted():
    """The same buckets, worked on by another process."""

    def make(taps: Taps, execution: str) -> Taps:
        return replace(taps, trainer=replace(taps.trainer, execution=execution))

    return make
