"""A seeded adversary: kills, pauses, failing storage, full disks, jumping clocks."""

from __future__ import annotations

import contextlib
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import psutil
import requests

from localdev.processes import MARK
from tests.bench.troubles import Trouble
from tests.e2e.conftest import LocalCloud

ROLES = ("emulator", "ingest", "job", "predict", "monitor", "delivery", "job runner")
"""What is killed by itself; the whole cloud is killed too."""

_PROGRAMS = {
    "localdev.storage": "emulator",
    "localdev.delivery": "delivery",
    "localdev.jobs": "job runner",
}
_SCALES = (1.0, 1.0, 4.0, 30.0)
_FULL_AT = 32 * 1024  # bytes of a file: the database is larger, and so is no small object
_WAIT_FOR_JOB = 3.0

BURSTS: dict[str, Callable[[Random], dict[str, Any]]] = {
    "429 and 503": lambda random: {"do": "status", "status": random.choice([429, 503])},
    "no permission": lambda _: {"do": "status", "status": 403},
    "cut in the middle": lambda random: {"do": "cut", "after_bytes": random.randrange(300)},
    "answer lost after the commit": lambda _: {"do": "commit_then_drop"},
    "late answer": lambda random: {"do": "delay", "seconds": random.uniform(0.1, 1.5)},
}
"""Faults of storage by kind, each drawn anew."""

_EACH = {"429 and 503": 40, "no permission": 6, "cut in the middle": 15, "late answer": 20}
_UPLOADS = {"method": "PUT"}  # the chunks of resumable uploads


def processes(directory: Path, role: str) -> list[psutil.Process]:
    """The processes of one part of a cloud, parents first."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            environment = process.environ()
            if environment.get(MARK) == str(directory) and _role(process, environment) == role:
                found.append(process)
    return sorted(found, key=lambda process: process.pid)


def _role(process: psutil.Process, environment: dict[str, str]) -> str:
    if "CLOUD_RUN_EXECUTION" in environment:
        return "job"
    if "FUNCTION_TARGET" in environment:
        return environment["FUNCTION_TARGET"]
    return next((_PROGRAMS[word] for word in process.cmdline() if word in _PROGRAMS), "")


def left_running(directory: Path) -> list[str]:
    """Command lines of all that belongs to a cloud."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            ours = process.environ().get(MARK) == str(directory)
            words = process.cmdline()
            if ours or (str(directory) in words and any("localdev" in word for word in words)):
                found.append(" ".join(words))
    return found


