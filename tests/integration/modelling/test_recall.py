"""Bike's file 60 is recalled after seven weeks: what learned from it, what serves, what follows.

On the real rows, with real fits and graphs, in memory: files 34 to 66, a window of 26.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from perennial.adapters.memory import MemoryStore
from perennial.domain.definitions.definition import digest
from perennial.domain.names import FileId
from perennial.domain.versioning import registry as state
from perennial.ports import Buckets
from perennial.workflows.judging import judge
from perennial.workflows.recall import Recaller
from perennial.workflows.registry import Registry
from perennial.workflows.train import train
from perennial.workflows.trainer import Trainer
from perennial.workflows.versions import explain, list_versions
from tests.unit.training.conftest import Clock, Launcher, SmokelessCodec

REAL_DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

DEFINITION = """
name: bike
task: regression
columns:
  event_time: {type: timestamp, role: event_time}
  hr: {type: integer}
  workingday: {type: integer}
  weathersit: {type: integer}
  temp: {type: number}
  hum: {type: number}
  cnt: {type: integer, role: label}
  season: {type: integer, role: ignore}
  mnth: {type: integer, role: ignore}
  holiday: {type: integer, role: ignore}
  weekday: {type: integer, role: ignore}
  atemp: {type: number, role: ignore}
  windspeed: {type: number, role: ignore}
training: {window: {files: 26}, parameters: {max_iter: 40}}
"""


class Bike:
    """The pipeline, its files dropped week by week."""

    def __init__(self) -> None:
        clock = Clock()
        roles = ("quarantine", "data", "models")
        buckets = Buckets(
            MemoryStore("landing", versioned=True), *(MemoryStore(role) for role in roles)
        )
        registry = Registry(buckets.models, clock)
        self.trainer = Trainer(
            buckets, registry, SmokelessCodec(), Launcher(), clock, execution="job-1"
        )
        registry.store_definition("bike", DEFINITION)
        registry.commit(
            "bike",
            lambda head: state.apply_definition(head, digest(DEFINITION)),
            action="apply",
            by="t",
        )

    @property
    def head(self) -> state.Head:
        return self.trainer.registry.require("bike")

    def drop(self, *paths: Path) -> None:
        parts = self.trainer
        for path in paths:
            info = parts.buckets.landing.overwrite(f"bike/{path.name}", path.read_bytes())
            file = FileId(info.generation, info.name)
            verdict = judge(parts.buckets, parts.registry, parts.clock, file)
            assert verdict.decision == "accepted", verdict.reason

    def learned(self, version: str) -> list[str]:
        """Names of the files whose rows a version learned."""
        files = explain(self.trainer.registry, "bike", version)["files"]
        return [file["name"] for file in files if file["used"]]


@pytest.fixture(scope="module")
def weeks() -> dict[int, Path]:
    """The files by number."""
    files = sorted((REAL_DATA / "bike" / "files").glob("*.csv"))
    if not files:
        pytest.skip(f"the real stream bike is not at {REAL_DATA}")
    return {int(file.name.split("_")[1]): file for file in files}


@pytest.fixture(scope="module")
def bike(weeks: dict[int, Path]) -> Bike:
    """Files 34 to 58 learned at once, then 59 to 66 one by one."""
    made = Bike()
    made.drop(*(weeks[number] for number in range(34, 59)))
    train(made.trainer, "bike")
    for number in range(59, 67):
        made.drop(weeks[number])
        train(made.trainer, "bike")
    return made


def test_what_learned_it_is_named_the_last_clean_champion_serves_and_a_clean_one_follows(
    bike: Bike, weeks: dict[int, Path]
) -> None:
    name = f"bike/{weeks[60].name}"
    registry = bike.trainer.registry
    before = {v["version"]: v["status"] for v in list_versions(registry, "bike")}
    tainted = [
        version
        for version, status in before.items()
        if status == "approved" and name in bike.learned(version)
    ]
    clean = [v for v, status in before.items() if status == "approved" and v not in tainted]
    assert len(tainted) >= 3
    assert bike.head.champion == tainted[-1]

    parts = bike.trainer
    recaller = Recaller(parts.buckets, registry, parts.launcher, parts.clock, "bike")
    done = recaller.recall(weeks[60].name, by="ann", why="a sensor stood in the sun")

    assert list(done.versions) == tainted
    assert set(done.versions.values()) == {len(weeks[60].read_text().splitlines()) - 1}
    assert (done.before, done.champion) == (tainted[-1], clean[-1])
    records = train(parts, "bike")
    assert [record.outcome for record in records] == ["promoted"]
    champion = bike.head.champion
    assert champion == records[0].version
    learned = bike.learned(champion)
    assert name not in learned
    numbers = [*range(40, 60), *range(61, 67)]
    assert learned == [f"bike/{weeks[number].name}" for number in numbers]
    assert bike.head.predecessors[0] == clean[-1]
    assert train(parts, "bike") == []
    print(f"recalled {', '.join(tainted)}; {clean[-1]} served, then {champion}")
