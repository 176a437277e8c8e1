"""Real processes of the local cloud, on directories of their own."""

from __future__ import annotations

import json
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

import psutil
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from localdev.processes import MARK, kill_marked
from localdev.settings import FUNCTIONS, ROOT

SAMPLE = Path(__file__).parent / "sample"


def eventually(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Wait until the condition is true and return its value; fail the test if it never is."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(0.02)
    return value


@pytest.fixture(name="eventually")
def _eventually() -> Callable[..., Any]:
    return eventually


@dataclass
class Cloud:
    """A local cloud and what its functions noted."""

    directory: Path
    root: Path
    output: str = field(default="", init=False)

    def only(self, *functions: str) -> Self:
        """Make its checkout one that has only these functions: quicker to start."""
        whole, self.root = self.root, self.directory.parent / "root"
        (self.root / "functions").mkdir(parents=True)
        for part in ("shared", ".venv", *(f"functions/{name}" for name in functions)):
            (self.root / part).symlink_to(whole / part)
        return self

    def up(self, *arguments: str) -> int:
        """Run `up --detach`, keep what it printed, and return its exit code."""
        return self._command("up", "--detach", f"--root={self.root}", *arguments)

    def down(self) -> int:
        """Run `down`."""
        return self._command("down")

    @property
    def endpoints(self) -> dict[str, Any]:
        return json.loads((self.directory / "endpoints.json").read_text())

    @property
    def supervisor(self) -> int:
        return int(self.endpoints["pid"])

    def notes(self, kind: str) -> list[dict[str, Any]]:
        """What the sample functions wrote down."""
        path = self.directory / "notes.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [note for note in map(json.loads, lines) if note["kind"] == kind]

    def log(self, name: str) -> str:
        return (self.directory / "logs" / f"{name}.log").read_text()

    def processes(self) -> dict[int, list[str]]:
        """Every process of this cloud but its supervisor: id and command line."""
        found = {}
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(self.directory):
                    found[process.pid] = process.cmdline()
            except (psutil.Error, OSError):
                continue
        return found

    def pid_of(self, module: str) -> int:
        """The process that runs `python -m MODULE`."""
        return next(pid for pid, command in self.processes().items() if module in command)

    def _command(self, *arguments: str) -> int:
        done = subprocess.run(
            [sys.executable, "-m", "localdev", *arguments, f"--dir={self.directory}"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.output = done.stdout + done.stderr
        return done.returncode


@pytest.fixture(scope="session")
def sample_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the sample functions and the real functions' environments."""
    root = tmp_path_factory.mktemp("sample") / "root"
    shutil.copytree(SAMPLE, root)
    for function in FUNCTIONS:
        requirements = Path("functions") / function.name / "requirements.txt"
        if (root / requirements).parent.is_dir():  # the sample has no console
            shutil.copy(ROOT / requirements, root / requirements)
    (root / ".venv").symlink_to(ROOT / ".venv")
    return root


@pytest.fixture
def new_cloud(tmp_path: Path, sample_root: Path) -> Iterator[Cloud]:
    """A cloud that was never up; whatever is left of it in the end is killed."""
    cloud = Cloud(tmp_path / "cloud", sample_root)
    yield cloud
    cloud.down()
    kill_marked({MARK: str(cloud.directory)})


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, sample_root: Path) -> Iterator[Cloud]:
    """A cloud that is up, shared by the tests of a module."""
    cloud = Cloud(tmp_path_factory.mktemp("shared") / "cloud", sample_root)
    assert cloud.up("--retry-first=0.1") == 0, cloud.output
    yield cloud
    cloud.down()


@pytest.fixture
def unused_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def unused_ports() -> int:
    """The first of ten TCP ports that were free a moment ago.

    They lie below those that systems hand out for connections, so that nothing slips in between.
    """
    for first in random.sample(range(20_000, 30_000, 10), 100):
        if all(_is_free(port) for port in range(first, first + 10)):
            return first
    pytest.fail("no ten free ports in a row")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
def upload_to() -> Callable[[Cloud, str, bytes], None]:
    """Uploads an object to the landing bucket of a cloud, with the real client."""

    def put(cloud: Cloud, name: str, data: bytes) -> None:
        client = storage.Client(
            project="local",
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": cloud.endpoints["storage"]},
        )
        client.bucket("perennial-landing").blob(name).upload_from_string(data)

    return put


@pytest.fixture
def upload(
    cloud: Cloud, upload_to: Callable[[Cloud, str, bytes], None]
) -> Callable[[str, bytes], None]:
    """Uploads an object to the landing bucket of the shared cloud."""
    return partial(upload_to, cloud)
