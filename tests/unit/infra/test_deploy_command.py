"""`infra/deploy.py` and the verbs of the Makefile, as a person calls them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from infra.deploying.wanted import ROOT

HERE = ["--project", "garden-1", "--region", "europe-west1"]


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "infra" / "deploy.py", *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def make(*arguments: str, **variables: str) -> list[str]:
    """The arguments that a verb would give to deploy.py."""
    done = subprocess.run(
        ["make", "--dry-run", "--assume-old=.venv/.ready", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = [line for line in done.stdout.splitlines() if "deploy.py" in line]
    return shlex.split(line)[2:]


@pytest.mark.parametrize("verb", [["--help"], ["up", "--help"], ["down", "--help"]])
def test_each_verb_has_help(verb: list[str]) -> None:
    done = run(*verb)
    assert done.returncode == 0
    assert "usage: deploy.py" in done.stdout


def test_a_name_that_cannot_be_right_is_one_clear_line() -> None:
    done = run("up", "--project", "garden-1", "--region", "europe-west1-b")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip() == "deploy: europe-west1-b is a zone; its region is europe-west1."


@pytest.mark.parametrize(("verb", "name"), [("up", "deploy"), ("down", "destroy")])
def test_what_was_not_named_is_asked_for_in_the_words_of_make(verb: str, name: str) -> None:
    done = run(verb, "--project", "", "--region", "")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"{name}: name the project and the region: PROJECT=my-project REGION=europe-west1"
    )


def test_without_terraform_it_says_how_to_get_it(tmp_path: Path) -> None:
    done = run("up", *HERE, PATH=str(tmp_path))
    assert done.returncode == 1
    assert "Terraform 1.9 or newer is not on the PATH" in done.stderr


def test_make_passes_on_what_was_named() -> None:
    assert make("deploy", "PROJECT=garden-1", "REGION=europe-west1") == ["up", *HERE]
    assert make(
        "destroy", "PROJECT=garden-1", "REGION=europe-west1", "ENV=prod", "DEPLOYMENT=second",
        "STATE=gs://b/p", "YES=1",
    ) == [
        "down", *HERE, "--deployment", "second", "--env", "prod", "--state", "gs://b/p", "--yes",
    ]  # fmt: skip


def test_models_are_for_deploying_alone() -> None:
    named = ("PROJECT=garden-1", "REGION=europe-west1", "MODELS=house")
    assert make("deploy", *named) == ["up", *HERE, "--models", "house"]
    assert make("destroy", *named) == ["down", *HERE]
    assert make("deploy", *named[:2], MODELS="/srv/models") == ["up", *HERE]


def test_a_folder_without_packages_is_one_clear_line(tmp_path: Path) -> None:
    done = run("up", *HERE, "--models", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "deploy: MODELS: expected a folder with packages (folders with an __init__.py), "
        f"found none in {tmp_path}."
    )


def test_a_shells_own_env_is_not_an_environment() -> None:
    """POSIX shells read a start-up file that a variable of this name names."""
    arguments = make("deploy", "PROJECT=garden-1", "REGION=europe-west1", ENV="/etc/shrc")
    assert "--env" not in arguments
