"""Cold start, latency, throughput and memory of `predict`, beside an empty function and rivals.

All take turns, round after round, so that a busy machine troubles all of them alike. A rival that
cannot be installed or does not answer is named, not measured.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd

from localdev.settings import BUCKETS, Addresses, config
from localdev.storage.process import StorageServer
from perennial.adapters.cloud_storage import CloudStorageStore, connect
from tests.bench import load
from tests.bench.hosting import ServerProcess
from tests.bench.report import Column, Floor, Promise, Section
from tests.bench.shop import publish
from tests.bench.subjects import (
    DATAFRAME,
    EMPTY,
    MLFLOW,
    PREDICT,
    Subject,
    foreign,
    ours,
)

CONNECTIONS = (1, 16, 64)
ROWS = (1, 100)

_TURN = 0.7  # seconds

Samples = dict[str, list[float]]


def run(directory: Path, rounds: int) -> tuple[list[Section], dict[str, str]]:
    """Measure everything.

    Args:
        directory: for state that is thrown away.
        rounds: turns that each subject takes.

    Returns:
        The figures, and why subjects are not among them.
    """
    bucket = BUCKETS["models"]
    with StorageServer(directory / "storage", buckets=[bucket]) as storage:
        client = connect(config(Addresses(storage=storage.url, run="")))
        rows = publish(CloudStorageStore(client, bucket))
        rivals, absent = foreign(directory, rows)
        measured = _Measured({**ours(directory, storage.url), **rivals}, rows, absent)
        return [measured.cold_starts(rounds), *measured.warm(rounds)], absent


def promises(sections: list[Section]) -> list[Promise | Floor]:
    """What DESIGN (section 10) promises of these figures, as far as its rivals were measured."""
    cold, one_row, _, rates, memory = (section.columns for section in sections)
    kept: list[Promise | Floor] = []

    def at_most(what: str, most: float, figures: Mapping[str, float], rival: str) -> None:
        kept.append(Promise(what, most, figures[PREDICT] / figures[rival]))

    def at_least(what: str, least: float, figures: Mapping[str, float], rival: str) -> None:
        if rival in figures:
            kept.append(Floor(f"{what} of {rival}", least, figures[rival] / figures[PREDICT]))

    at_most("cold start, times an empty function's", 2.5, cold[0].figures, EMPTY)
    at_least("cold start, times faster than that", 5, cold[0].figures, DATAFRAME)
    at_least("cold start, times faster than that", 15, cold[0].figures, MLFLOW)
    at_most(
        "one row, one connection, p50, times an empty function's", 1.3, one_row[0].figures, EMPTY
    )
    at_least(
        "one row, one connection, p50, times faster than that", 15, one_row[0].figures, DATAFRAME
    )
    busy = {name: 1 / rate for name, rate in rates[CONNECTIONS.index(16)].figures.items()}
    at_least("16 connections, times the requests per second", 20, busy, DATAFRAME)
    kept.append(Promise("resident memory, MB", 100, memory[0].figures[PREDICT] * 2**20 / 1e6))
    return kept


class _Measured:
    """Turns of all subjects, of which rivals that fail drop out."""

    def __init__(
        self, subjects: dict[str, Subject], rows: pd.DataFrame, absent: dict[str, str]
    ) -> None:
        self._subjects = subjects
        self._rows = rows
        self._absent = absent
        self._requests = {
            (name, count): subject.request(rows.head(count))
            for name, subject in subjects.items()
            for count in ROWS
        }

    def cold_starts(self, rounds: int) -> Section:
        """Seconds from the start of a process to its first answer."""
        for name in list(self._subjects):  # compiles bytecode and warms the disk's cache
            self._try(name, lambda name=name: self._cold_start(name))
        seconds: Samples = {}
        for _ in range(rounds):
            for name in list(self._subjects):
                found = self._try(name, lambda name=name: self._cold_start(name))
                seconds.setdefault(name, []).extend(found)
        seconds = self._still(seconds)
        title = f"cold start: process start to first prediction, {rounds} rounds"
        return Section(title, [Column("median s", _median(seconds)), _ratio(_median(seconds))])

    def warm(self, rounds: int) -> Iterator[Section]:
        """Latency of small and larger requests, then throughput; then resident memory."""
        latencies: dict[int, Samples] = {count: {} for count in ROWS}
        rates: dict[int, Samples] = {connections: {} for connections in CONNECTIONS}
        with ExitStack() as stack:
            running = {n: stack.enter_context(s.make()) for n, s in self._subjects.items()}
            for name in list(running):
                self._try(name, lambda process=running[name]: _listens(process))
            self._compare(running)
            for number in range(rounds):
                for name in list(self._subjects):
                    port = running[name].port
                    for count, samples in latencies.items():
                        asked = self._requests[name, count]
                        found = self._try(
                            name, lambda p=port, a=asked: load.one_by_one(p, a, _TURN)
                        )
                        samples.setdefault(name, []).extend(found)
                    asked = self._requests[name, 1]
                    for connections, samples in rates.items():
                        found = self._try(
                            name,
                            lambda p=port, a=asked, c=connections: [
                                load.throughput(p, a, c, _TURN)
                            ],
                        )
                        samples.setdefault(name, []).extend(found)
                print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
            memory = {n: running[n].resident_bytes() / 2**20 for n in self._subjects}
        for count, samples in latencies.items():
            yield _latency(self._still(samples), f"{count} row{'s' * (count > 1)}", rounds)
        medians = {c: _median(self._still(samples)) for c, samples in rates.items()}
        columns = [Column(f"at {c}", figures, 0) for c, figures in medians.items()]
        columns += [_ratio(medians[16], "times predict, at 16")]
        yield Section("requests per second of one row, by number of connections", columns)
        yield Section("memory after that", [Column("resident MiB", memory, digits=0)])

    def _cold_start(self, name: str) -> list[float]:
        began = time.perf_counter()
        with self._subjects[name].make() as process:
            process.connect().close()
            with load.connection(process.port) as one:
                load.predicted(one.ask(self._requests[name, 1]))
            return [time.perf_counter() - began]

    def _compare(self, running: Mapping[str, ServerProcess]) -> None:
        """Hold rivals, which serve one model, to the same answers: none wins by doing less.

        Raises:
            SystemExit: two of them differ.
        """
        answers: Samples = {}
        for name in list(self._subjects):
            if name not in (PREDICT, EMPTY):
                port, asked = running[name].port, self._requests[name, 100]
                answers[name] = self._try(name, lambda p=port, a=asked: _probabilities(p, a))
        (first, expected), *others = self._still(answers).items()
        for name, found in others:
            if not np.allclose(found, expected, atol=1e-6):
                raise SystemExit(f"{first} and {name} answer differently")

    def _try(self, name: str, measure: Callable[[], list[float]]) -> list[float]:
        """The figures; none of a subject that has dropped out, or drops out now."""
        if name not in self._subjects:
            return []
        try:
            return measure()
        except (RuntimeError, OSError) as error:
            if name in (PREDICT, EMPTY):
                raise
            self._absent[name] = " ".join(str(error).split())[-300:]
            del self._subjects[name]
            return []

    def _still(self, samples: Samples) -> Samples:
        return {name: samples[name] for name in self._subjects if name in samples}


def _listens(process: ServerProcess) -> list[float]:
    process.connect().close()
    return []


def _probabilities(port: int, asked: bytes) -> list[float]:
    """Of the second class, for each row."""
    with load.connection(port) as one:
        body = load.predicted(one.ask(asked)).body
    return [row[1] for row in json.loads(body)["predictions"]]


def _latency(samples: Samples, rows: str, rounds: int) -> Section:
    percentile = {
        n: statistics.quantiles(s, n=100, method="inclusive")[98] for n, s in samples.items()
    }
    columns = [Column("p50 ms", _median(samples)), _ratio(_median(samples))]
    columns += [Column("p99 ms", percentile)]
    return Section(f"warm: {rows}, one connection, {rounds} turns of {_TURN} s", columns)


def _median(samples: Samples) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in samples.items()}


def _ratio(medians: Mapping[str, float], title: str = "times predict") -> Column:
    return Column(title, {name: value / medians[PREDICT] for name, value in medians.items()})
