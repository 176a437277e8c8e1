"""Versions made by real executions of the training job, and made again by others.

The command asks the local cloud's job runner, which starts the job's bundle in the job's own
environment; other environments are tried by starting the same bundle by hand.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from localdev.settings import FUNCTIONS, ROOT, Addresses, deployment, platform, process
from perennial.config import Config
from perennial.domain.versioning.lineage import Lineage
from perennial.ports import Buckets
from perennial.wiring.storage import open_buckets

PERENNIAL = Path(sys.executable).with_name("perennial")
JOB_PYTHON = ROOT / ".venv" / "functions" / "train" / "bin" / "python"
START = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ("buy", "cheap", "watch", "the", "new", "video", "thanks", "great", "song", "like", "it")
TREES = """
name: {name}
task: regression
columns:
  at: {{type: timestamp, role: event_time}}
  heat: {{type: number}}
  room: {{type: category}}
  said: {{type: text, role: ignore}}
  guests: {{type: number, role: label}}
training: {{parameters: {{max_iter: 20}}, window: {{files: 2}}}}
"""
TEXT = (
    TREES.replace(", role: ignore", "")
    .replace("{{parameters: {{max_iter: 20}}, window: {{files: 2}}}}", "{{model: linear}}")
    .replace("task: regression", "task: binary")
    .replace("guests: {{type: number", "guests: {{type: integer, classes: [0, 1]")
)


def visits(day: int, *, classes: bool, rows: int = 120) -> str:
    lines = ["at,heat,room,said,guests"]
    for n in range(rows):
        chance = random.Random(f"{day}/{n}")
        heat = chance.gauss(0, 1)
        said = chance.choices(WORDS, k=5)
        number = 3 * heat + 2 * ("buy" in said) + chance.gauss(0, 0.3)
        guests = str(int(number > 0)) if classes else f"{number:.3f}"
        time = START + timedelta(days=day, minutes=n)
        stamp = f"{time:%Y-%m-%dT%H:%M:%S}"
        lines.append(f"{stamp},{heat:.4f},{chance.choice('abc')},{' '.join(said)},{guests}")
    return "\n".join(lines) + "\n"


class Cloud:
    """A local cloud with two pipelines, `trees` and `text`, of three versions each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def source(self, name: str) -> Path:
        """A module of the domain, as the job has it."""
        return self.folder / "bundles" / "train" / "perennial" / "domain" / name

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PERENNIAL, *words],
            env={**os.environ, "PERENNIAL_LOCAL": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=300,
        )

    def rebuild(self, *words: str, code: int = 0) -> dict[str, Any]:
        done = self.run("rebuild", *words, "--verify", "--json")
        assert done.returncode == code, done.stderr + done.stdout
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    @property
    def addresses(self) -> Addresses:
        endpoints = json.loads((self.folder / "endpoints.json").read_text())
        return Addresses(storage=endpoints["storage"], run=endpoints["run"])

    @property
    def buckets(self) -> Buckets:
        return open_buckets(Config.from_mapping(deployment(self.addresses)))

    def by_hand(self, python: Path, wanted: str, **variables: str) -> dict[str, Any]:
        """What an execution finds that nobody's job runner started."""
        (job,) = (function for function in FUNCTIONS if function.kind == "job")
        done = subprocess.run(
            [python, "main.py"],
            cwd=self.folder / "bundles" / "train",
            env={
                **deployment(self.addresses),
                **platform(job, 0),
                **process(self.folder, self.addresses, os.environ),
                "PERENNIAL_REBUILD": wanted,
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        (line,) = done.stdout.splitlines()
        document: dict[str, Any] = json.loads(
            self.buckets.data.read(json.loads(line)["object"]).data
        )
        return document


@pytest.fixture(scope="module")
def cloud(tmp_path_factory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("rebuild")
    cloud = Cloud(folder / "cloud")
    up = cloud.run("up", "--dir", str(cloud.folder), "--detach")
    assert up.returncode == 0, up.stderr
    for name, text in (("trees", TREES), ("text", TEXT)):
        definition = folder / f"{name}.yaml"
        definition.write_text(text.format(name=name))
        assert cloud.run("apply", str(definition)).returncode == 0
        for day in (1, 3, 2):  # the last one comes late
            file = folder / f"{name}{day}.csv"
            file.write_text(visits(day, classes=name == "text"))
            done = cloud.run("drop", name, str(file), "--wait")
            assert done.returncode == 0, done.stderr
    yield cloud
    cloud.run("down", "--dir", str(cloud.folder))


@pytest.mark.parametrize("name", ["trees", "text"])
def test_every_version_is_made_again_bit_for_bit(cloud, name):
    """By another process, from the same bundle, whatever became of the version."""
    versions = json.loads(cloud.run("versions", name, "--json").stdout)["versions"]
    assert len(versions) >= 2
    for version in versions:
        found = cloud.rebuild(name, version["version"])
        assert found["outcome"] == "equal"
        assert found["rebuilt"] == found["recorded"]
        assert found["predictions"]["changed"] == found["serving"]["changed"] == 0
        assert found["differences"] == []
        assert found["unrecorded"] == []


def test_one_execution_makes_every_version_again(cloud):
    versions = json.loads(cloud.run("versions", "trees", "--json").stdout)["versions"]
    found = cloud.rebuild("trees", "--all")
    assert [one["version"] for one in found["versions"]] == [one["version"] for one in versions]
    assert found["equal"] == len(versions)
    assert len({one["execution"] for one in found["versions"]}) == 1


def test_the_registry_is_as_it_was(cloud):
    before = [(i.name, i.generation) for i in cloud.buckets.models.list()]
    cloud.rebuild("trees")
    assert [(i.name, i.generation) for i in cloud.buckets.models.list()] == before


def test_another_number_of_threads_is_named(cloud):
    found = cloud.by_hand(JOB_PYTHON, "trees/v000001", OMP_NUM_THREADS="2")
    assert [(one["what"], one["recorded"]) for one in found["differences"]] == [("threads", "1")]


def test_another_environment_is_named_and_the_same_code_is_known(cloud):
    """The one that these tests run in: other packages beside the job's, of the same versions."""
    found = cloud.by_hand(Path(sys.executable), "text/v000001")
    named = {one["what"] for one in found["differences"]}
    assert "dependencies" in named
    assert "code" not in named


def test_code_that_changed_since_is_named(cloud):
    """An upgrade of the bundle between a version and its rebuild."""
    source = (
        cloud.folder / "bundles" / "train" / "perennial" / "domain" / "modelling" / "features.py"
    )
    before = source.read_text()
    source.write_text(before + "\n# another release\n")
    try:
        found = cloud.by_hand(JOB_PYTHON, "trees/v000002")
    finally:
        source.write_text(before)
    assert found["outcome"] == "equal"
    assert [one["what"] for one in found["differences"]] == ["code"]


def test_code_that_trains_otherwise_is_told_with_how_far_its_answers_lie_apart(cloud):
    """Another default, as a release of a library might bring it."""
    source = (
        cloud.folder / "bundles" / "train" / "perennial" / "domain" / "modelling" / "estimators.py"
    )
    before = source.read_text()
    assert '{"early_stopping": False}' in before
    source.write_text(before.replace('{"early_stopping": False}', '{"l2_regularization": 5.0}'))
    try:
        found = cloud.by_hand(JOB_PYTHON, "trees/v000002")
    finally:
        source.write_text(before)
    assert found["outcome"] == "different"
    assert [one["what"] for one in found["differences"]] == ["code"]
    assert found["predictions"]["changed"] > 0
    assert found["predictions"]["largest"] > found["predictions"]["mean"] > 0
    assert found["serving"]["changed"] == 0


def test_rows_that_are_gone_are_named_and_the_command_ends_with_1(cloud):
    models, data = cloud.buckets.models, cloud.buckets.data
    lineage = Lineage.from_json(models.read("trees/versions/v000001/lineage.json").data)
    (file,) = lineage.files
    data.delete(file.rows_object)
    found = cloud.rebuild("trees", "v000001", code=1)
    assert found["outcome"] == "impossible"
    assert found["missing"] == {"trees/trees1.csv": file.rows_object}


def test_an_upgrade_has_the_champion_trained_again_and_status_tells(cloud):
    """The job's code changes between two drops: another default, as a release might bring it."""
    champion = json.loads(cloud.run("status", "text", "--json").stdout)["champion"]
    source = (
        cloud.folder / "bundles" / "train" / "perennial" / "domain" / "modelling" / "estimators.py"
    )
    before = source.read_text()
    assert '"max_iter": 500' in before
    source.write_text(before.replace('"max_iter": 500', '"max_iter": 2'))
    try:
        assert cloud.run("retrain", "text").returncode == 0
        shown = eventually(
            lambda: json.loads(cloud.run("status", "text", "--json").stdout),
            lambda status: status["upgrade"],
        )
    finally:
        source.write_text(before)
    assert (shown["upgrade"]["version"], shown["upgrade"]["outcome"]) == (champion, "different")
    (alert,) = shown["alerts"]
    assert alert.startswith(f"since an upgrade (other code) {champion} comes out otherwise: ")
    assert alert in cloud.run("status", "text").stdout


def eventually(look, done):
    """What is seen when it is done; the job checks when its runs are over."""
    for _ in range(300):
        if done(seen := look()):
            return seen
        time.sleep(0.2)
    raise AssertionError(seen)
