"""Versions made in memory by real runs, and made again."""

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
from perennial.domain.versioning.lineage import Lineage
from perennial.domain.versioning.rebuilding import Rebuild
from perennial.ports import Buckets
from perennial.workflows.judging import judge
from perennial.workflows.rebuild import rebuild
from perennial.workflows.registry import Registry
from perennial.workflows.train import train
from perennial.workflows.trainer import Trainer

START = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ("buy", "cheap", "watch", "the", "new", "video", "thanks", "great", "song", "like", "it")
ENVIRONMENT = {
    "python": "3.11.7", "numpy": "2.4.6", "scikit-learn": "1.9.1", "code": "c" * 64,
    "dependencies": "d" * 64, "threads": "1", "platform": "Linux x86_64 glibc 2.36 SkylakeX",
}  # fmt: skip

LINEAR = """
name: stalls
task: binary
columns:
  at: {type: timestamp, role: event_time}
  heat: {type: number, nullable: true}
  room: {type: category, nullable: true}
  open: {type: integer, role: label, classes: [0, 1]}
training: {model: linear, min_rows: 40}
"""
TREES = LINEAR.replace("{model: linear, min_rows: 40}", "{parameters: {max_iter: 10}}")
WINDOWED = LINEAR.replace("min_rows: 40", "min_rows: 40, window: {files: 2}")
TEXT = LINEAR.replace("  open:", "  said: {type: text}\n  open:")
NUMBERS = """
name: stalls
task: regression
columns:
  at: {type: timestamp, role: event_time}
  heat: {type: number, nullable: true}
  room: {type: category, nullable: true}
  open: {type: number, role: label}
training: {parameters: {max_iter: 10, max_leaf_nodes: 5}}
"""


class Clock:
    """Real enough to stamp, instant to sleep."""

    def __init__(self) -> None:
        self._ticks = itertools.count()

    def now(self) -> datetime:
        return START + timedelta(milliseconds=next(self._ticks))

    def sleep(self, seconds: float) -> None:
        pass


class Launcher:
    """A platform that starts nothing."""

    def launch(self, pipeline: str, *, force: bool = False) -> str:
        return "never"

    def has_ended(self, execution: str) -> bool:
        return False


class SmokelessCodec(OnnxCodec):
    """The real codec without its fresh process, which other tests start."""

    def check_smoke(self, graph, manifest, instances, expected):
        assert len(instances) == len(expected) > 0


@dataclass
class Stalls:
    """The pipeline under test."""

    trainer: Trainer
    days: itertools.count = field(default_factory=itertools.count)

    @property
    def registry(self) -> Registry:
        return self.trainer.registry

    @property
    def head(self) -> state.Head:
        return self.registry.require("stalls")

    def apply(self, text: str) -> None:
        self.registry.store_definition(parse(text).name, text)
        self.registry.commit(
            "stalls", lambda head: state.apply_definition(head, digest(text)), action="apply",
            by="t",
        )  # fmt: skip

    def drop(self, *, day: int | None = None, rows: int = 100, wrong: range = range(0)) -> str:
        """One day of visits, two of which lack a value; those in the minutes `wrong` are lies.

        The file is not sorted by time, so that a tail that is held out comes from all over it.
        """
        day = next(self.days) if day is None else day
        lines = ["at,heat,room,said,open"]
        for n in range(rows):
            chance = random.Random(f"{day}/{n}")
            heat = chance.gauss(0, 1)
            minute = (n * 37) % rows
            truth = int(heat + chance.gauss(0, 0.5) > 0) ^ (minute in wrong)
            time = START + timedelta(days=day, minutes=minute)
            said = " ".join(chance.choices(WORDS, k=5))
            shown = "" if n == 3 else f"{heat:.4f}"
            room = "" if n == 4 else chance.choice("abc")
            lines.append(f"{time:%Y-%m-%dT%H:%M:%S},{shown},{room},{said},{truth}")
        text = "\n".join(lines) + "\n"
        info = self.trainer.buckets.landing.overwrite(f"stalls/day{day}.csv", text.encode())
        file = FileId(info.generation, info.name)
        verdict = judge(self.trainer.buckets, self.registry, self.trainer.clock, file)
        assert verdict.decision == "accepted", verdict
        return verdict.rows_object

    def train(self) -> list[str]:
        """How each run ended."""
        return [record.outcome for record in train(self.trainer, "stalls")]

    def lineage(self, version: str) -> Lineage:
        manifest = self.registry.manifest("stalls", version)
        return Lineage.from_json(self.registry.read_version_file(manifest, "lineage.json"))

    def rebuild(self, version: str = "v000001", **environment: str) -> Rebuild:
        """Made again, where these parts of the environment are others."""
        trainer = replace(self.trainer, environment={**self.trainer.environment, **environment})
        return rebuild(trainer, "stalls", version)


@pytest.fixture
def stalls() -> Stalls:
    """Without a definition yet."""
    clock = Clock()
    buckets = Buckets(
        landing=MemoryStore("landing", versioned=True),
        quarantine=MemoryStore("quarantine"),
        data=MemoryStore("data"),
        models=MemoryStore("models"),
    )
    registry = Registry(buckets.models, clock)
    trainer = Trainer(
        buckets, registry, SmokelessCodec(), Launcher(), clock, "job-1", environment=ENVIRONMENT
    )
    return Stalls(trainer)
