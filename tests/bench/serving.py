"""Cold start and one-row latency of `predict`, beside an empty function and a plain handler.

The three take turns, round after round, so that a busy machine troubles all of them alike.
"""

from __future__ import annotations

import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from localdev.settings import BUCKETS, Addresses, config
from localdev.storage.process import StorageServer
from perennial.adapters.cloud_storage import CloudStorageStore, connect
from tests.bench.hosting import (
    HOST,
    FunctionProcess,
    environment,
    function_python,
    predict_process,
)
from tests.bench.report import Column, Section
from tests.bench.shop import PIPELINE, publish

RIVALS = Path(__file__).parent / "rivals"
PREDICT, EMPTY, DATAFRAME = "predict", "empty function", "functions-framework + pandas + joblib"

_TURN = 0.7  # seconds

Samples = Mapping[str, list[float]]


def run(directory: Path, rounds: int) -> list[Section]:
    """Measure everything.

    Args:
        directory: for state that is thrown away.
        rounds: turns that each subject takes.
    """
    bucket = BUCKETS["models"]
    with StorageServer(directory / "storage", buckets=[bucket]) as storage:
        client = connect(config(Addresses(storage=storage.url, run="")))
        body = publish(CloudStorageStore(client, bucket))
        subjects = _Subjects(directory, storage.url, body)
        return [subjects.cold_starts(rounds), *subjects.warm(rounds)]


class _Subjects:
    """The functions under test: how each is started, and what it is asked."""

    def __init__(self, directory: Path, storage_url: str, body: bytes) -> None:
        self._directory = directory
        self._storage_url = storage_url
        self._request = _request(f"/v1/models/{PIPELINE}:predict", body)
        self._make: Mapping[str, Callable[[], FunctionProcess]] = {
            PREDICT: lambda: predict_process(directory, storage_url),
            EMPTY: lambda: self._rival("empty", function_python("predict"), asgi=True),
            DATAFRAME: lambda: self._rival("dataframe", Path(sys.executable), asgi=False),
        }

    def cold_starts(self, rounds: int) -> Section:
        """Seconds from the start of a process to its first answer."""
        for make in self._make.values():  # compiles bytecode and warms the disk's cache
            _cold_start(make(), self._request)
        seconds: dict[str, list[float]] = {name: [] for name in self._make}
        for _ in range(rounds):
            for name, make in self._make.items():
                seconds[name].append(_cold_start(make(), self._request))
        columns = [Column("median s", _median(seconds)), _ratio(seconds)]
        title = f"cold start: process start to first prediction, {rounds} rounds"
        return Section(title, columns)

    def warm(self, rounds: int) -> Iterator[Section]:
        """Milliseconds for one row on one connection; then resident memory."""
        samples: dict[str, list[float]] = {name: [] for name in self._make}
        with ExitStack() as stack:
            processes = {n: stack.enter_context(make()) for n, make in self._make.items()}
            for process in processes.values():
                _turn(process, self._request, seconds=0.5)
            for _ in range(rounds):
                for name, process in processes.items():
                    samples[name] += _turn(process, self._request, seconds=_TURN)
            memory = {n: [p.resident_bytes() / 2**20] for n, p in processes.items()}
        percentile = {n: [statistics.quantiles(s, n=100)[98]] for n, s in samples.items()}
        columns = [Column("p50 ms", _median(samples)), _ratio(samples)]
        columns += [Column("p99 ms", _median(percentile))]
        yield Section(f"warm: one row, one connection, {rounds} turns of {_TURN} s", columns)
        yield Section("memory after that", [Column("resident MiB", _median(memory), digits=0)])

    def _rival(self, name: str, python: Path, *, asgi: bool) -> FunctionProcess:
        variables = environment(self._directory, self._storage_url)
        variables |= {"FUNCTION_TARGET": name, "MODEL_BUCKET": BUCKETS["models"]}
        variables.pop("THREADS")  # its defaults, as one would run it
        log = self._directory / f"{name}.log"
        return FunctionProcess(python, RIVALS / name, name, variables, log, asgi=asgi)


def _cold_start(process: FunctionProcess, request: bytes) -> float:
    began = time.perf_counter()
    with process, _calls(process) as call:
        call(request)
        return time.perf_counter() - began


def _turn(process: FunctionProcess, request: bytes, seconds: float) -> list[float]:
    """Milliseconds of each request, one after the other, on a connection of this turn's own."""
    samples = []
    with _calls(process) as call:
        call(request)
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            call(request)
            samples.append((time.perf_counter() - began) * 1e3)
    return samples


@contextmanager
def _calls(process: FunctionProcess) -> Iterator[Callable[[bytes], None]]:
    """A function that sends a request on one kept-alive connection and waits for the answer.

    A bare socket: an HTTP client would cost as much as what is measured.
    """
    process.connect().close()
    with socket.create_connection((HOST, process.port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def call(request: bytes) -> None:
            connection.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += _some(connection)
            head, _, body = answer.partition(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n", 1)[0]:
                raise RuntimeError(f"not a prediction: {answer[:500]!r}")
            length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            while len(body) < length:
                body += _some(connection)

        yield call


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise RuntimeError("the connection was closed before the answer ended")
    return data


def _request(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _median(samples: Samples) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in samples.items()}


def _ratio(samples: Samples) -> Column:
    """How many times as long as `predict` each takes."""
    medians = _median(samples)
    ratios = {name: value / medians[PREDICT] for name, value in medians.items()}
    return Column("times predict", ratios)
