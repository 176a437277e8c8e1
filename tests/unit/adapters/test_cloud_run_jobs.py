"""The Admin API of Cloud Run, as a small server that remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import requests
from google.auth.exceptions import DefaultCredentialsError
from pytest_mock import MockerFixture

from perennial.adapters.cloud_run_jobs import CloudRunJobs
from perennial.config import Config
from perennial.errors import LaunchError
from perennial.ports import Task

JOB = "projects/garden-1/locations/europe-west1/jobs/trainer"


@dataclass
class AdminApi:
    """Answers that are handed out in order, and what came in."""

    url: str = ""
    answers: list[tuple[int, Any]] = field(default_factory=list)
    requests: list[tuple[str, str, Any, str | None]] = field(default_factory=list)


@pytest.fixture
def api() -> Iterator[AdminApi]:
    api = AdminApi()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            api.requests.append((self.command, self.path, body, self.headers.get("authorization")))
            status, document = api.answers.pop(0)
            answer = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET  # noqa: N815  http.server dictates the name

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield api
    server.shutdown()
    server.server_close()


@pytest.fixture
def jobs(api: AdminApi) -> CloudRunJobs:
    return CloudRunJobs(config(api.url))


def config(endpoint: str) -> Config:
    return Config(
        "", "", "", "",
        project="garden-1", region="europe-west1", train_job="trainer", run_endpoint=endpoint,
    )  # fmt: skip


def test_a_launch_names_the_pipeline_and_returns_the_execution(
    api: AdminApi, jobs: CloudRunJobs
) -> None:
    api.answers = [(200, {"name": "operations/1", "metadata": {"name": f"{JOB}/executions/e1"}})]

    assert jobs.launch("flowers") == f"{JOB}/executions/e1"
    variables = [{"name": "PERENNIAL_PIPELINE", "value": "flowers"}]
    body = {"overrides": {"containerOverrides": [{"env": variables}]}}
    assert api.requests == [("POST", f"/v2/{JOB}:run", body, None)]


def test_a_forced_launch_says_so(api: AdminApi, jobs: CloudRunJobs) -> None:
    api.answers = [(200, {"metadata": {"name": "e1"}})]

    jobs.launch("flowers", force=True)
    ((_, _, body, _),) = api.requests
    variables = body["overrides"]["containerOverrides"][0]["env"]
    assert {"name": "PERENNIAL_FORCE", "value": "1"} in variables


@pytest.mark.parametrize(
    ("task", "variable"),
    [
        ("rebuild", "PERENNIAL_REBUILD"),
        ("import", "PERENNIAL_IMPORT"),
        ("score", "PERENNIAL_SCORE"),
    ],
)
def test_a_task_names_no_pipeline_to_train(
    api: AdminApi, jobs: CloudRunJobs, task: Task, variable: str
) -> None:
    """So that a job of a release that does not know it does nothing, least of all a run."""
    api.answers = [(200, {"metadata": {"name": "e1"}})]

    assert jobs.launch_task(task, "flowers", "v000012") == "e1"
    ((_, _, body, _),) = api.requests
    (container,) = body["overrides"]["containerOverrides"]
    assert container == {"env": [{"name": variable, "value": "flowers/v000012"}]}


def test_a_busy_platform_is_asked_again(api: AdminApi, jobs: CloudRunJobs) -> None:
    accepted = {"metadata": {"name": "e1"}}
    api.answers = [(429, {}), (503, {}), (200, accepted)]

    assert jobs.launch("flowers") == "e1"
    assert len(api.requests) == 3


def test_a_refusal_is_a_launch_error_with_the_platforms_sentence(
    api: AdminApi, jobs: CloudRunJobs
) -> None:
    sentence = "Permission 'run.jobs.runWithOverrides' denied"
    api.answers = [(403, {"error": {"message": sentence}})]

    with pytest.raises(LaunchError, match=f"jobs/trainer: 403 {sentence}"):
        jobs.launch("flowers")


@pytest.mark.parametrize("answer", [b"<html>", {"name": "operations/1"}, []])
def test_an_answer_without_an_execution_is_a_launch_error(
    api: AdminApi, jobs: CloudRunJobs, answer: object
) -> None:
    api.answers = [(200, answer)]

    with pytest.raises(LaunchError, match="names no execution"):
        jobs.launch("flowers")


@pytest.mark.parametrize(
    ("status", "answer", "ended"),
    [
        (200, {"name": "e1", "completionTime": "2026-02-14T08:00:00Z"}, True),
        (200, {"name": "e1", "runningCount": 1}, False),
        (404, {"error": {"message": "not found"}}, True),
        (403, {"error": {"message": "forbidden"}}, False),
        (200, b"<html>", False),
    ],
)
def test_an_execution_has_ended_when_the_platform_says_so_or_knows_it_no_more(
    api: AdminApi, jobs: CloudRunJobs, status: int, answer: object, ended: bool
) -> None:
    api.answers = [(status, answer)] * 4

    assert jobs.has_ended(f"{JOB}/executions/e1") is ended
    assert api.requests[0][:2] == ("GET", f"/v2/{JOB}/executions/e1")


def test_a_short_name_is_an_execution_of_the_job(api: AdminApi, jobs: CloudRunJobs) -> None:
    """A container knows its execution by the short name."""
    api.answers = [(200, {})]

    jobs.has_ended("trainer-x7k2p")
    assert api.requests[0][1] == f"/v2/{JOB}/executions/trainer-x7k2p"


def test_an_execution_without_a_name_cannot_be_told(api: AdminApi, jobs: CloudRunJobs) -> None:
    assert jobs.has_ended("") is False
    assert api.requests == []


def test_an_unreachable_platform_launches_nothing_and_ends_nothing() -> None:
    jobs = CloudRunJobs(config("http://127.0.0.1:1"), requests.Session())

    with pytest.raises(LaunchError):
        jobs.launch("flowers")
    assert jobs.has_ended("e1") is False


def test_anything_but_this_machine_is_asked_with_credentials(
    api: AdminApi, mocker: MockerFixture
) -> None:
    mocker.patch("google.auth.default", side_effect=DefaultCredentialsError("none found"))
    jobs = CloudRunJobs(config("https://run.googleapis.com"))

    with pytest.raises(LaunchError, match="none found"):
        jobs.launch("flowers")
    assert jobs.has_ended("e1") is False
