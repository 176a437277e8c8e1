"""Where a command finds what it talks to: the local cloud, or a deployment in a project."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, update_wrapper
from operator import attrgetter
from pathlib import Path
from typing import Any, Self

import click
from google.auth.exceptions import GoogleAuthError

from perennial.adapters.clock import SystemClock
from perennial.adapters.cloud_run_jobs import CloudRunJobs
from perennial.cli.local import addresses, lives, local_directory, read_endpoints
from perennial.config import Config, variable
from perennial.domain.descriptor import (
    DEPLOYMENT,
    OBJECT,
    Descriptor,
    check_deployment,
    check_project,
)
from perennial.errors import ConfigError, ObjectNotFound, PermissionDenied, StoreError, UserError
from perennial.ports import Buckets, ObjectStore
from perennial.wiring.storage import open_buckets, open_predictions
from perennial.workflows.registry import Registry

BUCKETS = ("landing", "quarantine", "data", "models")

_BUCKET_NAMES = tuple(attrgetter(f"{role}_bucket") for role in BUCKETS)
_LOGIN = "run `gcloud auth application-default login`"
_READER = "roles/storage.objectViewer"


@dataclass(frozen=True)
class Deployment:
    """The parts that commands work with, each made when it is first needed.

    Attributes:
        config: its settings.
        found: what it says of itself, where that was read to find the settings.
        opened: its buckets, where they were opened for that.
        local: DIR of the local cloud that it is.
    """

    config: Config
    found: Descriptor | None = None
    opened: Buckets | None = None
    local: Path | None = None

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
            ConfigError: when nothing is deployed in the project that is named, or there are no
                Google credentials.
            StoreUnavailable: when its storage does not answer.
        """
        if project:
            return cls._in_project(variables, project)
        if variables.get("PERENNIAL_LOCAL"):
            return cls._on(local_directory(variables))
        if any(variables.get(variable(f"{bucket}_bucket")) for bucket in BUCKETS):
            return cls(Config.from_mapping(variables))
        directory = local_directory(variables)
        if (named := variables.get("GOOGLE_CLOUD_PROJECT")) and not _running(directory):
            try:
                return cls._in_project(variables, named)
            except ConfigError as error:
                raise ConfigError(f"no local cloud runs in {directory}, and {error}") from error
        return cls._on(directory)

    @classmethod
    def _on(cls, directory: Path) -> Self:
        return cls(local_config(directory), local=directory)

    @classmethod
    def _in_project(cls, variables: Mapping[str, str], project: str) -> Self:
        """A deployment by its own description, or by the settings where they name its region."""
        named = cls(project_config(variables, project))
        if variables.get(variable("region")):
            return named
        opened = named.buckets  # without credentials, no setting would help
        try:
            descriptor = named.descriptor
        except ConfigError as error:
            raise ConfigError(
                f"{error}; or set {variable('region')}, and {variable('…_bucket')} for buckets "
                "with other names"
            ) from error
        config = described_config(variables, project, descriptor)
        same = all(name(config) == name(named.config) for name in _BUCKET_NAMES)
        return cls(config, descriptor, opened if same else None)

    @cached_property
    def descriptor(self) -> Descriptor:
        """What the deployment says of itself.

        Raises:
            ConfigError: when it says nothing, or nothing that this identity may read.
            StoreUnavailable: when the models bucket does not answer.
        """
        return self.found or _read_descriptor(self.buckets.models)

    @cached_property
    def model_packages(self) -> Mapping[str, str] | None:
        """Digests of the packages that the training job may import models from, by name.

        None where that cannot be told: without a description of the deployment, or with one that an
        earlier release left.
        """
        if self.local:
            packages: Mapping[str, str] | None = read_endpoints(self.local).get("model_packages")
            return packages
        try:
            return self.descriptor.model_packages
        except (ConfigError, StoreError):
            return None

    @cached_property
    def buckets(self) -> Buckets:
        """The four buckets."""
        return self.opened or open_buckets(self.config)

    @cached_property
    def predictions(self) -> ObjectStore | None:
        """The bucket of the prediction log; None where nobody says which."""
        return open_predictions(self.config)

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
    """The settings of a deployment in a project, by the names that Terraform gives its parts.

    Buckets are called `{project}-{deployment}-{landing, quarantine, data, models}` unless variables
    say otherwise; PERENNIAL_DEPLOYMENT names another deployment than "perennial".

    Raises:
        ConfigError: when no project has such an id, or no deployment can be called so.
    """
    deployment = variables.get(variable("deployment")) or DEPLOYMENT
    try:
        check_project(project)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    try:
        check_deployment(deployment)
    except ValueError as error:
        raise ConfigError(f"{variable('deployment')}: {error}") from None
    names = {variable(f"{role}_bucket"): f"{project}-{deployment}-{role}" for role in BUCKETS}
    names[variable("predictions_bucket")] = f"{project}-{deployment}-predictions"
    names[variable("train_job")] = f"{deployment}-train"
    return _config(names, variables, project)


def described_config(variables: Mapping[str, str], project: str, descriptor: Descriptor) -> Config:
    """The settings of a deployment as it describes itself, unless variables say otherwise."""
    names = {variable(f"{role}_bucket"): descriptor.buckets[role] for role in BUCKETS}
    names[variable("predictions_bucket")] = descriptor.buckets["predictions"]
    names[variable("region")] = descriptor.region
    names[variable("train_job")] = descriptor.train_job
    names[variable("predict_url")] = descriptor.predict
    return _config(names, variables, project)


def _config(names: Mapping[str, str], variables: Mapping[str, str], project: str) -> Config:
    given = {name: value for name, value in variables.items() if value}
    return Config.from_mapping({**names, **given, variable("project"): project})


def _read_descriptor(models: ObjectStore) -> Descriptor:
    place = f"gs://{models.bucket}/{OBJECT}"
    try:
        return Descriptor.from_json(models.read(OBJECT).data)
    except ObjectNotFound as error:
        raise ConfigError(
            f"looked for {place} and found none: `make deploy` writes it "
            f"({variable('deployment')} names another deployment than {DEPLOYMENT})"
        ) from error
    except PermissionDenied as error:
        if isinstance(error.__cause__, GoogleAuthError):
            raise ConfigError(f"Google refuses these credentials: {_LOGIN} ({error})") from error
        raise ConfigError(
            f"looked for {place} and may not read it: you lack {_READER} on that bucket, which "
            "`droppers`, `operators` or `callers` in the deployment's variables give, or it is not "
            f"there and `make deploy` writes it ({error})"
        ) from error
    except ValueError as error:
        raise ConfigError(f"{place} cannot be read: {error}") from error


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
        predictions_bucket=running.get("predictions_bucket", ""),
    )


def _running(directory: Path) -> dict[str, Any] | None:
    """What a local cloud says of itself; None unless it is there and its storage answers."""
    endpoints = read_endpoints(directory)
    storage = addresses(endpoints).get("storage")
    return endpoints if storage and lives(endpoints, [storage]) else None


def on_deployment(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its deployment as first argument, and the option that chooses it."""

    def found(context: click.Context, /, *args: Any, project: str | None, **options: Any) -> None:
        command(Deployment.find(os.environ, project or context.obj), *args, **options)

    update_wrapper(found, command)
    option = click.option("--project", metavar="ID", help="Google Cloud project to work in.")
    return option(click.pass_context(found))
