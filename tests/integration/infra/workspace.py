"""Terraform that plans and applies without mocks: the real provider, its state in a file."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.integration.infra.terraform import Copy

PROJECT = "flower-shop"
REGION = "europe-west1"
VARIABLES = {
    "project": PROJECT,
    "region": REGION,
    "train_image": f"{REGION}-docker.pkg.dev/{PROJECT}/perennial/train@sha256:{'0' * 64}",
    "settle_seconds": "0",
}


# Most of an apply is waiting: the more at once, the better.
CHANGE = ("-input=false", "-auto-approve", "-parallelism=60")


class Failed(Exception):
    """A command of Terraform's failed; the message is what it wrote, its errors first."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What Terraform would do.

    Attributes:
        document: `terraform show -json` of it.
    """

    document: Mapping[str, Any]

    @property
    def changes(self) -> dict[str, dict[str, Any]]:
        """What it changes, by address: `actions`, and values `before` and `after`."""
        found = self.document.get("resource_changes", [])
        changes = {one["address"]: one["change"] for one in found}
        return {name: one for name, one in changes.items() if one["actions"] != ["no-op"]}

    @property
    def actions(self) -> dict[str, list[str]]:
        """What it does with each thing that it changes."""
        return {name: change["actions"] for name, change in self.changes.items()}


@dataclass(frozen=True, slots=True)
class Workspace:
    """A copy of infra/ whose state is a file beside it.

    Attributes:
        copy: the sources; `backend_override.tf` is added to them.
        environment: what the provider is told beside an access token that nobody made.
        variables: of every plan.
    """

    copy: Copy
    environment: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=lambda: dict(VARIABLES))

    @classmethod
    def new(cls, copy: Copy, data: Path, environment: Mapping[str, str]) -> Workspace:
        """Turn a copy into a workspace with an empty state.

        Args:
            copy: is edited; it keeps nothing else of its own.
            data: a folder for what initialising finds; the backend is written there too.
            environment: see above.
        """
        workspace = cls(replace(copy, data=data), environment)
        override = copy.folder / "backend_override.tf"
        override.write_text('terraform {\n  backend "local" {}\n}\n')
        workspace._run("init", "-input=false")
        return workspace

    def plan(self, *options: str) -> Plan:
        """What an apply would do.

        Raises:
            Failed: there is no plan.
        """
        self._run(
            "plan", "-input=false", "-parallelism=60", "-out=planned", *self._settings, *options
        )
        return Plan(json.loads(self._run("show", "-json", "planned")))

    def apply(self, *options: str) -> None:
        """Make it so.

        Raises:
            Failed: it was not, or not wholly.
        """
        self._run("apply", *CHANGE, *self._settings, *options)

    def apply_planned(self) -> None:
        """Do what the last plan says.

        Raises:
            Failed: it was not done, or not wholly.
        """
        self._run("apply", "-input=false", "-parallelism=60", "planned")

    def destroy(self, *options: str) -> None:
        """Unmake everything.

        Raises:
            Failed: something is left.
        """
        self._run("destroy", *CHANGE, *self._settings, *options)

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Everything in the state, by address, with its values."""
        state = json.loads(self._run("show", "-json"))
        found = state.get("values", {}).get("root_module", {}).get("resources", [])
        return {one["address"]: one["values"] for one in found}

    @property
    def _settings(self) -> list[str]:
        return [f"-var={name}={value}" for name, value in self.variables.items()]

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.copy.tools.terraform, *arguments],
            cwd=self.copy.folder,
            env={
                "PATH": os.environ["PATH"],  # of the shell that waits for grants
                "HOME": str(self.copy.folder),
                "TF_CLI_CONFIG_FILE": str(self.copy.tools.config),
                "TF_DATA_DIR": str(self.copy.data),
                "TF_IN_AUTOMATION": "1",
                "TF_CLI_ARGS": "-no-color",
                "CHECKPOINT_DISABLE": "1",
                "GOOGLE_OAUTH_ACCESS_TOKEN": "made-by-nobody",
                **self.environment,
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.returncode:
            raise Failed(done.stderr + done.stdout)
        return done.stdout
