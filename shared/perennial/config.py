"""Settings: parsed once, from a mapping handed in, into a frozen object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from perennial.errors import ConfigError

MODEL_PACKAGES = "PERENNIAL_MODEL_PACKAGES"
"""The training job's own setting: the packages, with commas between, from which it may import
models; what builds the job sets it to those that it bakes in."""

_PACKAGE = re.compile(r"[A-Za-z_]\w*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Config:
    """Where a deployment's parts are.

    Every part (functions, job, command line) reads the same variables, which Terraform and the
    local cloud both set: `PERENNIAL_` and the attribute's name in capitals.

    Attributes:
        landing_bucket, quarantine_bucket, data_bucket, models_bucket: the four buckets.
        project: Google Cloud project id.
        region: where the job runs.
        train_job: name of the Cloud Run job that trains.
        run_endpoint: base URL of the Cloud Run Admin API; the local cloud's job runner speaks it.
        storage_endpoint: base URL of Cloud Storage; empty for Google's own.
        storage_token: who asks, where `storage_endpoint` wants to know; Google's own has its own
            ways to tell.
        predict_url: base URL of the predict function, for the command line.
        predictions_bucket: where the prediction log is kept; empty where nobody reads it.
        alert_webhook: whom monitor tells what it finds, beside the log; its address may be a
            secret. Empty for nobody.
        claim_seconds: how long a run's claim on a pipeline lives, beyond the job's own timeout.
    """

    landing_bucket: str
    quarantine_bucket: str
    data_bucket: str
    models_bucket: str
    project: str = "local"
    region: str = "local"
    train_job: str = "perennial-train"
    run_endpoint: str = "https://run.googleapis.com"
    storage_endpoint: str = ""
    storage_token: str = field(default="", repr=False)
    predict_url: str = ""
    predictions_bucket: str = ""
    alert_webhook: str = field(default="", repr=False)
    claim_seconds: float = 7200.0

    @classmethod
    def from_mapping(cls, variables: Mapping[str, str]) -> Self:
        """Read the settings from environment variables or the like.

        Raises:
            ConfigError: naming every variable that is missing.
        """
        required = ("landing_bucket", "quarantine_bucket", "data_bucket", "models_bucket")
        missing = [variable(name) for name in required if not variables.get(variable(name))]
        if missing:
            raise ConfigError(f"set {', '.join(missing)}")
        values = {
            name: variables[variable(name)]
            for name in cls.__dataclass_fields__
            if name != "claim_seconds" and variables.get(variable(name))
        }
        seconds = variables.get(variable("claim_seconds"), "7200")
        try:
            return cls(**values, claim_seconds=float(seconds))
        except ValueError:
            raise ConfigError(
                f"{variable('claim_seconds')} must be a number of seconds, found {seconds!r}"
            ) from None


def variable(name: str) -> str:
    """The environment variable that sets an attribute of `Config`."""
    return f"PERENNIAL_{name.upper()}"


def model_packages(variables: Mapping[str, str]) -> tuple[str, ...]:
    """The packages from which models may be imported; none where nothing is said.

    Raises:
        ConfigError: for what can be no package's name.
    """
    parts = variables.get(MODEL_PACKAGES, "").split(",")
    names = tuple(name for part in parts if (name := part.strip()))
    for name in names:
        if not _PACKAGE.fullmatch(name):
            raise ConfigError(f"{MODEL_PACKAGES} must be names of packages, found {name!r}")
    return names
