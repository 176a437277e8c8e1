"""What a person asked for: which project, which region, which deployment in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.deploying.errors import DeployError
from perennial.adapters.model_packages import packages_to_ship
from perennial.domain.descriptor import DEPLOYMENT, check_deployment, check_project

ROOT = Path(__file__).resolve().parents[2]

_REGION = re.compile(r"[a-z]+-[a-z]+[0-9]{1,2}")
_ZONE = re.compile(r"([a-z]+-[a-z]+[0-9]{1,2})-[a-z]")
_ENVIRONMENT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")  # it becomes a label
_STATE = re.compile(r"gs://([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?:/(.*?))?/?")


@dataclass(frozen=True, slots=True)
class State:
    """Where Terraform keeps what it knows: a bucket, and a prefix in it."""

    bucket: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """One deployment.

    Attributes:
        project: the id of a Google Cloud project.
        region: where all of it lies.
        deployment: its name; a project may hold several.
        environment: a file in infra/environments, without its suffix; None when not named.
        state: a bucket of one's own for Terraform's state.
        root: the checkout.
        models: a folder with packages for the training job; None when it needs none.

    Raises:
        DeployError: when one of them cannot be right.
    """

    project: str
    region: str
    deployment: str = DEPLOYMENT
    environment: str | None = None
    state: State | None = None
    root: Path = ROOT
    models: Path | None = None

    def __post_init__(self) -> None:
        """See that it can be right."""
        _check_names(self)
        _check_environment(self)
        self.packages()

    def packages(self) -> dict[str, Path]:
        """The packages that models of one's own come from, by name.

        Raises:
            DeployError: when the folder has none, or one that cannot be shipped.
        """
        if self.models is None:
            return {}
        try:
            return packages_to_ship(self.models.expanduser())
        except ValueError as error:
            raise DeployError(f"MODELS: {error}.") from None

    @property
    def infra(self) -> Path:
        """The folder of the Terraform configuration."""
        return self.root / "infra"

    @property
    def workspace(self) -> Path:
        """A folder for this deployment alone: two cannot mix their state in one checkout."""
        return self.root / "build" / "terraform" / f"{self.project}-{self.deployment}"

    @property
    def repository(self) -> str:
        """The address of its Docker repository."""
        return f"{self.region}-docker.pkg.dev/{self.project}/{self.deployment}"

    def table(self) -> dict[str, Any]:
        """What is deployed and how, as infra/deployment.yaml says."""
        table: dict[str, Any] = yaml.safe_load((self.infra / "deployment.yaml").read_text("utf-8"))
        return table

    def variables_file(self, environment: str) -> Path:
        """The variables of an environment."""
        return self.infra / "environments" / f"{environment}.tfvars"

    def purpose(self, environment: str) -> str:
        """What an environment is for: the comment that its file begins with."""
        first = self.variables_file(environment).read_text("utf-8").partition("\n")[0]
        return first.lstrip("# ") if first.startswith("#") else ""

    def bucket(self, role: str) -> str:
        """What a bucket of this deployment is called."""
        return f"{self.project}-{self.deployment}-{role}"


def parse_state(address: str) -> State:
    """Read `gs://bucket/prefix`; the prefix is `terraform` when there is none.

    Raises:
        DeployError: when it is no such address.
    """
    if (match := _STATE.fullmatch(address)) is None:
        raise DeployError(f"the state is named as gs://bucket/prefix, not {address!r}.")
    return State(match[1], match[2] or "terraform")


def _check_names(wanted: Wanted) -> None:
    if not wanted.project or not wanted.region:
        raise DeployError("name the project and the region: PROJECT=my-project REGION=europe-west1")
    try:
        check_project(wanted.project)
        check_deployment(wanted.deployment)
    except ValueError as error:
        raise DeployError(f"{error}.") from None
    if zone := _ZONE.fullmatch(wanted.region):
        raise DeployError(f"{wanted.region} is a zone; its region is {zone[1]}.")
    if not _REGION.fullmatch(wanted.region):
        raise DeployError(
            f"{wanted.region!r} is no region, such as europe-west1; functions and jobs live in one "
            "region, not in a multi-region."
        )


def _check_environment(wanted: Wanted) -> None:
    name = wanted.environment
    if name is None:
        return
    if not (_ENVIRONMENT.fullmatch(name) and wanted.variables_file(name).is_file()):
        folder = wanted.infra / "environments"
        known = ", ".join(sorted(path.stem for path in folder.glob("*.tfvars"))) or "none"
        raise DeployError(f"infra/environments has no {name}.tfvars; there are: {known}.")
