"""`up` and `down`, as their caller sees them."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from localdev import endpoints, lock
from localdev.child import answers
from localdev.journal import note, path
from localdev.options import all_arguments
from localdev.processes import MARK, kill_marked

_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05


class CloudError(Exception):
    """The cloud is not up; the message says why and where to look."""


def up(options: argparse.Namespace) -> tuple[dict[str, Any], subprocess.Popen[bytes] | None]:
    """Bring a cloud up, or find the one that already runs in DIR.

    Args:
        options: of `up`, checked; `detach` says whether the cloud outlives this process.

    Returns:
        What DIR/endpoints.json says, and the supervisor's process; None if one ran already.

    Raises:
        CloudError: it does not come up, or the one that runs is not well.
    """
    options.dir.mkdir(parents=True, exist_ok=True)
    process: subprocess.Popen[bytes] | None = None
    answer: dict[str, Any] = {"held": True}
    if lock.holder(options.dir) is None:
        process, answer = _start(options)
    if "held" in answer:
        return _running(options.dir, options.timeout), None
    if process and "endpoints" in answer:
        return answer["endpoints"], process
    log = path(options.dir)
    raise CloudError(answer.get("error") or f"the supervisor ended unexpectedly: see {log}")


def down(directory: Path) -> bool:
    """Stop the cloud that runs in `directory`; whether there was one.

    Leftovers of one that was killed are removed too.
    """
    directory = directory.expanduser().resolve()
    pid = lock.holder(directory)
    if pid is not None:
        note(directory, f"told to stop by `down` (process {os.getpid()}, of {_parent()})")
        os.kill(pid, signal.SIGTERM)
        if not lock.wait_until_free(directory, _STOP_SECONDS):
            note(directory, f"killed by `down`: still there after {_STOP_SECONDS:g} s")
            os.kill(pid, signal.SIGKILL)
    left = kill_marked({MARK: str(directory)})
    return pid is not None or left > 0


def _start(options: argparse.Namespace) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    log = path(options.dir)
    log.parent.mkdir(exist_ok=True)
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "localdev.supervisor", f"--ready-fd={writer}"]
    if not options.detach:
        command.append("--leash")
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, *all_arguments(options)],
            stdin=subprocess.DEVNULL if options.detach else subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=[writer],
            start_new_session=True,
        )
    os.close(writer)
    try:
        with os.fdopen(reader) as ready:
            text = ready.read()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    answer = json.loads(text or "{}")
    if "endpoints" not in answer:
        process.wait()
    return process, answer


def _running(directory: Path, seconds: float) -> dict[str, Any]:
    """What the cloud that has the lock says of itself, once it is well."""
    pid = lock.holder(directory)
    deadline = time.monotonic() + seconds
    while True:
        document = endpoints.read(directory)
        urls = [document[name] for name in endpoints.SERVICES if name in document]
        if document.get("pid") == pid and all(answers(f"{url}/robots.txt") for url in urls):
            return document
        if pid is None or lock.holder(directory) != pid:
            raise CloudError(f"the cloud in {directory} was just stopped; try again")
        if time.monotonic() > deadline:
            raise CloudError(
                f"a cloud runs in {directory} (process {pid}) but does not answer: "
                f"see {directory / 'logs'}"
            )
        time.sleep(_POLL_SECONDS)


def _parent() -> str:
    """Whoever started this process."""
    parent = psutil.Process().parent()
    return f"{parent.name()}, process {parent.pid}" if parent else "a process that is gone"
