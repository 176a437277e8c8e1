"""Tasks that take turns: exactly one runs at a time, and a seed decides whose turn it is.

A task is a thread, so that the workflows run as they are; but it only runs while it holds the
baton, and it hands the baton back at every call to the outside world. So a seed gives the same
interleaving whenever and wherever it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Semaphore, Thread
from typing import Literal

from tests.calls import Crash

START = datetime(2026, 3, 1, tzinfo=UTC)
_STUCK = 60.0  # seconds of real time after which a task that never pauses is a bug of the harness


@dataclass(eq=False)
class Task:
    """One piece of work: an event's handler, a job, an operator's command.

    Attributes:
        number: counted from 0, by which faults name it.
        calls: how many calls to the outside it has made.
        state: `hung` tasks never go on.
        error: what ended it; a `Crash` where its process died.
    """

    number: int
    kind: str
    work: Callable[[], object]
    random: Random
    calls: int = 0
    state: Literal["ready", "sleeping", "hung", "done"] = "ready"
    wakes: datetime = START
    doomed: bool = False
    result: object = None
    error: BaseException | None = None
    gate: Semaphore = field(default_factory=lambda: Semaphore(0))
    thread: Thread | None = None

    @property
    def name(self) -> str:
        """For traces."""
        return f"{self.kind}-{self.number}"


class VirtualClock:
    """A time that passes only when something takes time; sleeping hands the baton back."""

    def __init__(self) -> None:
        self.time = START
        self.sleep: Callable[[float], None] = self.pass_

    def now(self) -> datetime:
        """The current time, never twice the same."""
        self.time += timedelta(microseconds=1)
        return self.time

    def pass_(self, seconds: float) -> None:
        """Let time go by."""
        self.time += timedelta(seconds=seconds)


class Scheduler:
    """Whose turn it is.

    Args:
        seed: of every turn, and of every task's own choices.
        clock: sleeps by it end when nobody else has anything to do, at the latest.
    """

    def __init__(self, seed: int, clock: VirtualClock) -> None:
        self.tasks: list[Task] = []
        self.current: Task | None = None
        self._seed = seed
        self._clock = clock
        self._baton = Semaphore(0)
        clock.sleep = self.sleep

    def spawn(self, kind: str, work: Callable[[], object]) -> Task:
        """Add a task; it does nothing before its first turn."""
        number = len(self.tasks)
        task = Task(number, kind, work, Random(f"{self._seed}/{number}"))
        self.tasks.append(task)
        return task

    def ready(self) -> list[Task]:
        """Those whose turn it may be; sleepers wake early rather than nobody at all."""
        for task in self.tasks:
            if task.state == "sleeping" and task.wakes <= self._clock.time:
                task.state = "ready"
        found = [task for task in self.tasks if task.state == "ready"]
        if found:
            return found
        sleepers = [task for task in self.tasks if task.state == "sleeping"]
        if not sleepers:
            return []
        first = min(sleepers, key=lambda task: (task.wakes, task.number))
        self._clock.time = max(self._clock.time, first.wakes)
        first.state = "ready"
        return [first]

    def active(self) -> Iterator[Task]:
        """Those that may still do something."""
        return (task for task in self.tasks if task.state in ("ready", "sleeping"))

    def turn(self, task: Task) -> None:
        """Let a task run until its next call to the outside, or its end."""
        self.current = task
        if task.thread is None:
            task.thread = Thread(target=self._run, args=(task,), daemon=True)
            task.thread.start()
        task.gate.release()
        if not self._baton.acquire(timeout=_STUCK):
            raise RuntimeError(f"{task.name} does not hand the baton back")
        self.current = None

    def pause(self) -> Task:
        """Called by whoever runs: let others go first."""
        task = self.current
        if task is None:
            raise RuntimeError("nobody's turn: a call from outside of every task")
        self._baton.release()
        task.gate.acquire()
        if task.doomed:
            raise Crash("the process ended")
        return task

    def sleep(self, seconds: float) -> None:
        """Let others go first until so much time has passed."""
        if self.current is None:
            self._clock.pass_(seconds)
            return
        self.current.wakes = self._clock.time + timedelta(seconds=seconds)
        self.current.state = "sleeping"
        self.pause()

    def hang(self) -> None:
        """Never return; the process is killed in the end."""
        if self.current is not None:
            self.current.state = "hung"
            self.pause()

    def kill(self, task: Task) -> None:
        """End a task where it stands, as `kill -9` does."""
        if task.state == "done":
            return
        task.doomed = True
        if task.thread is None:
            task.state, task.error = "done", Crash("never began")
            return
        while task.state != "done":
            self.turn(task)

    def _run(self, task: Task) -> None:
        task.gate.acquire()
        try:
            if not task.doomed:
                task.result = task.work()
        except BaseException as error:  # noqa: BLE001 (the run looks at it)
            task.error = error
        finally:
            task.state = "done"
            self._baton.release()
