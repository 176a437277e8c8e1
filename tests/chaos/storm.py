"""Thousands of files at once for one pipeline, and a single one for another.

In memory, through the real ingest and real training runs: what is shown is that each file is
judged and learned once, at a cost that does not grow with the number of files that came before,
and that the other pipeline's file neither waits for the storm's end to be judged nor to be served.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from perennial.adapters.clock import SystemClock
from perennial.adapters.memory import MemoryStore
from perennial.adapters.onnx_codec import OnnxCodec
from perennial.domain.names import FileId
from perennial.ports import Buckets
from perennial.workflows.apply import apply
from perennial.workflows.ingest import ingest
from perennial.workflows.registry import Registry
from perennial.workflows.sweep import sweep
from perennial.workflows.train import train
from perennial.workflows.trainer import Trainer
from tests.calls import Calls, Watched
from tests.chaos.findings import Findings, check_chain, check_files
from tests.chaos.load import DEFINITION, PIPELINE, content

HANDLERS = 2  # events handled at the same time
OTHER = "calm"
_ANOTHER_DAY = 12_000
_ROLES = ("landing", "quarantine", "data", "models")


@dataclass(slots=True)
class Weathered:
    """What came of a storm.

    Attributes:
        files: of the storm.
        seconds: from the first event to the last verdict.
        calls, listed: storage calls that ingest made for each file, and objects that it listed:
            means of the first tenth, and of the last.
        runs: training runs, by pipeline.
        judged_before: files of the storm with a verdict when the other pipeline's file had one.
        learned_before: files of the storm with a verdict when the other pipeline had a champion.
        trained_seconds: from the last verdict until everything was learned.
        findings: as after a run of the adversary.
    """

    files: int
    seconds: float = 0.0
    calls: tuple[float, float] = (0.0, 0.0)
    listed: tuple[float, float] = (0.0, 0.0)
    runs: Counter[str] = field(default_factory=Counter)
    judged_before: int = -1
    learned_before: int = -1
    trained_seconds: float = 0.0
    findings: Findings = field(default_factory=Findings)

    def table(self) -> str:
        """One table for people."""
        rows: list[tuple[str, object]] = [
            ("files at once", self.files),
            ("seconds until all were judged", round(self.seconds, 1)),
            ("storage calls for each, first tenth", round(self.calls[0], 1)),
            ("storage calls for each, last tenth", round(self.calls[1], 1)),
            ("objects listed for each, first tenth", round(self.listed[0], 1)),
            ("objects listed for each, last tenth", round(self.listed[1], 1)),
            ("seconds more until all were learned", round(self.trained_seconds, 1)),
            ("runs", self.runs[PIPELINE]),
            ("judged when the other pipeline's file was", self.judged_before),
            ("judged when the other pipeline had a champion", self.learned_before),
            ("files learned by the champion", self.findings.learned),
            ("lost", len(self.findings.lost)),
            ("doubled", len(self.findings.doubled)),
            ("wrong", len(self.findings.wrong)),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {value:>8}" for name, value in rows)


class Jobs:
    """Runs executions as threads, as many as are launched."""

    def __init__(self, work: Callable[[str, str], None]) -> None:
        self.launched: Counter[str] = Counter()
        self.failures: list[Exception] = []
        self._work = work
        self._threads: dict[str, threading.Thread] = {}

    def launch(self, pipeline: str, *, force: bool = False) -> str:
        self.launched[pipeline] += 1
        execution = f"{pipeline}-{self.launched[pipeline]}-{len(self._threads)}"
        thread = threading.Thread(target=self._run, args=(pipeline, execution), daemon=True)
        self._threads[execution] = thread
        thread.start()
        return execution

    def launch_task(self, task: str, pipeline: str, subject: str) -> str:
        raise NotImplementedError(f"no {task} is asked for in a storm")

    def has_ended(self, execution: str) -> bool:
        return not self._threads[execution].is_alive()

    def join(self) -> None:
        """Wait until nothing runs.

        Raises:
            Exception: what ended a run.
        """
        while alive := [one for one in list(self._threads.values()) if one.is_alive()]:
            alive[0].join()
        for failure in self.failures:
            raise failure

    def _run(self, pipeline: str, execution: str) -> None:
        try:
            self._work(pipeline, execution)
        except Exception as error:  # noqa: BLE001 (raised by `join`)
            self.failures.append(error)


class Storm:
    """A deployment in memory and the events that reach it.

    Args:
        files: how many.
        seed: of their order.
    """

    def __init__(self, files: int, seed: int = 0) -> None:
        self.outcome = Weathered(files)
        self._clock = SystemClock()
        self._calls = Calls()
        versioned = {role: role == "landing" for role in _ROLES}
        self.stores = {r: MemoryStore(r, self._clock, versioned=versioned[r]) for r in _ROLES}
        self._buckets = Buckets(**self.stores)
        counted: Any = {role: Watched(store, self._calls) for role, store in self.stores.items()}
        self._counted = Buckets(**counted)
        self._jobs = Jobs(self._train)
        self._registry = Registry(self.stores["models"], self._clock)
        self._random = Random(seed)
        self._judged = 0
        self._costs: list[tuple[int, int]] = []
        self._lock = threading.Lock()

    def run(self) -> Weathered:
        """Let it all arrive at once, and account for it."""
        for name in (PIPELINE, OTHER):
            text = DEFINITION.replace(f"name: {PIPELINE}", f"name: {name}")
            apply(self._buckets, self._registry, self._jobs, self._clock, text, by="ann")
        events = self._drop()
        began = time.perf_counter()
        handlers = [threading.Thread(target=self._handle, args=(events,)) for _ in range(HANDLERS)]
        for handler in handlers:
            handler.start()
        for handler in handlers:
            handler.join()
        self.outcome.seconds = time.perf_counter() - began
        self._jobs.join()
        sweep(self._buckets, self._registry, self._jobs, self._clock)
        self._jobs.join()
        self.outcome.trained_seconds = time.perf_counter() - began - self.outcome.seconds
        self.outcome.runs = self._jobs.launched
        tenth = max(self.outcome.files // 10, 1)
        ends = self._costs[:tenth], self._costs[-tenth:]
        first, last = ([sum(kind) / tenth for kind in zip(*end, strict=True)] for end in ends)
        self.outcome.calls, self.outcome.listed = (first[0], last[0]), (first[1], last[1])
        reader: Any = MemoryBuckets(self.stores)
        check_files(reader, (), self.outcome.findings)
        check_chain(reader, self.outcome.findings)
        if not 0 <= self.outcome.learned_before < self.outcome.files:
            self.outcome.findings.wrong.append(f"{OTHER} had to wait until the storm was over")
        return self.outcome

    def _drop(self) -> list[FileId]:
        """Everything lands; the events, in the order of their delivery, the last one first."""
        names = [f"{PIPELINE}/{n:06d}.csv" for n in range(self.outcome.files)]
        landing = self.stores["landing"]
        events = [
            FileId(landing.overwrite(name, content(n)).generation, name)
            for n, name in enumerate(names)
        ]
        self._random.shuffle(events)
        other = f"{OTHER}/a.csv"
        generation = landing.overwrite(other, content(_ANOTHER_DAY)).generation
        events.insert(len(events) // 10, FileId(generation, other))
        return events[::-1]

    def _handle(self, events: list[FileId]) -> None:
        while True:
            with self._lock:
                if not events:
                    return
                file = events.pop()
            # Two handlers share the counts; each file's cost may hold a part of another's.
            made, listed = len(self._calls.made), self._calls.listed
            ingest(self._counted, self._registry, self._clock, file, self._jobs)
            with self._lock:
                self._costs.append((len(self._calls.made) - made, self._calls.listed - listed))
                if file.name.startswith(OTHER):
                    self.outcome.judged_before = self._judged
                else:
                    self._judged += 1

    def _train(self, pipeline: str, execution: str) -> None:
        trainer = Trainer(
            self._buckets, self._registry, OnnxCodec(), self._jobs, self._clock, execution
        )
        train(trainer, pipeline)
        if pipeline == OTHER and self._registry.require(OTHER).champion:
            self.outcome.learned_before = self._judged


class MemoryBuckets:
    """Buckets in memory, as `bucket.Buckets` shows those of a process."""

    def __init__(self, stores: dict[str, MemoryStore]) -> None:
        self._stores = stores

    def list(self, role: str, prefix: str = "", *, versions: bool = False) -> list[dict[str, Any]]:
        return [
            {"name": info.name, "generation": str(info.generation), "metadata": info.metadata}
            | ({"timeDeleted": info.deleted.isoformat()} if info.deleted else {})
            for info in self._stores[role].list(prefix, versions=versions)
        ]

    def read(self, role: str, name: str, generation: int | None = None) -> bytes:
        return self._stores[role].read(name, generation=generation).data
