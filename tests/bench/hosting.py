"""HTTP servers in processes of their own; functions as functions-framework hosts them."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import psutil

from infra.bundle import build
from localdev import settings

HOST = "127.0.0.1"
_PATIENCE = 60.0  # seconds until a process that does not answer is taken for dead


class ServerProcess:
    """One HTTP server, from its start to its end.

    Args:
        command: starts it; it listens on `port`.
        folder: its working directory.
        environment: the process's whole environment.
        log: file that takes what it prints.
        port: where it listens.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        log: Path,
        *,
        port: int,
    ) -> None:
        self.port = port
        self.log = log
        self._folder = folder
        self._environment = environment
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start the process, and do not wait for it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def connect(self) -> http.client.HTTPConnection:
        """A connection, as soon as it accepts one.

        Raises:
            RuntimeError: it ended, or never listened.
        """
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and self._process and self._process.poll() is None:
            connection = http.client.HTTPConnection(HOST, self.port, timeout=_PATIENCE)
            try:
                connection.connect()
            except OSError:
                time.sleep(0.002)
            else:
                return connection
        raise RuntimeError(f"{self._command} does not listen:\n{self.log.read_text()[-2000:]}")

    def resident_bytes(self) -> int:
        """Memory of the process that answers: the largest child, where there are any.

        Not of the first process, which may be larger and only watches over the others.
        """
        process = psutil.Process(self._process.pid if self._process else None)
        family = process.children(recursive=True) or [process]
        return max(int(one.memory_info().rss) for one in family)

    def stop(self) -> None:
        """End it with all its children."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):  # a child may lead a group of its own
            for child in psutil.Process(process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def __enter__(self) -> Self:
        """Start, for the length of a `with` block."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()


class FunctionProcess(ServerProcess):
    """One function, as functions-framework hosts it.

    Args:
        python: the interpreter of its environment.
        folder: what is deployed: main.py and what lies beside it.
        target: the function in main.py.
        environment: the process's whole environment.
        log: file that takes what it prints.
        asgi: whether it runs on the asyncio server.
        options: given to the interpreter.
    """

    def __init__(
        self,
        python: Path,
        folder: Path,
        target: str,
        environment: Mapping[str, str],
        log: Path,
        *,
        asgi: bool,
        options: Sequence[str] = (),
    ) -> None:
        port = free_port()
        command = [str(python), "-P", *options, "-m", "functions_framework"]
        command += ["--source", "main.py", "--target", target, "--host", HOST]
        command += ["--port", str(port), *(["--asgi"] if asgi else [])]
        super().__init__(command, folder, {**environment, "PORT": str(port)}, log, port=port)


def predict_process(
    directory: Path, storage_url: str, *, options: Sequence[str] = ()
) -> FunctionProcess:
    """`predict` as it ships: its bundle, in its own environment.

    Args:
        directory: for the bundle, the log and a home.
        storage_url: where the storage emulator is.
        options: given to the interpreter.
    """
    folder = build("predict", directory / "bundles").folder
    return FunctionProcess(
        function_python("predict"),
        folder,
        "predict",
        environment(directory, storage_url),
        directory / "predict.log",
        asgi=True,
        options=options,
    )


def environment(directory: Path, storage_url: str, name: str = "predict") -> dict[str, str]:
    """What the local cloud gives to a function."""
    addresses = settings.Addresses(storage=storage_url, run="")
    (function,) = (one for one in settings.FUNCTIONS if one.name == name)
    return {
        **settings.process(directory, addresses, os.environ),
        **settings.platform(function, 0),
        **settings.deployment(addresses),
    }


def function_python(function: str) -> Path:
    """The interpreter of a function's own environment, which `make setup` makes."""
    return settings.ROOT / ".venv" / "functions" / function / "bin" / "python"


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
