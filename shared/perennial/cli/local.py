"""The local cloud as a process: `python -m localdev`, which this package never imports."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from perennial.errors import ConfigError

DEFAULT_DIRECTORY = ".perennial"
ENDPOINTS = "endpoints.json"

_NEEDED = ("localdev", "functions_framework", "httpx", "starlette", "uvicorn")


def local_directory(variables: Mapping[str, str]) -> Path:
    """DIR of the local cloud: PERENNIAL_LOCAL, else ./.perennial."""
    return Path(variables.get("PERENNIAL_LOCAL") or DEFAULT_DIRECTORY).expanduser().absolute()


def start(module: str, arguments: Sequence[str], *, quiet: bool = False) -> subprocess.Popen[str]:
    """Start a part of localdev as a process.

    Args:
        module: `localdev`, or a module of it.
        arguments: its command line.
        quiet: give its standard output to the caller, not to the terminal.

    Raises:
        ConfigError: when the packages that it needs are not installed.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"the local cloud needs {', '.join(missing)}: run `pip install 'perennial[local]'`"
        )
    return subprocess.Popen(  # noqa: S603  our own interpreter and module
        [sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE if quiet else None,
        text=True,
        encoding="utf-8",
    )


def wait(process: subprocess.Popen[str]) -> int:
    """Stay until a process ends and return its exit code; interruptions are passed on to it."""
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the terminal has interrupted it too, and it ends in its own time
