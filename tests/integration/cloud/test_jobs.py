"""The job runner answers as the Cloud Run Admin API does and runs each execution once."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from localdev.jobs.specification import Job, write_jobs

PARENT = "/v2/projects/local/locations/local"
JOB = f"{PARENT}/jobs/perennial-train"

PROGRAM = """
import json, os, pathlib, sys, time
names = ["PERENNIAL_PIPELINE", "CLOUD_RUN_EXECUTION", "CLOUD_RUN_JOB", "FROM_JOB"]
facts = {name: os.environ.get(name) for name in names}
facts |= {"arguments": sys.argv[1:], "variables": sorted(os.environ), "pid": os.getpid()}
with open("ran.jsonl", "a") as file:
    file.write(json.dumps(facts) + "\\n")
print("a word from the task", flush=True)
if os.environ.get("UNTIL"):
    while not os.path.exists(os.environ["UNTIL"]):
        time.sleep(0.02)
hoard = bytearray(int(os.environ.get("HOARD_MIB", "0")) << 20)
time.sleep(20 if hoard else 0)
sys.exit(int(os.environ.get("EXIT_CODE", "0")))
"""


class Runner:
    """The runner's process, on a folder of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._client = httpx.Client(base_url=self.url)
        (folder / "main.py").write_text(PROGRAM)
        job = Job(
            name="perennial-train",
            command=[sys.executable, "main.py"],
            folder=str(folder),
            environment={"FROM_JOB": "yes", "CLOUD_RUN_JOB": "perennial-train"},
            memory_mib=100,
            timeout_seconds=30,
        )
        write_jobs(folder / "jobs.json", [job])
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "localdev.jobs", f"--port={self._port}", *arguments]
        command += [f"--jobs={self.folder / 'jobs.json'}", f"--logs={self.folder / 'logs'}"]
        command += [f"--database={self.folder / 'jobs.sqlite3'}"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while True:
            try:
                self.get("/")
            except httpx.ConnectError:
                assert self.process.poll() is None, "the runner does not start"
                time.sleep(0.02)
            else:
                return

    def end(self, number: int = signal.SIGTERM) -> None:
        if self.process:
            self.process.send_signal(number)
            self.process.wait()

    def get(self, path: str) -> httpx.Response:
        return self._client.get(path)

    def post(self, path: str, body: Any = None) -> httpx.Response:
        return self._client.post(path, json=body)

    def run(self, timeout: str | None = None, args: list[str] | None = None, **env: str) -> str:
        """Launch an execution and return its resource name."""
        variables = [{"name": name, "value": value} for name, value in env.items()]
        overrides: dict[str, Any] = {"containerOverrides": [{"env": variables, "args": args or []}]}
        if timeout:
            overrides["timeout"] = timeout
        answer = self.post(f"{JOB}:run", {"overrides": overrides})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["metadata"]["name"])

    def execution(self, name: str) -> dict[str, Any]:
        return dict(self.get(f"/v2/{name}").json())

    def completed(self, name: str) -> dict[str, Any] | None:
        execution = self.execution(name)
        return execution if "completionTime" in execution else None

    def ran(self) -> list[dict[str, Any]]:
        path = self.folder / "ran.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """A runner shared by the tests that need nothing special."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    runner = Runner(tmp_path_factory.mktemp("jobs"), port)
    runner.start()
    yield runner
    runner.end()


@pytest.fixture
def runner(tmp_path: Path, unused_port: int) -> Iterator[Runner]:
    """A runner that is not started yet."""
    runner = Runner(tmp_path, unused_port)
    yield runner
    runner.end()


def test_run_answers_an_operation_with_the_execution_as_metadata(running):
    answer = running.post(f"{JOB}:run", {}).json()
    assert answer["name"].startswith("projects/local/locations/local/operations/")
    execution = answer["metadata"]
    assert execution["@type"] == "type.googleapis.com/google.cloud.run.v2.Execution"
    assert execution["name"].startswith(f"{JOB.removeprefix('/v2/')}/executions/perennial-train-")
    assert execution["job"] == "perennial-train"
    assert execution["taskCount"] == 1
    assert execution["reconciling"] is True
    assert "done" not in answer


def test_successful_execution_says_so(running, eventually):
    name = running.run()
    execution = eventually(lambda: running.completed(name))
    assert execution["succeededCount"] == 1
    assert not execution.keys() & {"failedCount", "runningCount", "reconciling"}
    [completed] = [item for item in execution["conditions"] if item["type"] == "Completed"]
    assert completed["state"] == "CONDITION_SUCCEEDED"
    assert execution["createTime"] <= execution["startTime"] <= execution["completionTime"]


