"""Where a command finds what it talks to: the local cloud, or a deployment in a project."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, update_wrapper
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import click

from perennial.adapters.clock import SystemClock
from perennial.adapters.cloud_run_jobs import CloudRunJobs
from perennial.cli.local import ENDPOINTS, local_directory
from perennial.config import Config, variable
from perennial.errors import ConfigError, UserError
from perennial.ports import Buckets
from perennial.wiring.storage import open_buckets
from perennial.workflows.registry import Registry

BUCKETS = ("landing", "quarantine", "data", "models")


@dataclass(frozen=True)
class Deployment:
    """The parts that commands work with, each made when it is first needed."""

    config: Config

    @classmethod
    def find(cls, variables: Mapping[str, str], project: str | None = None) -> Self:
        """Decide where to work.

        What is named most plainly wins: a project, PERENNIAL_LOCAL, the settings of a deployment,
        a local cloud in ./.perennial, the project in GOOGLE_CLOUD_PROJECT.

        Args:
            variables: environment variables.
            project: Google Cloud project, where the command line names one.

        Raises:
            UserError: when nothing is named and no local cloud runs.
        """
        if project:
            return cls(project_config(variables, project))
        if variables.get("PERENNIAL_LOCAL"):
            return cls(local_config(local_directory(variables)))
        if any(variables.get(variable(f"{bucket}_bucket")) for bucket in BUCKETS):
            return cls(Config.from_mapping(variables))
        directory = local_directory(variables)
        if (named := variables.get("GOOGLE_CLOUD_PROJECT")) and not _running(directory):
            return cls(project_config(variables, named))
        return cls(local_config(directory))

    @cached_property
    def buckets(self) -> Buckets:
        """The four buckets."""
        return open_buckets(self.config)

    @cached_property
    def registry(self) -> Registry:
        """The pipelines and their versions."""
        return Registry(self.buckets.models, self.clock)

    @cached_property
    def launcher(self) -> CloudRunJobs:
        """Starts training jobs."""
        return CloudRunJobs(self.config)

    @cached_property
    def clock(self) -> SystemClock:
        """The time."""
        return SystemClock()


def project_config(variables: Mapping[str, str], project: str) -> Config:
    """The settings of the deployment in a project.

    Buckets are called `{project}-perennial-{landing, quarantine, data, models}` unless variables
    say otherwise.

    Raises:
        ConfigError: when PERENNIAL_REGION is not set.
    """
    if not variables.get(variable("region")):
        raise ConfigError(
            f"set {variable('region')} to the region that {project}'s deployment is in"
        )
    names = {variable(f"{role}_bucket"): f"{project}-perennial-{role}" for role in BUCKETS}
    given = {name: value for name, value in variables.items() if value}
    return Config.from_mapping({**names, **given, variable("project"): project})


def local_config(directory: Path) -> Config:
    """The settings of the local cloud that runs in a folder.

    Raises:
        UserError: when none does.
    """
    running = _running(directory)
    if running is None:
        raise UserError(
            f"no local cloud runs in {directory}: start one with `perennial up`, "
            "or name a project with --project"
        )
    return Config(
        **{f"{role}_bucket": running["buckets"][role] for role in BUCKETS},
        project=running["project"],
        region=running["region"],
        train_job=running["train_job"],
        run_endpoint=running["run"],
        storage_endpoint=running["storage"],
        predict_url=running["predict"],
    )


def _running(directory: Path) -> dict[str, Any] | None:
    """What a local cloud says of itself; None unless it is there.

    Its process must live, since another cloud may have got its port, and its port must answer,
    since a process that ended may linger as a zombie.
    """
    try:
        document: dict[str, Any] = json.loads((directory / ENDPOINTS).read_text(encoding="utf-8"))
        os.kill(document["pid"], 0)
        storage = urlsplit(document["storage"])
        socket.create_connection((storage.hostname or "", storage.port or 80), timeout=5).close()
    except (OSError, ValueError, KeyError):
        return None
    return document


def on_deployment(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its deployment as first argument, and the option that chooses it."""

    def found(context: click.Context, /, *args: Any, project: str | None, **options: Any) -> None:
        command(Deployment.find(os.environ, project or context.obj), *args, **options)

    update_wrapper(found, command)
    option = click.option("--project", metavar="ID", help="Google Cloud project to work in.")
    return option(click.pass_context(found))
