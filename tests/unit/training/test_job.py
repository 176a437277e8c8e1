"""The job's entry point ends in log lines and an exit code, whatever happens."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functions.train import main as job
from perennial.errors import GateFailed

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def lines(taps, monkeypatch, capsys):
    """Runs the job on the pipeline; gives its exit code and what it logged."""
    monkeypatch.setenv("PERENNIAL_PIPELINE", "taps")
    monkeypatch.delenv("PERENNIAL_FORCE", raising=False)
    monkeypatch.setattr(job, "trainer", lambda _: taps.trainer)
    log = logging.getLogger("perennial")
    before = (log.handlers, log.level, log.propagate)

    def run() -> tuple[int, list[dict[str, Any]]]:
        code = job.main()
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    yield run
    log.handlers, log.level, log.propagate = before


def test_a_run_is_one_line_with_its_summary(taps, lines):
    taps.drop()
    code, (line,) = lines()
    assert code == 0
    assert (line["severity"], line["logger"]) == ("INFO", "perennial.train")
    assert (line["pipeline"], line["outcome"], line["version"]) == ("taps", "promoted", "v000001")
    assert line["message"] == line["reason"]


def test_what_a_run_found_is_a_warning_of_its_own_that_the_deployment_counts(taps, lines):
    for _ in range(9):
        taps.drop(rows=60)
        lines()
    taps.drop(day=20, rows=60, wrong=range(60))
    code, (alert, run) = lines()
    assert code == 0
    assert (alert["severity"], alert["alert"], alert["pipeline"]) == ("WARNING", "suspect", "taps")
    assert alert["files"] == ["taps/day20.csv"]
    assert (run["severity"], run["outcome"]) == ("INFO", "set_aside")


def test_an_unforeseen_error_is_one_line_with_its_traceback_and_exit_code_1(taps, lines):
    taps.drop()

    def breaks() -> None:
        raise ZeroDivisionError("of all things\nin two lines")

    taps.trainer.codec.on_export = breaks
    code, (line,) = lines()
    assert code == 1
    assert (line["severity"], line["pipeline"]) == ("ERROR", "taps")
    assert line["reason"] == "ZeroDivisionError: of all things\nin two lines"
    assert "Traceback (most recent call last)" in line["message"]
    assert "in breaks" in line["message"]


def test_a_gate_that_failed_is_an_error_too(taps, lines):
    """The run goes on record and the job ends, but no version came of it."""
    taps.drop()

    def fails() -> None:
        raise GateFailed("1 of 20 rows differ")

    taps.trainer.codec.on_export = fails
    code, (line,) = lines()
    assert code == 1
    assert (line["severity"], line["pipeline"]) == ("ERROR", "taps")
    assert line["reason"] == "GateFailed: 1 of 20 rows differ"


def test_without_anything_to_do_there_is_nothing_to_say(lines):
    assert lines() == (0, [])


def test_a_missing_setting_is_one_line_without_a_traceback():
    """The process itself, as the platform starts it."""
    kept = {"PATH", "LANG", "SYSTEMROOT"}
    done = subprocess.run(
        [sys.executable, "functions/train/main.py"],
        cwd=REPOSITORY,
        env={k: v for k, v in os.environ.items() if k in kept} | {"PERENNIAL_PIPELINE": "taps"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == ""
    line = json.loads(done.stdout)
    assert (line["severity"], line["pipeline"]) == ("ERROR", "taps")
    assert line["message"] == line["reason"]
    assert line["reason"].startswith("ConfigError: ")


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"PERENNIAL_PIPELINE": ""}, "is not set"),
        ({"PERENNIAL_PIPELINE": "../models"}, "found '../models'"),
        ({"PERENNIAL_PIPELINE": "taps/registry"}, "found 'taps/registry'"),
        ({"PERENNIAL_PIPELINE": "Taps"}, "found 'Taps'"),
        ({"PERENNIAL_PIPELINE": "t" * 10_000}, "found 'tttt"),
        ({"PERENNIAL_PIPELINE": "", "PERENNIAL_REBUILD": "taps"}, "found 'taps'"),
        ({"PERENNIAL_PIPELINE": "", "PERENNIAL_REBUILD": "taps/../x"}, "found 'taps/../x'"),
        ({"PERENNIAL_PIPELINE": "", "PERENNIAL_SCORE": "taps/a b"}, "found 'taps/a b'"),
        ({"PERENNIAL_PIPELINE": "", "PERENNIAL_IMPORT": "/x"}, "found '/x'"),
        ({"PERENNIAL_PIPELINE": "taps", "PERENNIAL_REBUILD": "taps/v000001"}, "expected one thing"),
    ],
)
def test_what_no_launcher_asks_for_is_refused(taps, lines, monkeypatch, variables, says):
    """Overrides come from whoever may start the job."""
    taps.drop()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    code, (line,) = lines()
    assert code == 2
    assert line["severity"] == "ERROR"
    assert says in line["message"]
    assert len(line["message"]) < 250
    assert taps.head.champion is None
