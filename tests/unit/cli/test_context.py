"""Where commands find what they talk to."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError, RefreshError
from pytest_mock import MockerFixture

from localdev.storage.process import StorageServer
from perennial.adapters import cloud_storage
from perennial.cli.context import Deployment
from perennial.errors import ConfigError, UserError

from .conftest import Run
from .deployments import CALLER, PROJECT, descriptor, leave

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


def test_a_project_with_a_region_has_buckets_of_its_name(tmp_path: Path, port: int) -> None:
    """The old way: nothing is read, for the names follow from the project's."""
    local_cloud(tmp_path / ".perennial", port)
    variables = {"PERENNIAL_REGION": "europe-west1", "PERENNIAL_DATA_BUCKET": "elsewhere"}
    config = Deployment.find(variables, project=PROJECT).config

    assert (config.project, config.region) == (PROJECT, "europe-west1")
    assert config.landing_bucket == "garden-1-perennial-landing"
    assert config.data_bucket == "elsewhere"
    assert config.train_job == "perennial-train"
    assert config.run_endpoint == "https://run.googleapis.com"
    assert config.predict_url == ""


def test_a_project_that_is_named_beats_a_local_cloud(tmp_path: Path, port: int) -> None:
    directory = local_cloud(tmp_path / "cloud", port)
    variables = {"PERENNIAL_LOCAL": str(directory), "PERENNIAL_REGION": "europe-west1"}

    assert Deployment.find(variables, project=PROJECT).config.project == PROJECT


