"""The command line in this process, over buckets in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from perennial.adapters.clock import SystemClock
from perennial.adapters.memory import MemoryStore
from perennial.cli import context
from perennial.cli.main import main
from perennial.ports import Buckets
from perennial.workflows.registry import Registry

DEFINITION = """\
name: flowers
task: binary
columns:
  petals: {type: integer, rules: [{range: [0, 10]}]}
  bought: {type: boolean, role: label}
training: {trigger: {files: 3}}
"""
GOOD = b"petals,bought\n1,true\n2,false\n"
BAD = b"petals,bought\n1,true\n99,false\n"


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        assert self.err == ""
        return json.loads(self.out)

    @property
    def document(self) -> Any:
        """What --json printed, whatever the exit code and standard error say."""
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one line of a failure; with --json its document says the same."""
        assert self.code != 0
        (line,) = self.err.splitlines()
        if self.out:
            error = json.loads(self.out)["error"]
            assert error.keys() == {"type", "message"}
            assert line == f"perennial: {error['message']}"
        return line


Run = Callable[..., Ran]


class Launcher:
    """Remembers what it was asked to start."""

    def __init__(self) -> None:
        self.launched: list[str] = []

    def launch(self, pipeline: str, *, force: bool = False) -> str:
        self.launched.append(pipeline)
        return "executions/e1"

    def has_ended(self, execution: str) -> bool:
        return True


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of this machine reaches a test."""
    for name in ("PERENNIAL_LOCAL", "GOOGLE_CLOUD_PROJECT", "PERENNIAL_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("USER", "rosa")
    monkeypatch.setenv("LOGNAME", "rosa")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def buckets() -> Buckets:
    return Buckets(
        landing=MemoryStore("landing", versioned=True),
        quarantine=MemoryStore("quarantine"),
        data=MemoryStore("data"),
        models=MemoryStore("models"),
    )


@pytest.fixture
def registry(buckets: Buckets) -> Registry:
    return Registry(buckets.models, SystemClock())


@pytest.fixture
def launcher() -> Launcher:
    return Launcher()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `perennial WORDS…`."""

    def run(*words: object) -> Ran:
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture
def deployed(
    run: Run, buckets: Buckets, launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs commands on a deployment whose buckets are in memory."""
    for role in context.BUCKETS:
        monkeypatch.setenv(f"PERENNIAL_{role.upper()}_BUCKET", role)
    monkeypatch.setattr(context, "open_buckets", lambda _: buckets)
    monkeypatch.setattr(context, "CloudRunJobs", lambda _: launcher)
    return run


@pytest.fixture
def flowers(deployed: Run, tmp_path: Path) -> Run:
    """Runs commands on a deployment with a pipeline."""
    (tmp_path / "flowers.yaml").write_text(DEFINITION)
    assert deployed("apply", "flowers.yaml").code == 0
    return deployed
