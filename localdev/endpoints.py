"""Where a local cloud's parts listen, kept in DIR/endpoints.json across restarts."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from localdev.settings import (
    BUCKETS,
    HOST,
    PREDICTIONS,
    PROJECT,
    REGION,
    TRAIN_JOB,
    VERSIONED,
    Addresses,
)

FILE_NAME = "endpoints.json"

SERVICES = ("storage", "predict", "ingest", "monitor", "run", "delivery", "console")
"""What listens; with `--port N` they take N, N+1, … in this order."""


class PortTaken(Exception):
    """A port that was asked for is in use."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The TCP port of each service, all on the loopback interface."""

    of: Mapping[str, int]

    def url(self, service: str) -> str:
        """The base URL of a service, without a trailing slash."""
        return f"http://{HOST}:{self.of[service]}"

    @property
    def addresses(self) -> Addresses:
        """The base URLs that functions are told."""
        return Addresses(self.url("storage"), self.url("run"))


def choose(directory: Path, first: int = 0) -> Ports:
    """Pick a port for each service.

    Args:
        directory: the cloud's DIR; ports of its last run are used again where they are free, so
            that URLs survive a restart.
        first: the storage emulator's port, the others follow it; 0 for any free ones.

    Raises:
        PortTaken: `first` or one that follows it is in use.
    """
    if first:
        wanted = {service: first + offset for offset, service in enumerate(SERVICES)}
        taken = [f"{port} ({service})" for service, port in wanted.items() if not _free(port)]
        if taken:
            raise PortTaken(f"in use: port {', '.join(taken)}; choose another --port")
        return Ports(wanted)
    previous = _previous(directory)
    kept = {service: port for service, port in previous.items() if _free(port)}
    return Ports({service: kept.get(service) or _any_free() for service in SERVICES})


def write(
    directory: Path,
    ports: Ports,
    services: list[str],
    pid: int,
    packages: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Publish DIR/endpoints.json in one step, and return what it says.

    Args:
        directory: the cloud's DIR.
        ports: where services listen.
        services: those that this cloud has.
        pid: the supervisor's process id.
        packages: digests of the packages that the training job has for models, by name.
    """
    document: dict[str, Any] = {service: ports.url(service) for service in services}
    document |= {
        "buckets": BUCKETS,
        "predictions_bucket": PREDICTIONS,
        "versioned": [role for role, bucket in BUCKETS.items() if bucket in VERSIONED],
        "project": PROJECT,
        "region": REGION,
        "train_job": TRAIN_JOB,
        "model_packages": dict(packages),
        "pid": pid,
    }
    partial = directory / f".{FILE_NAME}.{os.getpid()}"
    partial.write_text(json.dumps(document, indent=2) + "\n")
    partial.replace(directory / FILE_NAME)
    return document


def read(directory: Path) -> dict[str, Any]:
    """What DIR/endpoints.json says; empty where it is missing or not ours."""
    try:
        document = json.loads((directory / FILE_NAME).read_text())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _previous(directory: Path) -> dict[str, int]:
    ports = {}
    for service, url in read(directory).items():
        if service in SERVICES and isinstance(url, str):
            with contextlib.suppress(ValueError):
                ports[service] = urlsplit(url).port or 0
    return {service: port for service, port in ports.items() if port}


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do, or connections of the last run that linger would seem to hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
        return True


def _any_free() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
