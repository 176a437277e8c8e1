"""Processors that this process may really use, and no more threads than these.

Threads wait for each other at every step of a fit, so that more of them than processors make it
slower, up to 47 times. Libraries count the machine's processors; a container may use fewer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # it ships none

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


def processors(cgroups: Path = CGROUPS, own: Path = OWN_CGROUP) -> int:
    """How many processors this process may use: whole ones, at least one.

    Args:
        cgroups: where control groups are mounted.
        own: says which of them this process is in.
    """
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    return max(1, int(min([allowed, *_quotas(cgroups, own)])))


def pin_threads(most: int) -> None:
    """Give every numerical library that is loaded at most so many threads.

    What `OMP_NUM_THREADS` sets below that stands. OpenMP counts for the calling thread, which
    must therefore be the one that trains.
    """
    for library in ThreadpoolController().lib_controllers:
        if library.num_threads > most:
            library.set_num_threads(most)


def _quotas(cgroups: Path, own: Path) -> Iterator[float]:
    """Processors that control groups grant: this process's, and those that it lies in."""
    for group in _groups(own):  # version 2: `{quota or max} {period}`, in microseconds
        quota, _, period = _content(cgroups / group / "cpu.max").partition(" ")
        if quota.isdigit() and period.isdigit():
            yield int(quota) / int(period)
    quota = _content(cgroups / "cpu" / "cpu.cfs_quota_us")  # version 1, where -1 is none
    period = _content(cgroups / "cpu" / "cpu.cfs_period_us")
    if quota.isdigit() and period.isdigit():
        yield int(quota) / int(period)


def _groups(own: Path) -> Iterator[str]:
    """This process's control group and all above it, as paths below the mount."""
    lines = _content(own).splitlines()
    path = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), "")
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""


def _content(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
