"""Finding and ending processes: whole groups, whole sessions, and what a killed cloud left over.

A cloud's supervisor leads a session that everything below it belongs to, whoever started it;
within it every child leads a group of its own. `MARK` in the environment tells, after any crash,
which cloud a process belonged to.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator

import psutil

MARK = "LOCALDEV_DIR"
"""Set in every process of a local cloud, to its DIR."""

_ROUNDS = 40
_PAUSE_SECONDS = 0.025


def kill_group(group: int, number: int = signal.SIGKILL) -> None:
    """Signal every process of a group; one that is gone is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def kill_session(session: int, spare: Collection[int] = ()) -> None:
    """Kill every process of a session until none is left, as forks may race with the kill."""
    _kill_until_gone(lambda: _session_members(session), spare)


def kill_marked(variables: dict[str, str]) -> int:
    """Kill every process whose environment holds all these variables; return how many there were.

    The calling process is spared.
    """
    found: set[int] = set()

    def members() -> list[int]:
        pids = _marked(variables)
        found.update(pids)
        return pids

    _kill_until_gone(members, {os.getpid()})
    return len(found - {os.getpid()})


def resident(groups: Collection[int]) -> dict[int, int]:
    """Resident bytes of each process group; pages that processes share count for each.

    Cheap enough to ask several times a second.
    """
    used = dict.fromkeys(groups, 0)
    for pid, group in _groups_of(groups):
        with contextlib.suppress(psutil.Error):
            used[group] += psutil.Process(pid).memory_info().rss
    return used


def resident_exactly(group: int) -> int:
    """Resident bytes of a process group, shared pages counted once where the system tells them."""
    used = 0
    for pid, _ in _groups_of([group]):
        with contextlib.suppress(psutil.Error):
            memory = psutil.Process(pid).memory_full_info()
            used += getattr(memory, "pss", memory.rss)
    return used


def _groups_of(groups: Collection[int]) -> Iterator[tuple[int, int]]:
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            group = os.getpgid(pid)
            if group in groups:
                yield pid, group


def _session_members(session: int) -> list[int]:
    members = []
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError, PermissionError, psutil.Error):
            if os.getsid(pid) == session and _lives(psutil.Process(pid)):
                members.append(pid)
    return members


def _lives(process: psutil.Process) -> bool:
    """Whether it is more than an entry that its parent has yet to read."""
    return bool(process.status() != psutil.STATUS_ZOMBIE)


def _marked(variables: dict[str, str]) -> list[int]:
    pids = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            environment = process.environ()
            if variables.items() <= environment.items():
                pids.append(process.pid)
    return pids


def _kill_until_gone(members: Callable[[], list[int]], spare: Collection[int]) -> None:
    for _ in range(_ROUNDS):
        pids = [pid for pid in members() if pid not in spare]
        if not pids:
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSE_SECONDS)
