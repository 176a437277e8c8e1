"""A pipeline in memory with files to be scored beside those that it learns."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from perennial.domain.names import FileId
from perennial.workflows.judging import judge
from tests.unit.training.conftest import DEFINITION, Taps, another, taps  # noqa: F401 (fixtures, too)

KEYED = DEFINITION.replace("  heat:", "  tap: {type: category, role: key}\n  heat:")

ToScore = Callable[..., FileId]


def visits(rows: int, *, seed: int = 0, label: bool = False, key: bool = False) -> str:
    """A file of taps whose state nobody knows yet, as CSV."""
    chance = random.Random(seed)
    lines = ["at," + "tap," * key + "heat,room" + ",open" * label]
    for n in range(rows):
        heat = chance.gauss(0, 1)
        cells = f"2026-02-01T00:{n % 60:02d}:00," + f"t{n}," * key + f"{heat:.4f},"
        lines.append(cells + chance.choice(["a", "b", ""]) + f",{int(heat > 0)}" * label)
    return "\n".join(lines) + "\n"


@pytest.fixture
def to_score(taps: Taps) -> ToScore:  # noqa: F811
    """Drops a file to be scored, judges it, and says which it is."""

    def drop(text: str | None = None, *, name: str = "feb.csv") -> FileId:
        data = (visits(30) if text is None else text).encode()
        info = taps.trainer.buckets.landing.overwrite(f"taps/score/{name}", data)
        file = FileId(info.generation, info.name)
        verdict = judge(taps.trainer.buckets, taps.registry, taps.trainer.clock, file)
        assert verdict.decision == "to_score", verdict
        return file

    return drop
