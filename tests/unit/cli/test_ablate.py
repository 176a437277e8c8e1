"""`perennial ablate`, over files and over a deployment in memory."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from perennial.ports import Buckets

from .conftest import Run

DEFINITION = """\
name: vases
task: regression
columns:
  day: {type: timestamp, role: event_time}
  petals: {type: number}
  noise: {type: number}
  price: {type: number, role: label}
training: {model: linear, min_rows: 20}
"""
SMALL = ("--files", "9", "--window", "4", "--jobs", "1", "--cache", "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Fourteen daily files of two shops."""
    made = tmp_path / "files"
    for day in range(14):
        chance = random.Random(day)
        lines = ["day,petals,noise,price"]
        for _ in range(24):
            petals = chance.uniform(1, 9)
            noise, price = chance.random(), 2 * petals + chance.random()
            lines.append(f"2025-01-{day + 1:02},{petals:.4f},{noise:.4f},{price:.4f}")
        shop = made / ("east" if day % 2 else "west")
        shop.mkdir(parents=True, exist_ok=True)
        (shop / f"{day:02}.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "vases.yaml").write_text(DEFINITION)
    return made


def test_people_read_what_helps_and_what_hurts(run: Run, folder: Path) -> None:
    ran = run("ablate", "--pipeline", "vases.yaml", folder, *SMALL)

    assert ran.code == 0
    assert "vases: 216 rows of the newest 9 files" in ran.out
    assert "not proven to help: " in ran.out
    (petals,) = [line for line in ran.out.splitlines() if line.startswith("petals")]
    assert petals.endswith("helps")
    (noise,) = [line for line in ran.out.splitlines() if line.startswith("noise")]
    assert noise.endswith("not proven to help")
    assert "sources that hurt: none" in ran.out


def test_json_tells_all_of_it(run: Run, folder: Path) -> None:
    told = run("ablate", "--pipeline", "vases.yaml", folder, *SMALL, "--json").json

    assert told.keys() == {
        "format", "pipeline", "task", "metric", "history", "scored", "features", "sources",
        "not_proven_to_help", "together", "sources_that_hurt", "cost",
    }  # fmt: skip
    assert told["features"][0]["name"] == "petals"
    assert told["features"][0]["low"] > 1
    assert "petals" not in told["not_proven_to_help"]
    assert {one["name"] for one in told["sources"]} == {"east", "west"}
    assert told["sources"][0].keys() >= {"difference", "low", "high", "others", "own", "by_source"}
    again = run("ablate", "--pipeline", "vases.yaml", folder, *SMALL, "--json").json
    assert again["cost"]["trainings_made"] == 0
    assert again["features"] == told["features"]


def test_either_can_be_asked_for_alone(run: Run, folder: Path) -> None:
    words = ("ablate", "--pipeline", "vases.yaml", folder, *SMALL, "--json")

    assert run(*words, "--features").json["sources"] == []
    assert run(*words, "--sources").json["features"] == []


def test_the_accepted_history_of_a_pipeline_is_ablated_and_left_as_it_was(
    deployed: Run, folder: Path, buckets: Buckets
) -> None:
    for file in sorted(folder.rglob("*.csv")):
        name = file.relative_to(folder).as_posix()
        buckets.landing.overwrite(f"vases/{name}", file.read_bytes())
    assert deployed("apply", "vases.yaml").code == 0
    assert deployed("sweep", "vases").code == 0
    before = contents(buckets)

    told = deployed("ablate", "vases", *SMALL, "--json").json

    assert contents(buckets) == before
    assert told["history"]["files"] == 14
    assert {one["name"] for one in told["sources"]} == {"east", "west"}


def contents(buckets: Buckets) -> dict:
    return {
        (store.bucket, info.name): info.generation
        for store in (buckets.landing, buckets.quarantine, buckets.data, buckets.models)
        for info in store.list("")
    }


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("one", "two"), "expected one pipeline's NAME, found 2 words"),
        (("--pipeline", "vases.yaml", "files/east"), "an ablation needs 8 files to predict"),
        (("--pipeline", "vases.yaml", "none"), "no file at none"),
    ],
)
def test_what_cannot_be_is_one_line(
    run: Run, folder: Path, words: tuple[str, ...], complaint: str
) -> None:
    ran = run("ablate", *words)

    assert ran.code != 0
    assert complaint in ran.complaint
