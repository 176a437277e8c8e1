"""What a deployment says of itself: `deployment.json`, which Terraform leaves in the models bucket.

People's command lines find a deployment's parts by it, and `perennial doctor` holds the deployment
against it. Standard library only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

OBJECT = "deployment.json"
"""Its name in the models bucket."""

DEPLOYMENT = "perennial"
"""What a deployment is called unless somebody chose another name."""

FORMAT = 1
ROLES = ("landing", "quarantine", "data", "models", "predictions")
"""The buckets that a deployment names."""
SERVICES = ("ingest", "predict", "monitor")

_PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_DEPLOYMENT = re.compile(r"[a-z][a-z0-9-]{1,16}[a-z0-9]")
_TABLE = ("buckets", "functions", "job", "claim_seconds", "events", "sweep")
_KINDS: Mapping[type, str] = {str: "text", bool: "true or false", dict: "an object"}


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One deployment, as its Terraform configuration made it.

    Attributes:
        project: Google Cloud project id.
        region: where everything is.
        deployment: its name, 3 to 18 characters.
        buckets: name of the bucket in each of `ROLES`.
        train_job: short name of the Cloud Run job that trains.
        predict: base URL of the predict function.
        caller: e-mail of the service account that may call predict.
        services: name of the Cloud Run service of each of `SERVICES`.
        trigger: short name of the Eventarc trigger from landing to ingest.
        subscription: full name of the Pub/Sub subscription that Eventarc made for it.
        dead_letter_topic: full name of the topic that takes what ingest could not handle.
        scheduler_job: short name of the scheduler job that sweeps.
        predict_public: whether everybody may call predict.
        table: `infra/deployment.yaml` as it was deployed, with what variables override.
        model_packages: digests of the packages that are baked into the training job, by name; None
            where a release without them wrote this.
    """

    project: str
    region: str
    deployment: str
    buckets: Mapping[str, str]
    train_job: str
    predict: str
    caller: str
    services: Mapping[str, str]
    trigger: str
    subscription: str
    dead_letter_topic: str
    scheduler_job: str
    predict_public: bool
    table: Mapping[str, Any]
    model_packages: Mapping[str, str] | None = None
    format: int = FORMAT

    def to_json(self) -> bytes:
        """The stored form."""
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form. Keys that this version does not know are left alone.

        Raises:
            ValueError: saying what is wrong, and for a newer format what to do about it.
        """
        document = _parse(data)
        _check_format(document.get("format"))
        known = {name: _required(document, name, _kind(name)) for name in _fields()}
        _check_has(known["buckets"], ROLES, "buckets", str)
        _check_has(known["services"], SERVICES, "services", str)
        _check_has(known["table"], _TABLE, "table", object)
        _check_has(known["table"]["functions"], SERVICES, "table.functions", dict)
        _check_has(known["table"]["job"], ("train",), "table.job", dict)
        packages = document.get("model_packages")
        if packages is not None:
            _check_has(packages, (), "model_packages", str)
        return cls(**known, model_packages=packages)

    @property
    def name(self) -> str:
        """Where it lies, for messages."""
        return location(self.project, self.deployment)


def check_project(project: str) -> None:
    """See that a project can have this id; `infra/variables.tf` has the same rule.

    Raises:
        ValueError: when none can.
    """
    if not _PROJECT.fullmatch(project):
        raise ValueError(
            "a project id has 6 to 30 lower-case letters, digits and hyphens, begins with a "
            f"letter and ends without a hyphen; found {project!r}"
        )


def check_deployment(deployment: str) -> None:
    """See that a deployment can be called so; `infra/variables.tf` has the same rule.

    Raises:
        ValueError: when none can.
    """
    if not _DEPLOYMENT.fullmatch(deployment):
        raise ValueError(
            "a deployment's name has 3 to 18 lower-case letters, digits and hyphens, begins with a "
            f"letter and ends without a hyphen; found {deployment!r}"
        )


def models_bucket(project: str, deployment: str = DEPLOYMENT) -> str:
    """The bucket that holds a deployment's descriptor.

    Raises:
        ValueError: when no project has such an id, or no deployment can be called so.
    """
    check_project(project)
    check_deployment(deployment)
    return f"{project}-{deployment}-models"


def location(project: str, deployment: str = DEPLOYMENT) -> str:
    """A descriptor's address, as `gs://…`. Raises what `models_bucket` does."""
    return f"gs://{models_bucket(project, deployment)}/{OBJECT}"


def _parse(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except ValueError as error:
        raise ValueError(f"{OBJECT} is not JSON: {error}") from None
    if isinstance(document, dict):
        return document
    raise ValueError(f"{OBJECT} must hold an object, found {type(document).__name__}")


def _fields() -> tuple[str, ...]:
    optional = ("format", "model_packages")
    return tuple(name for name in Descriptor.__dataclass_fields__ if name not in optional)


def _kind(name: str) -> type:
    if name == "predict_public":
        return bool
    return dict if name in ("buckets", "services", "table") else str


def _check_format(found: Any) -> None:
    if isinstance(found, int) and not isinstance(found, bool) and found > FORMAT:
        raise ValueError(
            f"{OBJECT} has format {found}, which this version does not know: "
            "install the version of perennial that was deployed"
        )
    if found != FORMAT or isinstance(found, bool):
        raise ValueError(f"{OBJECT} must have format {FORMAT}, found {found!r}")


def _required(document: Mapping[str, Any], name: str, kind: type) -> Any:
    found = document.get(name)
    if isinstance(found, kind) and found != "":
        return found
    raise ValueError(f"{OBJECT}: {name} must be {_KINDS[kind]}, found {found!r}")


def _check_has(found: Any, names: tuple[str, ...], where: str, kind: type) -> None:
    if not isinstance(found, dict):
        raise ValueError(f"{OBJECT}: {where} must be an object, found {found!r}")  # noqa: TRY004  as for any other wrong value
    lacking = [name for name in names if not (found.get(name) and isinstance(found[name], kind))]
    if lacking:
        raise ValueError(f"{OBJECT}: {where} lacks {', '.join(lacking)}")