class Adversary(Trouble):
    """Does one deed after another, drawn from a shuffled deck, so that none is forgotten.

    Attributes:
        kills: how often each part was killed.
        faults: everything else that was done, by kind.
        disturbed: when predict itself was ended (seconds since 1970).
        deeds: how many were done.
    """

    def __init__(self, cloud: LocalCloud, flags: list[str], random: Random, pace: float) -> None:
        super().__init__()
        self.kills: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.disturbed: list[float] = []
        self.deeds = 0
        self._cloud = cloud
        self._flags = flags
        self._random = random
        self._pace = pace
        self._scale = 1.0
        self._deck: list[Callable[[], None]] = []
        self._ordered: list[tuple[str, int]] = []

    def once(self) -> float:
        if not self._deck:
            self._deck = self._new_deck()
        self._deck.pop()()
        self.deeds += 1
        return self._random.uniform(0, 2 * self._pace)

    def _new_deck(self) -> list[Callable[[], None]]:
        deck: list[Callable[[], None]] = [partial(self._kill, role) for role in ROLES]
        deck += [partial(self._kill, role) for role in ("ingest", "job", "emulator")]
        paused = ("emulator", "ingest", "job", "predict", "monitor", "delivery")
        deck += [partial(self._pause, role) for role in self._random.sample(paused, 3)]
        deck += [partial(self._burst, kind) for kind in BURSTS]
        deck += [partial(self._burst, "cut in the middle", _UPLOADS), self._fill_disk]
        deck += [self._kill_all]
        self._random.shuffle(deck)
        return deck

    def _kill(self, role: str) -> None:
        """One process of a part, which may have several: a server and its worker."""
        until = time.monotonic() + (_WAIT_FOR_JOB if role == "job" else 0.0)
        while not (found := processes(self._cloud.folder, role)) and time.monotonic() < until:
            time.sleep(0.02)
        if not found:
            self.faults[f"{role} was not there to be killed"] += 1
            return
        if role == "emulator":
            self._settle_faults()
        if role == "predict":
            self.disturbed.append(time.time())
        with contextlib.suppress(psutil.NoSuchProcess):
            self._random.choice(found).kill()
            self.kills[role] += 1

    def _pause(self, role: str) -> None:
        """SIGSTOP, and on after a while: what it held it may not hold any more."""
        stopped = processes(self._cloud.folder, role)
        self._signal(stopped, signal.SIGSTOP)
        self._over.wait(self._random.uniform(0.3, 2.5))
        self._signal(stopped, signal.SIGCONT)
        self.faults["process paused"] += bool(stopped)

    @staticmethod
    def _signal(processes_: list[psutil.Process], number: int) -> None:
        for process in processes_:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _burst(self, kind: str, match: dict[str, str] | None = None) -> None:
        """Order faults for the next requests, whoever makes them."""
        if match is None:
            match = self._random.choice([{}, {"method": "POST"}, {"method": "GET"}])
        if kind == "answer lost after the commit":
            match = {"method": "POST"}
        faults = [BURSTS[kind](self._random) for _ in range(_EACH.get(kind, 8))]
        with self._control("POST", {"id": "*", "match": match, "faults": faults}) as ordered:
            if ordered is not None:
                self._ordered.append((f"storage: {kind}", len(faults)))

    def _fill_disk(self) -> None:
        """No file of the emulator's can grow: SQLite sees a failing disk."""
        limit = (_FULL_AT, resource.RLIM_INFINITY)
        full = processes(self._cloud.folder, "emulator")
        for process in full:
            with contextlib.suppress(psutil.Error):
                process.rlimit(psutil.RLIMIT_FSIZE, limit)
        self._over.wait(self._random.uniform(0.3, 2))
        for process in full:
            with contextlib.suppress(psutil.Error):
                process.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        self.faults["full disk"] += bool(full)

    def _kill_all(self) -> None:
        """The whole cloud at once; it comes back with a clock of another pace, far off the last."""
        self._settle_faults()
        self.disturbed.append(time.time())
        self._cloud.kill()
        self.kills["whole cloud"] += 1
        self.up(self._random.choice(_SCALES))

    def up(self, scale: float) -> None:
        """Bring the cloud up, with a clock of this pace."""
        if scale != self._scale:
            self.faults["clock jumps " + ("forward" if scale > self._scale else "back")] += 1
        self._scale = scale
        flags = [*self._flags, "--seed", str(self._random.randrange(10**6))]
        for _ in range(3):  # what was killed may hold its lock or a port for a moment
            done = self._cloud.run(
                "up", "--dir", str(self._cloud.folder), "--detach", f"--clock-scale={scale}",
                f"--tick={2 * scale}", *flags, check=False,
            )  # fmt: skip
            if done.returncode == 0:
                return
        raise RuntimeError(f"the cloud did not come up: {done.stderr}")

    def end(self) -> None:
        """No more trouble of any kind: a cloud as it should be, at the pace of real time."""
        for role in ROLES:
            self._signal(processes(self._cloud.folder, role), signal.SIGCONT)
        self._settle_faults()
        self._cloud.down()
        self._flags = []
        self.up(1.0)

    def _settle_faults(self) -> None:
        """Forget the faults that are left, and count those that struck."""
        left: list[int] = []
        with self._control("GET") as answer:
            if answer is not None:
                left = [len(plan["faults"]) for plan in answer.json()["faults"]]
        for (kind, ordered), remaining in zip(self._ordered, left, strict=False):
            self.faults[kind] += ordered - remaining
        self._ordered = []
        with self._control("DELETE"):
            pass

    @contextlib.contextmanager
    def _control(
        self, method: str, document: dict[str, Any] | None = None
    ) -> Iterator[requests.Response | None]:
        """Ask the emulator about faults; nothing where it does not answer: plans die with it."""
        url = f"{self._cloud.endpoints['storage']}/_emulator/faults"
        try:
            answer = requests.request(method, url, json=document, timeout=5)
            answer.raise_for_status()
        except requests.RequestException:
            self._ordered = []
            yield None
        else:
            yield answer
