"""How functions run here: each bundle under functions-framework, in an environment of its own.

The environment holds only what the function's requirements.txt names. `perennial` is not installed
there: functions-framework appends the source folder to `sys.path`, so an installed one would win.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from getpass import getuser
from pathlib import Path
from types import MappingProxyType

from infra.bundle import NO_PACKAGES, Bundle, build
from localdev.child import Program
from localdev.endpoints import Ports
from localdev.processes import MARK
from localdev.settings import (
    FUNCTIONS,
    HOST,
    Addresses,
    Function,
    console,
    deployment,
    platform,
    process,
)

# Answered with 404 or 405 before any function is called, whatever its kind.
_PROBE = "/robots.txt"


class NotSetUp(Exception):
    """A function's environment is missing."""


def present(root: Path) -> list[Function]:
    """The functions that a checkout has."""
    return [item for item in FUNCTIONS if (root / "functions" / item.name / "main.py").is_file()]


def interpreter(function: Function, root: Path) -> Path:
    """The Python of a function's own environment.

    Raises:
        NotSetUp: there is none.
    """
    python = root / ".venv" / "functions" / function.name / "bin" / "python"
    if not python.exists():
        raise NotSetUp(f"{python} is missing: run `make setup`")
    return python


def environment(
    function: Function,
    directory: Path,
    addresses: Addresses,
    port: int = 0,
    more: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """The whole environment of a function's process.

    Args:
        function: the function, or the job.
        directory: the cloud's DIR.
        addresses: what it may call.
        port: where it listens; nothing to a job.
        more: that it alone is told.
    """
    home = directory / "home" / function.name
    home.mkdir(parents=True, exist_ok=True)
    return {
        **process(home, addresses, os.environ),
        **platform(function, port),
        **deployment(addresses),
        **more,
        MARK: str(directory),
    }


def bundle(
    function: Function,
    directory: Path,
    root: Path,
    packages: Mapping[str, Path] = NO_PACKAGES,
) -> Bundle:
    """Build a function's bundle into DIR/bundles; the job's with packages of models."""
    return build(function.name, directory / "bundles", root, packages)


def server(
    function: Function,
    directory: Path,
    root: Path,
    ports: Ports,
    own: Mapping[str, str] = MappingProxyType({}),
) -> Program:
    """The process that serves a function.

    Args:
        function: which one.
        directory: the cloud's DIR.
        root: the checkout.
        ports: where services listen.
        own: environment variables that a deployment sets on it alone.

    Raises:
        NotSetUp: the function's environment is missing.
        FileNotFoundError: the function has no main.py or no requirements.txt.
    """
    folder = bundle(function, directory, root).folder
    port = ports.of[function.name]
    more = console(ports.url("predict"), getuser()) if function.name == "console" else {}
    # -P keeps the working directory from the front of sys.path, as the console script does. All
    # else that the platform tells the framework is in the environment, here too.
    command = [str(interpreter(function, root)), "-P", "-m", "functions_framework"]
    command += ["--source", "main.py", "--host", HOST]
    return Program(
        name=function.name,
        command=command,
        folder=folder,
        environment={**environment(function, directory, ports.addresses, port, more), **own},
        probe=ports.url(function.name) + _PROBE,
        memory_mib=function.memory_mib,
    )
