"""Ingest of one small file after a long history: ``python -m tests.bench.history``.

Pipelines that have accepted none, 1,000 and 10,000 files take turns at one more, in memory, where
nothing but the work counts, and on the local cloud's storage through the real client. History is
what real runs leave that ingest could look at: a verdict for each file, and of the last run its
head, its record and its reference.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from localdev.settings import BUCKETS, VERSIONED, Addresses, config
from localdev.storage.process import StorageServer
from perennial.adapters.clock import SystemClock
from perennial.adapters.memory import PAGE, MemoryStore
from perennial.domain import names
from perennial.domain.definitions.definition import digest, parse
from perennial.domain.judging.reference import NO_HISTORY
from perennial.domain.judging.validation import Judgement, judge_bytes
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.domain.versioning.registry import Head, Watermark
from perennial.ports import Buckets
from perennial.wiring.storage import open_buckets
from perennial.workflows.apply import apply
from perennial.workflows.ingest import ingest
from perennial.workflows.registry import Registry
from perennial.workflows.runs import RunRecord, write_run
from perennial.workflows.verdicts import write_verdict
from tests.bench import orders
from tests.bench.report import Column, Promise, Section, as_document, machine
from tests.calls import Calls, Watched
from tests.integration.ingest.world import Launcher, crown

ROWS = 168
HISTORIES = (0, 1_000, 10_000)
LONGER = 1.1
"""Times what ingest takes without a history (DESIGN, section 10)."""

DEFINITION = orders.DEFINITION + "training: {min_rows: 100}\n"
_PIPELINE = parse(DEFINITION).name
_FIRST = 1_700_000_000_000_000  # a generation: in November 2023
_HOUR = 3_600_000_000
_KINDS = 20
"""So many different files make up a history; more would hardly change the reference."""

_READS = ("stat", "read", "download")
_RUN = "20240101T000000-bench"


@dataclass
class Requests(Calls):
    """The calls of one pipeline's ingest, by what they are charged as: a page of a list is one."""

    counts: Counter[str] = field(default_factory=Counter)

    def around(self, bucket: str, method: str, call: Callable[[], Any]) -> Any:
        """Make the call and count it."""
        result = super().around(bucket, method, call)
        if method == "list":
            self.counts["lists"] += max(1, -(-len(result) // PAGE))
        else:
            self.counts["reads" if method in _READS else "writes"] += 1
        return result


class Pipeline:
    """A pipeline that has accepted so many files, in four buckets of its own."""

    def __init__(self, buckets: Buckets, files: int, directory: Path) -> None:
        self.requests = Requests()
        self._bare = buckets
        watched = {role: Watched(getattr(buckets, role), self.requests) for role in BUCKETS}
        self._buckets: Any = Buckets(**watched)
        self._clock = SystemClock()
        self._launcher: Any = Launcher()
        self._registry = Registry(self._buckets.models, self._clock)
        apply(self._buckets, self._registry, self._launcher, self._clock, DEFINITION, by="bench")
        if files:
            self._remember(files, directory)

    def take(self, name: str, data: bytes) -> tuple[float, float]:
        """Seconds of one more file's ingest, and of this process's processors for it.

        Its calls are added to `requests`.

        Raises:
            RuntimeError: when it is not accepted.
        """
        generation = self._bare.landing.overwrite(name, data).generation
        began, busy = time.perf_counter(), time.process_time()
        verdict = ingest(
            self._buckets, self._registry, self._clock, FileId(generation, name), self._launcher
        )
        taken = time.perf_counter() - began, time.process_time() - busy
        if verdict.decision != "accepted":
            raise RuntimeError(f"expected an accepted file, found {verdict.reason}")
        return taken

    def _remember(self, files: int, directory: Path) -> None:
        definition = parse(DEFINITION)
        kinds = [
            judge_bytes(definition, "orders.csv", small_file(directory, kind))
            for kind in range(min(files, _KINDS))
        ]
        verdicts = [_accepted(number, kinds[number % len(kinds)]) for number in range(files)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda verdict: write_verdict(self._bare.data, verdict), verdicts))
        last = verdicts[-1].file
        reference = NO_HISTORY.folding(kind.statistics for kind in kinds)
        self._bare.data.create(
            names.reference(_PIPELINE, _RUN), replace(reference, files=files).to_json()
        )
        record = RunRecord(
            _PIPELINE, _RUN, "promoted", "", last.arrived, last.arrived,
            considered=tuple(verdict.file.stem for verdict in verdicts),
        )  # fmt: skip
        write_run(self._bare.data, record)
        crown(_PIPELINE, self._bare)

        def learn(head: Head) -> Head:
            reached = verdicts[-1].last_event
            watermark = Watermark(reached or last.arrived, last.generation)
            return replace(
                head, learned_through=last.generation, last_run=_RUN, watermark=watermark
            )

        registry = Registry(self._bare.models, self._clock)
        registry.commit(_PIPELINE, learn, action="release", by=f"run {_RUN}")


def small_file(directory: Path, seed: int) -> bytes:
    """A good file of a week of hours; of each seed another."""
    path = directory / "small.csv"
    orders.write(path, ROWS, 0, seed=seed)
    return path.read_bytes()


def measure(pipelines: dict[int, Pipeline], directory: Path, rounds: int, where: str) -> Section:
    """Let every pipeline ingest one more file, in turns.

    Args:
        pipelines: by the length of their history.
        directory: for what is thrown away.
        rounds: files that each takes, after one that warms up.
        where: what the buckets are.
    """
    seconds: dict[int, list[tuple[float, float]]] = {files: [] for files in pipelines}
    for number in range(rounds + 1):
        data = small_file(directory, 10**6 + number)
        for files, pipeline in pipelines.items():
            if number == 1:
                pipeline.requests.counts.clear()
            taken = pipeline.take(f"{_PIPELINE}/{number:06d}.csv", data)
            if number:
                seconds[files].append(taken)
    named = {files: f"{files:,} files of history" if files else "none" for files in pipelines}
    columns = [
        Column(
            f"{kind} a file",
            {named[f]: one.requests.counts[kind] / rounds for f, one in pipelines.items()},
        )
        for kind in ("reads", "writes", "lists")
    ]
    calls = {named[f]: one.requests.counts.total() / rounds for f, one in pipelines.items()}
    medians, busy = (
        {named[f]: 1e3 * statistics.median(t[clock] for t in taken) for f, taken in seconds.items()}
        for clock in (0, 1)
    )
    least = medians[named[min(pipelines)]]
    columns += [
        Column("calls a file", calls),
        Column("processor ms", busy),
        Column("median ms", medians),
        Column("times none", {name: value / least for name, value in medians.items()}),
    ]
    title = f"ingest of one file of {ROWS} rows, {where}, {rounds} rounds"
    return Section(title, columns)


@contextmanager
def in_memory(histories: Sequence[int], directory: Path) -> Iterator[dict[int, Pipeline]]:
    """A pipeline for each history, in memory."""
    yield {
        files: Pipeline(
            Buckets(**{role: MemoryStore(role, versioned=role in VERSIONED) for role in BUCKETS}),
            files,
            directory,
        )
        for files in histories
    }


@contextmanager
def emulated(histories: Sequence[int], directory: Path) -> Iterator[dict[int, Pipeline]]:
    """A pipeline for each history, each on an emulator of its own."""
    named = [f"{name}{':versioned' if role in VERSIONED else ''}" for role, name in BUCKETS.items()]
    with ExitStack() as stack:
        pipelines = {}
        for files in histories:
            server = StorageServer(directory / f"storage-{files}", buckets=named)
            stack.enter_context(server)
            buckets = open_buckets(config(Addresses(storage=server.url, run="http://127.0.0.1:9")))
            pipelines[files] = Pipeline(buckets, files, directory)
        yield pipelines


def promises(sections: Sequence[Section]) -> list[Promise]:
    """What DESIGN says of these sections: of the longest history, beside none."""
    kept = []
    for section in sections:
        *_, calls, _, _, times = (list(column.figures.values()) for column in section.columns)
        where = section.title.split(", ")[1]
        # One more than without: the reference of what came before is read, however long it is.
        kept.append(
            Promise(f"{where}: storage calls with the longest history", calls[0] + 1, calls[-1])
        )
        kept.append(Promise(f"{where}: its time, times that with none", LONGER, times[-1]))
    return kept


def run(directory: Path, histories: Sequence[int], rounds: int) -> list[Section]:
    """Measure in memory and on the emulator."""
    sections = []
    for make, where in ((in_memory, "in memory"), (emulated, "on the local cloud's storage")):
        with make(histories, directory) as pipelines:
            sections.append(measure(pipelines, directory, rounds, where))
    return sections


def main() -> None:
    """Measure, and print tables or a JSON document."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.history", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument("--rounds", type=int, default=30, metavar="N", help="files for each")
    parser.add_argument("--files", type=int, nargs="+", default=HISTORIES, metavar="N")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="perennial-bench-") as directory:
        sections = run(Path(directory), sorted(options.files), options.rounds)
    kept = promises(sections)
    if options.json:
        print(json.dumps(as_document(sections, kept), indent=1))
        return
    print(machine(), *sections, "\n".join(map(str, kept)), sep="\n\n")


def _accepted(number: int, judgement: Judgement) -> Verdict:
    """The verdict on a file of the past."""
    file = FileId(_FIRST + number * _HOUR, f"{_PIPELINE}/past/{number:06d}.csv")
    sha256 = digest(file.name)
    return Verdict(
        _PIPELINE, file, "accepted", datetime.now(UTC), definition=digest(DEFINITION),
        sha256=sha256, size=16_000, rows=judgement.rows,
        rows_object=names.rows(_PIPELINE, sha256, "0" * 16),
        first_event=judgement.first_event, last_event=judgement.last_event,
        statistics=judgement.statistics,
    )  # fmt: skip


if __name__ == "__main__":
    main()
