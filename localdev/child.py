"""One process that the supervisor keeps alive."""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from localdev.processes import kill_group, resident_exactly
from localdev.settings import MIB

_BACKOFF_SECONDS = (0.1, 5.0)
_STABLE_SECONDS = 10.0
_PROBE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    Attributes:
        name: for messages; its log is `{name}.log`.
        command: program and arguments.
        folder: the working directory.
        environment: the whole environment.
        probe: a URL that answers, with whatever status, once the process serves.
        memory_mib: the limit of the process and its descendants together; None for none.
    """

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    probe: str
    memory_mib: int | None = None


class Child:
    """A running program, started again with growing pauses whenever it ends.

    Args:
        program: what to run.
        log: where its output goes, appended.
    """

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self.log = log
        self.deaths = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = _BACKOFF_SECONDS[0]
        self._resume = 0.0

    @property
    def group(self) -> int | None:
        """The process group while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Run the program now, as the leader of a process group of its own."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.program.command,
                cwd=self.program.folder,
                env=dict(self.program.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        self._started = time.monotonic()

    def tend(self) -> None:
        """Notice that the process ended; start it again when its pause is over."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._resume:
                self.start()
            return
        status = self._process.poll()
        if status is None:
            return
        # Its descendants may have survived it, and hold its port.
        kill_group(self._process.pid)
        self._process = None
        self.deaths += 1
        if now - self._started > _STABLE_SECONDS:
            self._pause = _BACKOFF_SECONDS[0]
        self._resume = now + self._pause
        self.note(f"{self.program.name} ended ({_ending(status)}); next start in {self._pause} s")
        self._pause = min(self._pause * 2, _BACKOFF_SECONDS[1])

    def limit(self, resident_bytes: int) -> None:
        """Kill the process and its descendants if together they use more than their memory.

        Args:
            resident_bytes: the group's, where shared pages may count more than once.
        """
        if self._process is None:
            return
        excess = exceeded(self.program.memory_mib, resident_bytes, self._process.pid)
        if excess:
            self.note(excess)
            kill_group(self._process.pid)

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the whole group."""
        if self._process:
            kill_group(self._process.pid, signal.SIGTERM)

    def stop(self, deadline: float) -> None:
        """Wait for the end until `deadline` (monotonic seconds), then kill what is left."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
        kill_group(self._process.pid)
        self._process.wait()
        self._process = None

    def answers(self) -> bool:
        """Whether the process runs and its probe gets an answer."""
        return self._process is not None and answers(self.program.probe)

    def note(self, message: str) -> None:
        """Add a line to the log, in between the program's own."""
        with self.log.open("a") as output:
            output.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} localdev: {message}\n")


def answers(url: str) -> bool:
    """Whether an HTTP server at this URL gives any answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=_PROBE_SECONDS)
    try:
        connection.request("GET", parts.path or "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def exceeded(allowed_mib: int | None, resident_bytes: int, group: int) -> str:
    """What the platform logs when a process group is beyond its memory; empty while it is not.

    Args:
        allowed_mib: the limit; None for none.
        resident_bytes: a first estimate that may count shared pages more than once.
        group: the process group, measured again before it is accused.
    """
    if allowed_mib is None or resident_bytes <= allowed_mib * MIB:
        return ""
    used = resident_exactly(group)
    if used <= allowed_mib * MIB:
        return ""
    return f"Memory limit of {allowed_mib} MiB exceeded with {used / MIB:.0f} MiB used."


def _ending(status: int) -> str:
    if status >= 0:
        return f"exit code {status}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"signal {-status}"