def test_overrides_reach_the_process_and_nothing_of_the_runner_does(running, eventually):
    name = running.run(args=["--once", "two words"], PERENNIAL_PIPELINE="flower shop")
    eventually(lambda: running.completed(name))
    [facts] = [item for item in running.ran() if item["PERENNIAL_PIPELINE"] == "flower shop"]
    assert facts["arguments"] == ["--once", "two words"]
    assert facts["CLOUD_RUN_EXECUTION"] == name.rpartition("/")[2]
    assert facts["FROM_JOB"] == "yes"
    assert "PATH" not in facts["variables"]


def test_exit_code_fails_the_execution(running, eventually):
    name = running.run(EXIT_CODE="3")
    execution = eventually(lambda: running.completed(name))
    assert execution["failedCount"] == 1
    completed = execution["conditions"][0]
    assert completed["state"] == "CONDITION_FAILED"
    assert completed["executionReason"] == "NON_ZERO_EXIT_CODE"
    assert "exit code 3" in completed["message"]


def test_execution_beyond_its_timeout_is_killed(running, eventually):
    name = running.run(timeout="0.5s", UNTIL="never")
    execution = eventually(lambda: running.completed(name))
    assert "timeout" in execution["conditions"][0]["message"]
    assert not _runs(running.ran()[-1]["pid"])


def test_execution_beyond_its_memory_is_killed_and_the_log_says_so(running, eventually):
    name = running.run(HOARD_MIB="150")
    execution = eventually(lambda: running.completed(name))
    assert "memory limit" in execution["conditions"][0]["message"]
    log = (running.folder / "logs" / f"{name.rpartition('/')[2]}.log").read_text()
    assert "a word from the task" in log
    assert "Memory limit of 100 MiB exceeded" in log


def test_operation_is_done_when_the_execution_is(running, eventually):
    operation = running.post(f"{JOB}:run", {}).json()
    done = eventually(
        lambda: (answer := running.get(f"/v2/{operation['name']}").json()).get("done") and answer
    )
    assert done["response"]["name"] == operation["metadata"]["name"]


def test_executions_are_listed_newest_first_in_pages(running):
    names = [running.run() for _ in range(3)]
    first = running.get(f"{JOB}/executions?pageSize=2").json()
    assert [item["name"] for item in first["executions"]] == [names[2], names[1]]
    second = running.get(f"{JOB}/executions?pageSize=2&pageToken={first['nextPageToken']}").json()
    assert second["executions"][0]["name"] == names[0]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"{PARENT}/jobs/other:run", {}, "NOT_FOUND"),
        ("/v2/projects/else/locations/local/jobs/perennial-train:run", {}, "NOT_FOUND"),
        (f"{JOB}:run", {"overrides": {"timeout": "soon"}}, "INVALID_ARGUMENT"),
        (f"{JOB}:run", {"overrides": {"containerOverride": []}}, "INVALID_ARGUMENT"),
        (f"{JOB}:run", [], "INVALID_ARGUMENT"),
    ],
)
def test_wrong_request_is_refused_as_google_does(path, body, status, running):
    answer = running.post(path, body)
    assert answer.json()["error"]["status"] == status
    assert answer.json()["error"]["code"] == answer.status_code


def test_unknown_execution_is_not_found(running):
    assert running.get(f"{JOB}/executions/perennial-train-nope").status_code == 404


def test_executions_beyond_the_concurrency_queue(runner, eventually):
    runner.start("--concurrency=1")
    first, second = runner.run(UNTIL="go"), runner.run()
    eventually(lambda: runner.ran())
    assert "startTime" not in runner.execution(second)
    (runner.folder / "go").touch()
    eventually(lambda: runner.completed(second))
    assert runner.completed(first)["succeededCount"] == 1


def test_killed_runner_fails_what_ran_and_runs_what_was_queued(runner, eventually):
    runner.start("--concurrency=1")
    lost, queued = runner.run(UNTIL="never"), runner.run()
    eventually(lambda: runner.ran())
    pid = runner.ran()[0]["pid"]
    runner.end(signal.SIGKILL)
    assert psutil.pid_exists(pid), "the execution outlives its runner"
    runner.start()
    failed = runner.completed(lost)
    assert failed["conditions"][0]["reason"] == "INTERNAL"
    assert not _runs(pid)
    assert eventually(lambda: runner.completed(queued))["succeededCount"] == 1


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_stopped_runner_takes_its_executions_along(runner, eventually):
    runner.start()
    runner.run(UNTIL="never")
    eventually(lambda: runner.ran())
    runner.end()
    assert not _runs(runner.ran()[0]["pid"])
