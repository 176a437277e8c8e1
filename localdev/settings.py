"""What is deployed and with which settings, read from the table that Terraform reads too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from perennial.config import MODEL_PACKAGES, Config, variable

ROOT = Path(__file__).resolve().parents[1]
"""The checkout: `functions/`, `shared/` and `.venv/functions/` lie in it."""

MIB = 1024 * 1024
HOST = "127.0.0.1"
PROJECT = "local"
REGION = "local"
DEPLOYMENT = "perennial"
TRAIN_JOB = f"{DEPLOYMENT}-train"

TABLE: dict[str, Any] = yaml.safe_load((ROOT / "infra" / "deployment.yaml").read_text())
"""What is deployed, as `infra/deployment.yaml` says."""

BUCKETS = {role: f"{DEPLOYMENT}-{role}" for role in TABLE["buckets"]}
PREDICTIONS = f"{DEPLOYMENT}-predictions"
"""Where prediction logs go; no function writes there."""

VERSIONED = tuple(BUCKETS[role] for role, bucket in TABLE["buckets"].items() if bucket["versioned"])
"""The buckets that keep what is overwritten."""


@dataclass(frozen=True, slots=True)
class Function:
    """One deployable unit.

    Attributes:
        name: its folder in `functions/`, its environment in `.venv/functions/`.
        kind: how the platform calls it; `asgi` is HTTP on the asyncio server.
        memory_mib: the limit, beyond which the platform kills the instance.
        timeout_seconds: how long one request, or one task of the job, may take.
        cpu: cores of an instance; the local cloud shares the machine's.
        concurrency: requests that one instance handles at a time; for the synchronous server also
            its threads (its default, four for each core, is harmful to CPU-bound handlers).
    """

    name: str
    kind: Literal["cloudevent", "http", "asgi", "job"]
    memory_mib: int
    timeout_seconds: int
    cpu: int = 1
    concurrency: int = 1

    @property
    def service(self) -> str:
        """What the platform calls the service or the job."""
        return f"{DEPLOYMENT}-{self.name}"


def _functions() -> tuple[Function, ...]:
    units = [*TABLE["functions"].items(), *TABLE["services"].items()]
    units += [(name, {"kind": "job", **job}) for name, job in TABLE["job"].items()]
    known = Function.__dataclass_fields__
    return tuple(
        Function(name, **{key: value for key, value in unit.items() if key in known})
        for name, unit in units
    )


FUNCTIONS = _functions()


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base URLs of what functions call."""

    storage: str
    run: str


def config(addresses: Addresses) -> Config:
    """The settings that every part of Perennial shares."""
    return Config(
        landing_bucket=BUCKETS["landing"],
        quarantine_bucket=BUCKETS["quarantine"],
        data_bucket=BUCKETS["data"],
        models_bucket=BUCKETS["models"],
        predictions_bucket=PREDICTIONS,
        project=PROJECT,
        region=REGION,
        train_job=TRAIN_JOB,
        run_endpoint=addresses.run,
        storage_endpoint=addresses.storage,
        claim_seconds=TABLE["claim_seconds"],
    )


def deployment(addresses: Addresses) -> dict[str, str]:
    """The environment variables that a deployment sets on every function and on the job."""
    settings = {variable(name): str(value) for name, value in asdict(config(addresses)).items()}
    del settings[variable("storage_token")]  # each part has its own
    del settings[variable("predict_url")]  # for those alone who ask it
    del settings[variable("alert_webhook")]  # for monitor alone, where somebody wants to be told
    return settings | {"GOOGLE_CLOUD_PROJECT": PROJECT}


def console(predict: str, operator: str) -> dict[str, str]:
    """The environment variables that a deployment sets on the console beside; here it knows one.

    Args:
        predict: base URL of the predict function.
        operator: who may act.
    """
    return {variable("predict_url"): predict, variable("console_local_operator"): operator}


def models(packages: Iterable[str]) -> dict[str, str]:
    """The environment variable that a deployment sets on the job which has packages of models."""
    names = ",".join(sorted(packages))
    return {MODEL_PACKAGES: names} if names else {}


def platform(function: Function, port: int) -> dict[str, str]:
    """The environment variables that the platform itself sets, or that name its server's options.

    Args:
        function: a function, or the job, for which the port means nothing.
        port: where the function listens.
    """
    if function.kind == "job":
        return TABLE["job"][function.name]["environment"] | {
            "CLOUD_RUN_JOB": function.service,
            "CLOUD_RUN_TASK_INDEX": "0",
            "CLOUD_RUN_TASK_ATTEMPT": "0",
            "CLOUD_RUN_TASK_COUNT": "1",
            # Training waits for its slowest thread, and a laptop's cores are everybody's: with two
            # threads on two busy cores a fit took 3 to 7 s, with one 0.2 s.
            "OMP_NUM_THREADS": "1",
        }
    served = {
        "K_SERVICE": function.service,
        "K_REVISION": f"{function.service}-00001-local",
        "K_CONFIGURATION": function.service,
        "FUNCTION_TARGET": function.name,
        # For ingest too: its events come through a trigger of its own, and its decorator decides.
        "FUNCTION_SIGNATURE_TYPE": "http",
        "PORT": str(port),
        "THREADS": str(function.concurrency),
        "WORKERS": "1",
    }
    unit = {**TABLE["functions"], **TABLE["services"]}[function.name]
    served |= unit.get("environment", {})
    # The framework's command reads it, here and on the platform alike.
    return served | ({"FUNCTION_USE_ASGI": "1"} if function.kind == "asgi" else {})


def process(home: Path, addresses: Addresses, inherited: Mapping[str, str]) -> dict[str, str]:
    """What a process on this machine needs beside its deployment's and the platform's variables.

    Nothing else is inherited: no credentials, no PYTHONPATH, no proxy.

    Args:
        home: a folder of the process's own; gunicorn keeps a socket in it.
        addresses: where the storage emulator is.
        inherited: the environment of the local cloud, for the few variables that pass through.
    """
    passed = {name: inherited[name] for name in ("PATH", "TMPDIR", "TZ") if name in inherited}
    return passed | {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": "*",
        "STORAGE_EMULATOR_HOST": addresses.storage,
    }
