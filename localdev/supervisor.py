"""`python -m localdev.supervisor`: starts the parts of a local cloud and keeps them alive.

It is started by `python -m localdev up`, as the leader of a session of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO, Any

from localdev import endpoints, lock
from localdev.child import Child
from localdev.clock import Clock
from localdev.host import NotSetUp
from localdev.journal import note
from localdev.logsink import LogSink
from localdev.options import add_arguments, check, packages_of
from localdev.plan import programs
from localdev.processes import MARK, kill_marked, kill_session, resident
from localdev.scheduler import Scheduler
from perennial.adapters.model_packages import package_digest

_TICK_SECONDS = 0.05
_MEMORY_SECONDS = 0.25
_STOP_SECONDS = 3.0
_HOPELESS_DEATHS = 3
_LOG_LINES = 15


class CannotStart(Exception):
    """The cloud, or a part of it that ended, does not come up; the message says why."""


class Supervisor:
    """One cloud, from its start to its stop.

    Args:
        options: of `up`, checked.
        ports: where its parts listen.
    """

    def __init__(self, options: argparse.Namespace, ports: endpoints.Ports) -> None:
        self._options = options
        self._ports = ports
        self._logs: Path = options.dir / "logs"
        self._children: list[Child] = []
        self._scheduler: Scheduler | None = None
        self._sink: LogSink | None = None
        self._over = threading.Event()
        self._why = ""
        self._measured = 0.0
        self._guardian = _guard(options.dir)

    def stop(self, why: str) -> None:
        """Make `run` return soon; safe in a signal handler and from another thread."""
        self._why = self._why or why
        self._over.set()

    def start(self) -> list[str]:
        """Start everything and wait until it answers; return the names of what listens.

        Raises:
            CannotStart: a part is missing, keeps dying, or does not answer in time.
        """
        try:
            plan = programs(self._options, self._ports)
        except (NotSetUp, FileNotFoundError, SyntaxError) as error:
            raise CannotStart(str(error)) from error
        self._children = [Child(program, self._logs / f"{program.name}.log") for program in plan]
        for child in self._children:
            child.start()
        self._wait_until_ready()
        names = [child.program.name for child in self._children]
        if "monitor" in names:
            seconds = Clock(self._options.clock_scale).real_seconds(self._options.tick)
            url = self._ports.url("monitor") + "/"
            self._scheduler = Scheduler(url, seconds, self._logs / "scheduler.log")
            self._scheduler.start()
        if "predict" in names:
            self._sink = LogSink(self._options.dir, self._ports.url("storage"))
            self._sink.start()
        return ["run" if name == "jobs" else name for name in names]

    def publish(self, services: list[str]) -> dict[str, Any]:
        """Write DIR/endpoints.json and return what it says."""
        packages = packages_of(self._options)
        digests = {name: package_digest(folder) for name, folder in packages.items()}
        return endpoints.write(self._options.dir, self._ports, services, os.getpid(), digests)

    def run(self) -> str:
        """Keep everything alive until told to stop; return why.

        Raises:
            CannotStart: a part ended and cannot be started again.
        """
        while not self._over.wait(_TICK_SECONDS):
            self._tend()
        return self._why

    def shut_down(self) -> None:
        """Stop everything: politely, then not."""
        if self._scheduler:
            self._scheduler.stop()
        if self._sink:
            self._sink.stop()
        for child in self._children:
            child.ask_to_stop()
        deadline = time.monotonic() + _STOP_SECONDS
        for child in self._children:
            child.stop(deadline)
        # Whatever else there is, the guardian included, is in this session.
        kill_session(os.getpid(), spare={os.getpid()})
        self._guardian.wait()

    def _tend(self) -> None:
        if self._guardian.poll() is not None:
            self._guardian = _guard(self._options.dir)
        for child in self._children:
            try:
                child.tend()
            except OSError as error:
                name = child.program.name
                raise CannotStart(f"{name} ended and cannot be started again: {error}") from error
        if time.monotonic() - self._measured > _MEMORY_SECONDS:
            self._measured = time.monotonic()
            groups = {child.group: child for child in self._children if child.group}
            for group, used in resident(groups.keys()).items():
                groups[group].limit(used)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._options.timeout
        waiting = list(self._children)
        while waiting:
            if self._over.wait(_TICK_SECONDS):
                raise CannotStart(f"told to stop before everything had started: {self._why}")
            self._tend()
            hopeless = [child for child in waiting if child.deaths >= _HOPELESS_DEATHS]
            if hopeless:
                raise CannotStart(_complaint(hopeless[0], "does not start"))
            if time.monotonic() > deadline:
                seconds = f"{self._options.timeout:g} s"
                raise CannotStart(_complaint(waiting[0], f"does not answer after {seconds}"))
            waiting = [child for child in waiting if not child.answers()]


def _guard(directory: Path) -> subprocess.Popen[bytes]:
    """Start the process that ends this session once this process is gone."""
    return subprocess.Popen(
        [sys.executable, "-m", "localdev.guardian", str(os.getpid()), str(directory)],
        stdin=subprocess.PIPE,
        process_group=0,
    )


def _complaint(child: Child, what: str) -> str:
    """What is wrong with a part, where its log is, and how the log ends."""
    lines = child.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    return "\n  ".join([f"{child.program.name} {what}: see {child.log}", *lines])


def supervise(options: argparse.Namespace, ready: IO[str], leashed: bool) -> int:
    """Run one cloud until a signal ends it; return the exit code.

    Args:
        options: of `up`, checked.
        ready: gets one line of JSON once the cloud is up (`{"endpoints": …}`), is known not to come
            up (`{"error": …}`) or runs already (`{"held": true}`), and is closed then.
        leashed: stop as well when standard input ends.
    """
    supervisor: Supervisor | None = None
    held = lock.acquire(options.dir)
    if held is None:
        _tell(ready, {"held": True})
        return 0
    try:
        # A cloud whose supervisor and guardian were killed together left its other processes.
        kill_marked({MARK: str(options.dir)})
        supervisor = Supervisor(options, endpoints.choose(options.dir, options.port))
        _stop_when_told(supervisor, leashed)
        return _see_through(supervisor, options.dir, ready)
    except (CannotStart, endpoints.PortTaken) as error:
        note(options.dir, f"does not start: {str(error).splitlines()[0]}")
        _tell(ready, {"error": str(error)})
        return 1
    except Exception as error:
        note(options.dir, f"stops because of a mistake of its own: {error!r}")
        raise
    finally:
        if supervisor:
            supervisor.shut_down()
        held.close()


def _see_through(supervisor: Supervisor, directory: Path, ready: IO[str]) -> int:
    """Run a cloud from its start to its end; note both, and why it ended.

    Raises:
        CannotStart: before it was up.
    """
    services = supervisor.start()
    _tell(ready, {"endpoints": supervisor.publish(services)})
    note(directory, f"up (process {os.getpid()}): {', '.join(services)}")
    try:
        note(directory, f"stops: {supervisor.run()}")
    except CannotStart as error:
        note(directory, f"stops: {error}")
        return 1
    return 0


def _tell(ready: IO[str], message: dict[str, Any]) -> None:
    # Whoever started this cloud may be gone by now, and not care.
    with suppress(BrokenPipeError), ready:
        json.dump(message, ready)


def _stop_when_told(supervisor: Supervisor, leashed: bool) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        supervisor.stop(f"got {signal.Signals(number).name}")

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if leashed:

        def hold() -> None:
            # Not `sys.stdin`: its lock, held by this thread, would abort the interpreter's end.
            while os.read(0, 1):
                pass
            supervisor.stop("the `up` that started it has ended")

        threading.Thread(target=hold, name="leash", daemon=True).start()


def main(arguments: list[str] | None = None) -> int:
    """Read the options and supervise."""
    parser = argparse.ArgumentParser(prog="python -m localdev.supervisor", description=__doc__)
    parser.add_argument("--ready-fd", type=int, default=1, help="where to say that it is up")
    parser.add_argument("--leash", action="store_true", help="stop when standard input ends")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    if os.getsid(0) != os.getpid():  # it ends its whole session, which must not be a terminal's
        parser.error("start it with `python -m localdev up`")
    check(options)
    return supervise(options, os.fdopen(options.ready_fd, "w"), options.leash)


if __name__ == "__main__":
    sys.exit(main())
