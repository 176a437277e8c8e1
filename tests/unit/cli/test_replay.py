"""`perennial replay`, over files and over a deployment in memory."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perennial.domain.definitions.own_models import look_up_with, nobody_looks_up
from perennial.ports import Buckets
from perennial.workflows.replays import latest_replay

from .conftest import Run

DEFINITION = """\
name: flowers
task: regression
columns:
  day: {type: timestamp, role: event_time}
  petals: {type: number}
  price: {type: number, role: label}
training: {model: linear, min_rows: 20}
promotion: {min_duel_rows: 10}
"""
SMALL = ("--first", "3", "--every", "1", "--window", "3", "--jobs", "1", "--cache", "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve daily files; the price of a petal rises."""
    made = tmp_path / "files"
    made.mkdir()
    for day in range(12):
        chance = random.Random(day)
        lines = ["day,petals,price"]
        for _ in range(24):
            petals = chance.uniform(1, 9)
            lines.append(
                f"2025-01-{day + 1:02},{petals:.4f},{petals * (1 + day) + chance.random():.4f}"
            )
        (made / f"{day:02}.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "flowers.yaml").write_text(DEFINITION)
    return made


def test_plain_files_are_replayed_before_anything_is_deployed(run: Run, folder: Path) -> None:
    ran = run("replay", "--pipeline", "flowers.yaml", folder, *SMALL)

    assert ran.code == 0
    assert "flowers: 12 files, 288 rows; the first 3 for training only" in ran.out
    assert "Fashion, surely: retraining pays" in ran.out
    assert "    window: {files: 3}" in ran.out
    assert "static" in ran.out


def test_json_tells_all_of_it(run: Run, folder: Path) -> None:
    told = run("replay", "--pipeline", "flowers.yaml", folder, *SMALL, "--json").json

    assert told.keys() == {
        "format", "pipeline", "task", "metric", "label", "tolerance", "history", "scored",
        "verdict", "recommendation", "policies", "gates", "decay", "course", "cost",
    }  # fmt: skip
    assert told["verdict"]["answer"] == "fashion"
    assert told["recommendation"]["mode"] == "dynamic"
    assert (told["recommendation"]["every"], told["recommendation"]["window"]) == (1, 3)
    assert [p["promotion"] for p in told["policies"]] == ["none"] * 3 + ["duel", "duel+probation"]
    assert len(told["course"]) == told["scored"]["files"] == 9


def test_the_report_is_written(run: Run, folder: Path) -> None:
    assert run("replay", "--pipeline", "flowers.yaml", folder, *SMALL, "--html", "r.html").code == 0

    assert Path("r.html").read_text().startswith("<!DOCTYPE html>")


def test_the_accepted_history_of_a_pipeline_is_replayed_and_nothing_is_written(
    deployed: Run, folder: Path, buckets: Buckets
) -> None:
    plain = deployed("replay", "--pipeline", "flowers.yaml", folder, *SMALL, "--json").json
    for file in sorted(folder.iterdir()):
        buckets.landing.overwrite(f"flowers/{file.name}", file.read_bytes())
    buckets.landing.overwrite("flowers/bad.csv", b"<html>")
    assert deployed("apply", "flowers.yaml").code == 0
    assert deployed("sweep", "flowers").code == 0
    before = contents(buckets)

    told = deployed("replay", "flowers", *SMALL, "--json").json

    assert contents(buckets) == before
    # The same rows: whoever replayed the files before they were dropped finds the same, and
    # remembers every training.
    assert told["policies"] == plain["policies"]
    assert told["cost"]["trainings_made"] == 0

    asked = deployed("replay", "flowers", *SMALL, "--keep", "--json").json
    kept = latest_replay(buckets.data, "flowers")
    assert kept is not None
    assert (kept.number, kept.by, kept.document) == (1, "rosa", asked)
    assert len(contents(buckets)) == len(before) + 1


FACTORY = "def make():\n    from sklearn.linear_model import Lasso\n    return Lasso(0.01)\n"


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Iterator[Path]:
    """A model of one's own beside the definition; no trace of it stays in this process."""
    package = tmp_path / "own_replay_models"
    package.mkdir()
    (package / "__init__.py").write_text(FACTORY)
    (tmp_path / "flowers.yaml").write_text(
        DEFINITION.replace("model: linear", 'model: "own_replay_models:make"')
    )
    path = list(sys.path)
    yield package
    look_up_with(nobody_looks_up)
    sys.path[:] = path
    sys.modules.pop("own_replay_models", None)


def test_a_model_beside_the_definition_is_replayed_in_every_process(
    run: Run, folder: Path, own: Path
) -> None:
    words = ("replay", "--pipeline", "flowers.yaml", folder, *SMALL, "--jobs", "2", "--json")
    told = run(*words).json
    assert told["verdict"]["answer"] == "fashion"
    assert told["cost"]["trainings_made"] > 4
    assert run(*words).json["cost"]["trainings_made"] == 0

    (own / "other.py").write_text("# what is remembered is of other code\n")
    assert run(*words).json["cost"]["trainings_made"] == told["cost"]["trainings_made"]


def test_a_model_in_a_deployments_definition_needs_its_folder(
    deployed: Run, folder: Path, own: Path, buckets: Buckets
) -> None:
    assert deployed("apply", "flowers.yaml").code == 0
    for file in sorted(folder.iterdir()):
        buckets.landing.overwrite(f"flowers/{file.name}", file.read_bytes())
    assert deployed("sweep", "flowers").code == 0

    assert "own_replay_models:make: name the folder" in deployed("replay", "flowers").complaint
    assert deployed("replay", "flowers", *SMALL, "--models", own.parent, "--json").json
    refused = deployed("replay", "flowers", *SMALL, "--models", folder).complaint
    assert "own_replay_models:make may not be imported here" in refused


def test_files_that_came_late_are_counted_and_replayed_in_their_place(
    deployed: Run, folder: Path, buckets: Buckets
) -> None:
    plain = deployed("replay", "--pipeline", "flowers.yaml", folder, *SMALL, "--json").json
    assert plain["history"]["late_files"] == 0
    in_time = sorted(folder.iterdir())
    for file in [*in_time[:4], *in_time[5:], in_time[4]]:
        buckets.landing.overwrite(f"flowers/{file.name}", file.read_bytes())
    assert deployed("apply", "flowers.yaml").code == 0
    assert deployed("sweep", "flowers").code == 0

    told = deployed("replay", "flowers", *SMALL, "--json").json

    assert told["history"]["late_files"] == 1
    assert told["policies"] == plain["policies"]
    said = deployed("replay", "flowers", *SMALL).out
    assert "1 file came late: replayed as if each had come in the order of its rows' time" in said


def contents(buckets: Buckets) -> dict:
    return {
        (store.bucket, info.name): info.generation
        for store in (buckets.landing, buckets.quarantine, buckets.data, buckets.models)
        for info in store.list("")
    }


def test_two_names_are_refused(run: Run) -> None:
    assert "expected one pipeline's NAME, found 2 words" in run("replay", "a", "b").complaint


def test_a_history_that_is_too_short_is_refused(run: Run, folder: Path) -> None:
    ran = run("replay", "--pipeline", "flowers.yaml", folder / "00.csv")

    assert "needs 8 files after the first 1" in ran.complaint


def test_a_report_that_cannot_be_written_is_refused_before_any_work(run: Run, folder: Path) -> None:
    ran = run("replay", "--pipeline", "flowers.yaml", folder, *SMALL, "--html", "no/r.html")

    assert "there is no folder no" in ran.complaint
    assert not Path("cache").exists()


def test_files_alone_have_no_place_where_a_replay_could_be_kept(run: Run, folder: Path) -> None:
    ran = run("replay", "--pipeline", "flowers.yaml", folder, *SMALL, "--keep")
    assert "--keep needs a pipeline's NAME" in ran.complaint
