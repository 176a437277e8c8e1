"""`perennial replay` as people run it: a process of its own that starts others."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

PERENNIAL = Path(sys.executable).with_name("perennial")
BIKE = Path(__file__).resolve().parents[4] / "shared" / "data" / "bike" / "files"


def replay(folder: Path, *words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if "PERENNIAL" not in name}
    done = subprocess.run(
        [PERENNIAL, "replay", *map(str, words)],
        cwd=folder,
        env={**environment, "XDG_CACHE_HOME": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0 or not check, done.stderr
    return done


def told(folder: Path, *words: object) -> dict[str, Any]:
    done = replay(folder, *words, "--json")
    assert done.stderr == ""
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stream of gradient-boosted watts that never changes, with its definition."""
    folder = tmp_path_factory.mktemp("still")
    (folder / "files").mkdir()
    for week in range(24):
        chance = random.Random(f"still/{week}")
        lines = ["at,heat,load,watts"]
        for hour in range(120):
            at = datetime(2025, 1, 1) + timedelta(days=7 * week, hours=hour)  # noqa: DTZ001
            heat, load = chance.gauss(20, 5), chance.uniform(0, 1)
            watts = 100 + 3 * heat + 60 * load + chance.gauss(0, 8)
            lines.append(f"{at:%Y-%m-%d %H:%M:%S},{heat:.3f},{load:.4f},{watts:.3f}")
        (folder / "files" / f"{week:02}.csv").write_text("\n".join(lines) + "\n")
    (folder / "still.yaml").write_text("""
name: still
task: regression
columns:
  at: {type: timestamp, role: event_time}
  heat: {type: number}
  load: {type: number}
  watts: {type: number, role: label}
training: {parameters: {max_iter: 30}}
""")
    return folder


SMALL = ("--pipeline", "still.yaml", "files", "--first", "5", "--every", "1", "--window", "5")


def test_a_stationary_stream_is_physics_in_two_processes_as_in_one(still: Path) -> None:
    two = told(still, *SMALL, "--jobs", "2", "--cache", "two")
    one = told(still, *SMALL, "--jobs", "1", "--cache", "one")

    assert two["verdict"]["answer"] == one["verdict"]["answer"] == "physics"
    assert two["recommendation"]["mode"] == "static"
    for name in ("verdict", "decay", "course", "recommendation"):
        assert two[name] == one[name]
    assert two["cost"]["trainings_made"] == one["cost"]["trainings_made"] > 30

    again = told(still, *SMALL, "--cache", "two")

    assert again["cost"]["trainings_made"] == 0
    assert again["policies"] == two["policies"]


def test_bike_is_fashion_already_in_its_first_half_year(tmp_path: Path) -> None:
    files = sorted(BIKE.glob("*.csv"))[:24]
    if not files:
        pytest.skip(f"the real stream bike is not at {BIKE}")
    subprocess.run(
        [PERENNIAL, "init", "bike", "--sample", files[0], "--label", "cnt", "-o", "bike.yaml"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip

    found = told(tmp_path, "--pipeline", "bike.yaml", "--every", 2, "--window", 4, *files)

    assert found["verdict"]["answer"] == "fashion"
    assert found["verdict"]["confidence"] > 0.95
    assert found["recommendation"]["mode"] == "dynamic"
    losses = {one["policy"]: one["loss"] for one in found["policies"]}
    assert losses["every 2 files, all history"] < 0.6 * losses["static"]
    excess = [one["excess"] for one in found["decay"]["curve"]]
    assert excess[-1] > excess[1] > 0
