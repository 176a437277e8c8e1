"""The local cloud as a process: `python -m localdev`, which this package never imports."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from perennial.errors import ConfigError, PerennialError

DEFAULT_DIRECTORY = ".perennial"
ENDPOINTS = "endpoints.json"

_INTERRUPTED = 130
_NEEDED = ("localdev", "functions_framework", "httpx", "starlette", "uvicorn")


class LocalCloudError(PerennialError):
    """A process of the local cloud failed; its complaint and its exit code are the command's."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def local_directory(variables: Mapping[str, str]) -> Path:
    """DIR of the local cloud: PERENNIAL_LOCAL, else ./.perennial."""
    return Path(variables.get("PERENNIAL_LOCAL") or DEFAULT_DIRECTORY).expanduser().absolute()


def read_endpoints(directory: Path) -> dict[str, Any]:
    """What a local cloud said of itself when it was last up; empty where none ever was."""
    try:
        document = json.loads((directory / ENDPOINTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def addresses(endpoints: Mapping[str, Any]) -> dict[str, str]:
    """Where the processes of a local cloud listen, by name."""
    return {
        name: url
        for name, url in endpoints.items()
        if isinstance(url, str) and url.startswith("http://")
    }


def lives(endpoints: Mapping[str, Any], urls: Iterable[str]) -> bool:
    """Whether a local cloud's process lives and something listens at one of these addresses.

    Its process must live, since another cloud may have got its port, and a port must answer, since
    a process that ended may linger as a zombie.
    """
    try:
        os.kill(endpoints["pid"], 0)
    except (OSError, KeyError, TypeError):
        return False
    return any(map(_listens, urls))


def start(module: str, arguments: Sequence[str], *, quiet: bool = False) -> subprocess.Popen[str]:
    """Start a part of localdev as a process.

    Args:
        module: `localdev`, or a module of it.
        arguments: its command line.
        quiet: give its standard output to the caller, not to the terminal; what it complains of
            is always the caller's to tell.

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
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def see_through(process: subprocess.Popen[str]) -> None:
    """Stay until a process ends, and fail as it failed.

    Raises:
        UsageError: when it did not understand its options.
        LocalCloudError: with its complaint and its exit code.
        Exit: with code 130, when it was interrupted.
    """
    code = _wait(process)
    said = (process.stderr.read() if process.stderr else "").strip()
    if code == _INTERRUPTED:
        raise click.exceptions.Exit(code)  # and no complaint: somebody wanted it
    if code == click.UsageError.exit_code:
        raise click.UsageError(f"{said.rstrip('.')}.", click.get_current_context())
    if code:
        raise LocalCloudError(said or f"the local cloud ended with code {code}", code)


def _listens(url: str) -> bool:
    try:
        parts = urlsplit(url)
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout=5).close()
    except (OSError, ValueError):
        return False
    return True


def _wait(process: subprocess.Popen[str]) -> int:
    """The exit code of a process that ends in its own time; interruptions are passed on to it."""
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the terminal has interrupted it too
