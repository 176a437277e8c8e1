"""The whole local cloud, spoken to as a user would: public commands and URLs only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

PERENNIAL = Path(sys.executable).with_name("perennial")
REPOSITORY = Path(__file__).resolve().parents[2]


class LocalCloud:
    """A local cloud in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def up(self, *flags: str) -> None:
        self.run("up", "--dir", str(self.folder), "--detach", *flags)

    def down(self) -> None:
        self.run("down", "--dir", str(self.folder))

    def kill(self) -> None:
        """Kill -9 of the whole cloud; its processes must not outlive it."""
        os.kill(self.endpoints["pid"], signal.SIGKILL)

    @property
    def endpoints(self) -> dict[str, Any]:
        return json.loads((self.folder / "endpoints.json").read_text())

    def run(self, *words: str, check: bool = True, code: int = 0, timeout: float = 1800):
        """Run a command that should end with this code; where it does not, show what it said."""
        done = subprocess.run(
            [PERENNIAL, *words],
            env={**os.environ, "PERENNIAL_LOCAL": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check:
            assert done.returncode == code, (
                f"perennial {' '.join(words)}: {done.stderr}{done.stdout}"
            )
        return done

    def json(self, *words: str, code: int = 0, timeout: float = 1800) -> Any:
        """Run a command with --json and read its one document."""
        return json.loads(self.run(*words, "--json", code=code, timeout=timeout).stdout)

    def predict(self, pipeline: str, instances: list[dict], **query: str) -> requests.Response:
        return requests.post(
            f"{self.endpoints['predict']}/v1/models/{pipeline}:predict",
            json={"instances": instances},
            params=query,
            timeout=30,
        )


@pytest.fixture(scope="module")
def cloud(tmp_path_factory) -> Iterator[LocalCloud]:
    """A local cloud that the tests of a module share."""
    local = LocalCloud(tmp_path_factory.mktemp("cloud"))
    local.up()
    yield local
    local.down()


@pytest.fixture
def new_cloud(tmp_path) -> Iterator[LocalCloud]:
    """A local cloud of a test's own, not started yet."""
    local = LocalCloud(tmp_path / "cloud")
    yield local
    local.down()
