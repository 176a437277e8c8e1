"""A checkout, a Terraform, a project and a person, all made for one test."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infra import bundle
from infra.deploying.steps import Tools
from infra.deploying.terraform import Terraform
from infra.deploying.voice import Voice
from infra.deploying.wanted import Wanted
from tests.unit.infra.google_apis import PROJECT, REGION, SUBSCRIPTION, TOPIC, Apis, serve

EVENTS = """\
events:
  ack_deadline_seconds: 600
  max_attempts: 10
  first_pause_seconds: 10
  longest_pause_seconds: 600
  retention_seconds: 604800
"""
OUTPUTS = {
    "predict_url": "https://perennial-predict-abc.a.run.app",
    "buckets": {"landing": f"{PROJECT}-perennial-landing"},
    "caller_account": f"perennial-caller@{PROJECT}.iam.gserviceaccount.com",
    "subscription": SUBSCRIPTION,
    "dead_letter_topic": TOPIC,
    "dashboard": f"https://console.cloud.google.com/monitoring/dashboards?project={PROJECT}",
}
DOCTOR = """\
import json, os, sys
seen = {name: value for name, value in os.environ.items() if name.startswith("PERENNIAL_")}
root = os.path.dirname(__file__)
with open(os.path.join(root, "doctor.jsonl"), "a") as notes:
    notes.write(json.dumps([sys.argv[1:], seen]) + "\\n")
print("every part was looked at")
sys.exit(os.path.exists(os.path.join(root, "ill")))
"""


@pytest.fixture
def apis() -> Iterator[Apis]:
    """A project in which nothing is."""
    with serve() as apis:
        yield apis


class Person(io.StringIO):
    """Types answers on a terminal."""

    def isatty(self) -> bool:
        return True


@dataclass
class Stage:
    """Everything that a deployment meets.

    Attributes:
        apis: of Google.
        root: the checkout.
        world: of the stand-in for Terraform.
        said: all that was said.
        slept: every wait in seconds.
    """

    apis: Apis
    root: Path
    world: Path
    said: io.StringIO = field(default_factory=io.StringIO)
    slept: list[float] = field(default_factory=list)

    def wanted(self, **changes: Any) -> Wanted:
        """The deployment that is asked for."""
        return Wanted(**{"project": PROJECT, "region": REGION, "root": self.root, **changes})

    def tools(self, wanted: Wanted, answers: str | None = None) -> Tools:
        """With a person who types these lines, or who said yes to all."""
        voice = Voice(self.said, Person(answers or ""), yes=answers is None)
        return Tools(
            self.apis.google,
            Terraform(wanted.infra, wanted.workspace, voice, self.environment),
            voice,
            self.slept.append,
            (sys.executable, "-IS", str(self.root / "doctor.py")),
        )

    @property
    def environment(self) -> dict[str, str]:
        """Of Terraform."""
        return {
            **os.environ,
            "PATH": f"{self.root / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "FAKE_TERRAFORM": str(self.world),
        }

    def play(self, **plays: list[str]) -> None:
        """How the next calls of Terraform's commands fail."""
        (self.world / "plays.json").write_text(json.dumps(plays))

    def set(self, name: str, value: Any) -> None:
        """A fact of Terraform's world."""
        (self.world / f"{name}.json").write_text(json.dumps(value))

    def terraform_calls(self, command: str = "") -> list[dict[str, Any]]:
        """What Terraform was asked."""
        path = self.world / "calls.jsonl"
        calls = (
            [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        )
        return [call for call in calls if command in ("", call["command"])]

    def states(self) -> dict[str, Any]:
        """What Terraform knows, for each backend."""
        folder = self.world / "states"
        return {path.name: json.loads(path.read_text()) for path in folder.glob("*")}

    @property
    def doctor_calls(self) -> list[list[Any]]:
        """What `perennial` was asked, and its settings."""
        path = self.root / "doctor.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def ill(self) -> Path:
        """A file that makes the doctor complain."""
        return self.root / "ill"


@pytest.fixture
def stage(apis: Apis, tmp_path: Path) -> Stage:
    """A small checkout, and Terraform on the PATH."""
    files = {f"functions/{name}/main.py": "" for name in bundle.FUNCTIONS}
    files |= {name.replace("main.py", "requirements.txt"): "" for name in files}
    files |= {
        "functions/train/Dockerfile": "ARG PYTHON=3.11\nFROM python:${PYTHON}-slim\n",
        "shared/perennial/__init__.py": "",
        "doctor.py": DOCTOR,
        "infra/deployment.yaml": EVENTS,
        "infra/environments/dev.tfvars": "",
        "infra/environments/prod.tfvars": "",
        "bin/terraform": f"#!{sys.executable} -IS\n"  # starts fast
        + (Path(__file__).parent / "fake_terraform.py").read_text(),
    }
    root = tmp_path / "checkout"
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "bin/terraform").chmod(0o755)
    world = tmp_path / "world"
    world.mkdir()
    stage = Stage(apis, root, world)
    stage.set("outputs", OUTPUTS)
    return stage