def test_a_project_of_the_environment_is_the_last_resort() -> None:
    variables = {"GOOGLE_CLOUD_PROJECT": PROJECT, "PERENNIAL_REGION": "europe-west1"}

    assert Deployment.find(variables).config.project == PROJECT


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The storage emulator with the buckets of two deployments; only one describes itself."""
    buckets = [f"{PROJECT}-{name}-models" for name in ("perennial", "roses", "empty", "wrong")]
    with StorageServer(tmp_path_factory.mktemp("storage"), buckets=buckets) as server:
        leave(server.url, buckets[0], descriptor().to_json())
        roses = descriptor("roses", region="us-east1", buckets={**descriptor().buckets})
        leave(server.url, buckets[1], roses.to_json())
        leave(server.url, buckets[3], b'{"format": 2}')
        yield server.url


class TestDiscovery:
    """`--project P` is enough: the deployment says the rest."""

    def test_a_deployment_is_found_by_its_project_alone(self, storage: str) -> None:
        deployment = Deployment.find({"PERENNIAL_STORAGE_ENDPOINT": storage}, project=PROJECT)
        config = deployment.config

        assert (config.project, config.region) == (PROJECT, "europe-west1")
        assert config.landing_bucket == "garden-1-perennial-landing"
        assert config.train_job == "perennial-train"
        assert config.predict_url == "https://predict.test"
        assert deployment.descriptor.caller == CALLER

    def test_what_it_says_goes_before_what_its_parts_are_usually_called(self, storage: str) -> None:
        variables = {"PERENNIAL_STORAGE_ENDPOINT": storage, "PERENNIAL_DEPLOYMENT": "roses"}
        deployment = Deployment.find(variables, project=PROJECT)

        assert (deployment.config.region, deployment.config.train_job) == (
            "us-east1",
            "roses-train",
        )
        assert deployment.config.landing_bucket == "garden-1-perennial-landing"
        assert deployment.buckets.models.bucket == "garden-1-perennial-models"

    def test_variables_go_before_what_it_says(self, storage: str) -> None:
        variables = {
            "PERENNIAL_STORAGE_ENDPOINT": storage,
            "PERENNIAL_DATA_BUCKET": "elsewhere",
            "PERENNIAL_TRAIN_JOB": "my-train",
            "PERENNIAL_PREDICT_URL": "https://mine.test",
            "PERENNIAL_LANDING_BUCKET": "",
        }
        config = Deployment.find(variables, project=PROJECT).config

        assert config.data_bucket == "elsewhere"
        assert (config.train_job, config.predict_url) == ("my-train", "https://mine.test")
        assert config.landing_bucket == "garden-1-perennial-landing"

    def test_the_project_of_the_environment_is_asked_too(self, storage: str) -> None:
        variables = {"PERENNIAL_STORAGE_ENDPOINT": storage, "GOOGLE_CLOUD_PROJECT": PROJECT}

        assert Deployment.find(variables).config.region == "europe-west1"

    def test_with_a_region_it_is_read_when_somebody_asks(self, storage: str) -> None:
        variables = {"PERENNIAL_STORAGE_ENDPOINT": storage, "PERENNIAL_REGION": "here"}
        deployment = Deployment.find(variables, project=PROJECT)

        assert deployment.config.region == "here"
        assert deployment.descriptor.region == "europe-west1"

    @pytest.mark.parametrize("name", ["empty", "nowhere"], ids=["no object", "no bucket"])
    def test_where_there_is_none_it_says_what_was_looked_for_and_what_writes_it(
        self, storage: str, name: str
    ) -> None:
        variables = {"PERENNIAL_STORAGE_ENDPOINT": storage, "PERENNIAL_DEPLOYMENT": name}

        with pytest.raises(ConfigError) as raised:
            Deployment.find(variables, project=PROJECT)
        assert str(raised.value) == (
            f"looked for gs://garden-1-{name}-models/deployment.json and found none: `make deploy` "
            "writes it (PERENNIAL_DEPLOYMENT names another deployment than perennial); or set "
            "PERENNIAL_REGION, and PERENNIAL_…_BUCKET for buckets with other names"
        )

    def test_one_of_a_later_version_says_what_to_install(self, storage: str) -> None:
        variables = {"PERENNIAL_STORAGE_ENDPOINT": storage, "PERENNIAL_DEPLOYMENT": "wrong"}

        with pytest.raises(ConfigError, match=r"gs://garden-1-wrong-models/.* format 2, which"):
            Deployment.find(variables, project=PROJECT)

    def test_no_deployment_can_be_called_anyhow(self) -> None:
        with pytest.raises(ConfigError, match=r"PERENNIAL_DEPLOYMENT: .* found 'No Name'"):
            Deployment.find({"PERENNIAL_DEPLOYMENT": "No Name"}, project=PROJECT)

    @pytest.mark.parametrize("variables", [{}, {"PERENNIAL_REGION": "europe-west1"}])
    def test_what_is_no_project_id_is_refused_before_anything_is_asked(
        self, variables: dict[str, str]
    ) -> None:
        with pytest.raises(ConfigError, match=r"^a project id has 6 to 30 .* found 'NOPE!'$"):
            Deployment.find(variables, project="NOPE!")

    def test_who_may_not_read_it_learns_which_role_is_missing(self) -> None:
        with refusing_storage() as url, pytest.raises(ConfigError) as raised:
            Deployment.find({"PERENNIAL_STORAGE_ENDPOINT": url}, project=PROJECT)
        said = str(raised.value)

        assert "gs://garden-1-perennial-models/deployment.json" in said
        assert "roles/storage.objectViewer" in said
        assert "rosa does not have storage.objects.get" in said
        for name in ("`droppers`", "`operators`", "`callers`", "make deploy", "PERENNIAL_REGION"):
            assert name in said
        assert len(said.splitlines()) == 1

    def test_without_credentials_no_setting_is_advised(self, mocker: MockerFixture) -> None:
        mocker.patch("google.auth.default", side_effect=DefaultCredentialsError("none found"))

        with pytest.raises(ConfigError, match="application-default login") as raised:
            Deployment.find({}, project=PROJECT)
        assert "PERENNIAL_REGION" not in str(raised.value)

    def test_credentials_that_google_refuses_are_to_be_renewed(self, mocker: MockerFixture) -> None:
        session = mocker.patch.object(cloud_storage, "AuthorizedSession").return_value
        session.request.side_effect = RefreshError("invalid_grant: Token has been revoked")
        mocker.patch("google.auth.default", return_value=(AnonymousCredentials(), None))

        with pytest.raises(ConfigError, match=r"refuses .*application-default login.*revoked"):
            Deployment.find({}, project=PROJECT)

    def test_a_shell_that_names_a_project_is_told_of_the_local_cloud_too(
        self, storage: str, tmp_path: Path
    ) -> None:
        variables = {
            "PERENNIAL_STORAGE_ENDPOINT": storage,
            "PERENNIAL_DEPLOYMENT": "empty",
            "GOOGLE_CLOUD_PROJECT": PROJECT,
        }

        with pytest.raises(ConfigError, match=r"no local cloud runs in .*, and looked for gs://"):
            Deployment.find(variables)

    @pytest.mark.parametrize(
        "words", [["--project", "patch-1", "status"], ["status", "--project", "patch-1"]]
    )
    def test_project_may_come_before_or_after_the_command(
        self, storage: str, run: Run, monkeypatch: pytest.MonkeyPatch, words: list[str]
    ) -> None:
        monkeypatch.setenv("PERENNIAL_STORAGE_ENDPOINT", storage)

        assert "gs://patch-1-perennial-models/deployment.json" in run(*words).complaint


@contextmanager
def refusing_storage() -> Iterator[str]:
    """A storage that lets nobody read."""
    refusal = {"error": {"code": 403, "message": "rosa does not have storage.objects.get access."}}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(refusal).encode()
            self.send_response(403)
            self.send_header("content-length", str(len(body)))
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
