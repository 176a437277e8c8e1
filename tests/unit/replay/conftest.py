"""Synthetic streams with a known truth, and replays of them in this process."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from perennial.adapters.clock import SystemClock
from perennial.adapters.fitting import FitCache, ProcessFitter
from perennial.adapters.memory import MemoryStore
from perennial.domain.definitions.definition import Definition, parse
from perennial.domain.replaying.policies import Plan, make_plan
from perennial.workflows.replay import Replayed, Source, plain_files, replay

START = datetime(2025, 1, 1, tzinfo=UTC)
LIBRARIES = {"scikit-learn": "1"}

DEFINITION = """
name: pumps
task: regression
columns:
  at: {type: timestamp, role: event_time}
  a: {type: number}
  b: {type: number}
  flow: {type: number, role: label}
training: {model: linear, min_rows: 20}
promotion: {min_duel_rows: 20}
"""

Files = list[tuple[str, bytes]]


def pumps(
    files: int, *, turn: float = 0.0, rows: int = 40, seed: int = 0, wrong: Sequence[int] = ()
) -> Files:
    """Daily files of pumps whose flow depends on two pressures.

    Args:
        files: how many.
        turn: how far the dependence moves from one file to the next; 0 is a stationary stream.
        rows: in each file.
        seed: of the noise.
        wrong: files whose labels are shuffled.
    """
    made = []
    for day in range(files):
        chance = random.Random(f"{seed}/{day}")
        points = [(chance.gauss(0, 1), chance.gauss(0, 1)) for _ in range(rows)]
        weight = turn * day
        flows = [10 + (3 - weight) * a + weight * b + chance.gauss(0, 1) for a, b in points]
        if day in wrong:
            flows = [60 - 3 * flow for flow in flows]
        lines = ["at,a,b,flow"]
        for n, ((a, b), flow) in enumerate(zip(points, flows, strict=True)):
            time = START + timedelta(days=day, minutes=n)
            lines.append(f"{time:%Y-%m-%dT%H:%M:%S},{a:.5f},{b:.5f},{flow:.5f}")
        made.append((f"day{day:03}.csv", ("\n".join(lines) + "\n").encode()))
    return made


def source_of(files: Files, text: str = DEFINITION) -> Source:
    return plain_files(parse(text), files, MemoryStore("scratch"), SystemClock())


def plan_of(source: Source, **options) -> Plan:
    return make_plan(source.definition, source.history.lengths, **options)


def fitter_of(source: Source, cache: Path | None = None, **options) -> ProcessFitter:
    definition: Definition = source.definition
    folder = cache and FitCache(cache, definition, source.history, LIBRARIES)
    return ProcessFitter(definition, source.history, folder, jobs=1, **options)


@pytest.fixture
def replayed() -> Callable[..., Replayed]:
    """Replays a stream."""

    def run(files: Files, text: str = DEFINITION, **options) -> Replayed:
        source = source_of(files, text)
        return replay(source, plan_of(source, **options), fitter_of(source))

    return run
