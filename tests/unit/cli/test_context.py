"""Where commands find what they talk to."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perennial.cli.context import Deployment
from perennial.errors import ConfigError, UserError

from .conftest import Run

BUCKETS = {
    "PERENNIAL_LANDING_BUCKET": "l",
    "PERENNIAL_QUARANTINE_BUCKET": "q",
    "PERENNIAL_DATA_BUCKET": "d",
    "PERENNIAL_MODELS_BUCKET": "m",
}


@pytest.fixture
def port() -> Iterator[int]:
    """Where something listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def local_cloud(directory: Path, port: int, *, pid: int | None = None) -> Path:
    """A folder that says that a local cloud runs in it."""
    directory.mkdir(exist_ok=True)
    document = {
        "storage": f"http://127.0.0.1:{port}",
        "predict": "http://127.0.0.1:2",
        "run": "http://127.0.0.1:3",
        "buckets": {"landing": "l", "quarantine": "q", "data": "d", "models": "m"},
        "project": "local",
        "region": "here",
        "train_job": "trainer",
        "pid": os.getpid() if pid is None else pid,
    }
    (directory / "endpoints.json").write_text(json.dumps(document))
    return directory


def test_a_local_cloud_is_found_by_its_folder(tmp_path: Path, port: int) -> None:
    directory = local_cloud(tmp_path / "cloud", port)
    config = Deployment.find({"PERENNIAL_LOCAL": str(directory)}).config

    assert config.storage_endpoint == f"http://127.0.0.1:{port}"
    assert config.predict_url == "http://127.0.0.1:2"
    assert config.run_endpoint == "http://127.0.0.1:3"
    assert (config.landing_bucket, config.models_bucket) == ("l", "m")
    assert (config.project, config.region, config.train_job) == ("local", "here", "trainer")


def test_a_local_cloud_in_this_folder_is_found_without_a_word(tmp_path: Path, port: int) -> None:
    local_cloud(tmp_path / ".perennial", port)

    assert Deployment.find({}).config.region == "here"
    # Many shells name a project for other reasons.
    assert Deployment.find({"GOOGLE_CLOUD_PROJECT": "garden-1"}).config.region == "here"


def test_without_any_it_says_what_to_do(tmp_path: Path, run: Run) -> None:
    assert run("status").complaint == (
        f"perennial: no local cloud runs in {tmp_path}/.perennial: start one with "
        "`perennial up`, or name a project with --project"
    )


def test_a_local_cloud_whose_process_is_gone_does_not_run(tmp_path: Path, port: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    directory = local_cloud(tmp_path / "cloud", port, pid=process.pid)

    with pytest.raises(UserError, match="no local cloud runs in"):
        Deployment.find({"PERENNIAL_LOCAL": str(directory)})


def test_a_local_cloud_that_does_not_answer_does_not_run(tmp_path: Path) -> None:
    """A process that ended may linger as a zombie."""
    directory = local_cloud(tmp_path / "cloud", 1)

    with pytest.raises(UserError, match="no local cloud runs in"):
        Deployment.find({"PERENNIAL_LOCAL": str(directory)})


def test_the_settings_of_a_deployment_are_taken_from_the_environment(
    tmp_path: Path, port: int
) -> None:
    local_cloud(tmp_path / ".perennial", port)
    config = Deployment.find({**BUCKETS, "PERENNIAL_PROJECT": "garden-1"}).config

    assert config.project == "garden-1"
    assert config.storage_endpoint == ""


def test_half_the_settings_of_a_deployment_are_a_mistake() -> None:
    with pytest.raises(ConfigError, match="PERENNIAL_MODELS_BUCKET"):
        Deployment.find({"PERENNIAL_LANDING_BUCKET": "l"})


def test_a_project_has_buckets_of_its_name(tmp_path: Path, port: int) -> None:
    local_cloud(tmp_path / ".perennial", port)
    variables = {"PERENNIAL_REGION": "europe-west1", "PERENNIAL_DATA_BUCKET": "elsewhere"}
    config = Deployment.find(variables, project="garden-1").config

    assert (config.project, config.region) == ("garden-1", "europe-west1")
    assert config.landing_bucket == "garden-1-perennial-landing"
    assert config.data_bucket == "elsewhere"
    assert config.run_endpoint == "https://run.googleapis.com"


def test_a_project_that_is_named_beats_a_local_cloud(tmp_path: Path, port: int) -> None:
    directory = local_cloud(tmp_path / "cloud", port)
    variables = {"PERENNIAL_LOCAL": str(directory), "PERENNIAL_REGION": "europe-west1"}

    assert Deployment.find(variables, project="garden-1").config.project == "garden-1"


def test_a_project_of_the_environment_is_the_last_resort() -> None:
    variables = {"GOOGLE_CLOUD_PROJECT": "garden-1", "PERENNIAL_REGION": "europe-west1"}

    assert Deployment.find(variables).config.project == "garden-1"


def test_a_project_needs_a_region() -> None:
    with pytest.raises(ConfigError, match="set PERENNIAL_REGION"):
        Deployment.find({}, project="garden-1")


@pytest.mark.parametrize("words", [["--project", "p-1", "status"], ["status", "--project", "p-1"]])
def test_project_may_come_before_or_after_the_command(run: Run, words: list[str]) -> None:
    assert "p-1's deployment" in run(*words).complaint
