"""Real faults against a running cloud: one deck of the adversary's, and mistakes that come back."""

from __future__ import annotations

import json
import shutil
import time
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from perennial.workflows.relaunching import FIRST_PAUSE
from tests.chaos.adversary import ROLES
from tests.chaos.bucket import Buckets
from tests.chaos.load import DEFINITION, PIPELINE, content
from tests.chaos.run import Plan, run
from tests.e2e.conftest import REPOSITORY

POISON = """

from perennial.workflows import deciding

_judge_bytes = deciding.judge_bytes


def _choke(definition, name, data, **known):
    if "poison" in name:
        raise ZeroDivisionError("planted")
    return _judge_bytes(definition, name, data, **known)


deciding.judge_bytes = _choke
"""
DEATH = """
import os, signal
from perennial.workflows import train as _train_workflow

if os.environ.get("PERENNIAL_PIPELINE") == "dying":
    _train_workflow._work = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
"""
_DECK = 21


def test_nothing_is_lost_or_doubled_whatever_is_killed(tmp_path):
    outcome = run(tmp_path, Plan(deeds=_DECK, seed=5, pace=0.7))

    assert outcome.complaints() == []
    # An upload that got no answer is sent again, and may land twice.
    assert outcome.findings.landed >= outcome.dropped > 20
    assert outcome.findings.checked > 50
    assert outcome.kills.keys() <= {*ROLES, "whole cloud"}
    assert len(outcome.kills) >= 4  # a process that is just being started again cannot be killed
    assert outcome.events["delivered"] > 20


@pytest.fixture
def mistaken(new_cloud, tmp_path):
    """A cloud of a checkout with two mistakes: in judging some files, in training one pipeline."""
    root = tmp_path / "checkout"
    shutil.copytree(REPOSITORY / "functions", root / "functions")
    for name in (".venv", "shared", "infra"):
        (root / name).symlink_to(REPOSITORY / name)
    for name in ("ingest", "monitor"):  # the sweep judges, too
        main = root / "functions" / name / "main.py"
        main.write_text(main.read_text() + POISON)
    train = root / "functions" / "train" / "main.py"
    text = train.read_text()
    train.write_text(
        text.replace('if __name__ == "__main__"', DEATH + '\nif __name__ == "__main__"')
    )
    new_cloud.up("--root", str(root), "--tick", "1", "--retry-first", "0.1")
    for name in (PIPELINE, "dying"):
        definition = tmp_path / f"{name}.yaml"
        definition.write_text(DEFINITION.replace(f"name: {PIPELINE}", f"name: {name}"))
        new_cloud.run("apply", str(definition))
    return new_cloud


def test_mistakes_that_come_back_every_time_are_set_aside_and_told(mistaken, tmp_path):
    """A file with its traceback, a job less and less often; all else goes on."""
    for number, name in enumerate(("poison", "b")):
        (tmp_path / f"{name}.csv").write_bytes(content(number))
    mistaken.run("drop", "dying", str(tmp_path / "b.csv"))
    mistaken.run("drop", PIPELINE, str(tmp_path / "poison.csv"), str(tmp_path / "b.csv"))

    dropped = mistaken.json("drop", PIPELINE, str(tmp_path / "b.csv"), "--wait")
    assert dropped["files"][0]["verdict"] == "duplicate"
    _await(lambda: mistaken.json("quarantine", "list", PIPELINE)["held"] == 1)
    report = mistaken.json("quarantine", "show", PIPELINE, "poison.csv")
    assert [finding["rule"] for finding in report["findings"]] == ["internal_error"]
    assert "ZeroDivisionError: planted" in report["traceback"]
    assert "in _choke" in report["traceback"]
    assert mistaken.json("status", PIPELINE)["champion"] == "v000001"

    buckets = Buckets(lambda: mistaken.endpoints["storage"])
    _await(lambda: len(_claims(buckets)) >= 2 and _alarmed(mistaken))
    ticks = _ticks(mistaken)
    _await(lambda: _ticks(mistaken) >= ticks + 3)
    claims = _claims(buckets)
    for earlier, later in pairwise(claims[1:]):
        assert later - earlier >= FIRST_PAUSE - timedelta(seconds=1)


def _claims(buckets) -> list[datetime]:
    commits = [
        json.loads(buckets.read("models", item["name"]))
        for item in buckets.list("models", "dying/registry/commits/")
    ]
    return sorted(datetime.fromisoformat(c["at"]) for c in commits if c["action"] == "claim")


def _alarmed(cloud) -> bool:
    found = (cloud.folder / "logs" / "monitor.log").read_text()
    return "like 1 before it, ended without a record" in found


def _ticks(cloud) -> int:
    return len((cloud.folder / "logs" / "scheduler.log").read_text().splitlines())


def _await(done) -> None:
    deadline = time.monotonic() + 120
    while not done():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.3)
