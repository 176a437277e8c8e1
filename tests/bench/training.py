"""What a training run costs beside its fits: ``python -m tests.bench.training``.

Each round drops a file, trains as the job does, in this process, and then makes the same fits, of
the same rows, in plain scikit-learn; so a busy machine troubles both alike.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

from localdev.settings import BUCKETS, VERSIONED, Addresses, config
from localdev.storage.process import StorageServer
from perennial.adapters.clock import SystemClock
from perennial.adapters.cloud_storage import CloudStorageStore, connect
from perennial.adapters.memory import MemoryStore
from perennial.adapters.onnx_codec import OnnxCodec
from perennial.adapters.processors import pin_threads
from perennial.adapters.surroundings import surroundings
from perennial.domain import names
from perennial.domain.definitions.definition import digest, parse
from perennial.domain.names import FileId
from perennial.domain.versioning import registry as state
from perennial.ports import Buckets
from perennial.workflows.judging import judge
from perennial.workflows.registry import Registry
from perennial.workflows.runs import RunRecord
from perennial.workflows.train import train
from perennial.workflows.trainer import Trainer
from perennial.workflows.versions import explain
from tests.bench.report import Column, Section, as_document, machine
from tests.bench.stream import DEFINITION, weeks

PIPELINE = "bike"
WINDOW = 26
STEPS = (
    "read", "score", "train", "duel", "importance", "refit", "export", "parity", "record", "smoke",
    "write",
)  # fmt: skip


class Nowhere:
    """A launcher of nothing: the run is made here."""

    def launch(self, pipeline: str, *, force: bool = False) -> str:
        return "never"

    def launch_task(self, task: str, pipeline: str, subject: str) -> str:
        return "never"

    def has_ended(self, execution: str) -> bool:
        return False


@dataclass
class Spent:
    """Seconds that something took; of a processor, those of the processes that it started too."""

    elapsed: float = 0.0
    processor: float = 0.0


@dataclass
class Measured:
    """What the rounds of one case took."""

    run: list[Spent] = field(default_factory=list)
    fits: list[Spent] = field(default_factory=list)
    steps: dict[str, list[float]] = field(default_factory=lambda: {step: [] for step in STEPS})
    lineage: int = 0
    record: int = 0

    def add(self, run: Spent, fits: Spent, record: RunRecord) -> None:
        self.run.append(run)
        self.fits.append(fits)
        for step in STEPS:
            self.steps[step].append(record.seconds.get(step, 0.0))

    def overhead(self, which: str) -> float:
        """Of `elapsed` or `processor` seconds, what the run took more than its fits."""
        pairs = zip(self.run, self.fits, strict=True)
        return statistics.median(getattr(a, which) - getattr(b, which) for a, b in pairs)

    def median(self, what: str) -> float:
        """Elapsed seconds of `run` or `fits`."""
        return statistics.median(one.elapsed for one in getattr(self, what))


class History:
    """A pipeline with so many files that its champion has learned, and some that are to come.

    Args:
        buckets: empty ones.
        files: of the history.
        more: files to come.
    """

    def __init__(self, buckets: Buckets, files: int, more: int) -> None:
        clock = SystemClock()
        self._buckets = buckets
        self._registry = Registry(buckets.models, clock)
        self._trainer = Trainer(
            buckets, self._registry, OnnxCodec(), Nowhere(), clock, environment=surroundings()
        )
        self.kind, coming = weeks(files + more)
        self._coming = enumerate(coming)
        self._frames: list[pd.DataFrame] = []
        self.apply(f"{{files: {WINDOW}}}")
        dropped = [self._upload() for _ in range(files)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self._judge, dropped))
        train(self._trainer, PIPELINE)

    def apply(self, window: str) -> None:
        """Put a window in force."""
        text = DEFINITION.format(name=PIPELINE, window=window)
        self._registry.store_definition(PIPELINE, text)
        self._registry.commit(
            PIPELINE, lambda head: state.apply_definition(head, digest(text)), action="apply", by=""
        )
        self._definition = parse(text)

    def measure(self, window: int | None, rounds: int) -> Measured:
        """Train that often, each time after one more file."""
        self.apply(f"{{files: {window}}}" if window else "all")
        found = Measured()
        for _ in range(rounds):
            self._judge(self._upload())
            with timed() as run:
                (record,) = train(self._trainer, PIPELINE)
            assert record.version, record.reason
            told = explain(self._registry, PIPELINE, record.version)["evaluation"]
            rows = pd.concat(self._frames[-(window or len(self._frames)) :], ignore_index=True)
            with timed() as fits:
                plain_fit(rows[: -told["held_out"]["rows"]])
                if told["refit"]:
                    plain_fit(rows)
            found.add(run, fits, record)
        version = names.version(PIPELINE, record.version, "lineage.json")
        found.lineage = self._buckets.models.stat(version).size
        found.record = self._buckets.data.stat(names.run(PIPELINE, record.run)).size
        return found

    def _upload(self) -> FileId:
        number, data = next(self._coming)
        self._frames.append(pd.read_csv(io.BytesIO(data), parse_dates=["event_time"]))
        info = self._buckets.landing.overwrite(f"{PIPELINE}/{number:05}.csv", data)
        return FileId(info.generation, info.name)

    def _judge(self, file: FileId) -> None:
        verdict = judge(self._buckets, self._registry, SystemClock(), file)
        assert verdict.decision == "accepted", verdict


def plain_fit(rows: pd.DataFrame) -> None:
    """The same model as one trains it who has the rows in a frame."""
    when = rows["event_time"].dt
    features = rows.drop(columns=["event_time", "cnt"]).assign(
        hour=when.hour, day=when.day_of_week, month=when.month
    )
    HistGradientBoostingRegressor(early_stopping=False, random_state=0).fit(features, rows["cnt"])


@contextmanager
def timed() -> Iterator[Spent]:
    """Gives what is spent, once it is."""
    spent = Spent()
    elapsed, processor = time.perf_counter(), _processor_seconds()
    yield spent
    spent.elapsed = time.perf_counter() - elapsed
    spent.processor = _processor_seconds() - processor


def _processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@contextmanager
def in_memory() -> Iterator[Buckets]:
    """Four buckets of this process."""
    yield Buckets(**{
        role: MemoryStore(name, versioned=name in VERSIONED) for role, name in BUCKETS.items()
    })  # fmt: skip


@contextmanager
def emulated() -> Iterator[Buckets]:
    """Four buckets of the local cloud's storage, through the real client."""
    with (
        TemporaryDirectory(prefix="perennial-bench-") as folder,
        StorageServer(Path(folder), buckets=list(BUCKETS.values())) as server,
    ):
        client = connect(config(Addresses(storage=server.url, run="")))
        yield Buckets(**{r: CloudStorageStore(client, name) for r, name in BUCKETS.items()})


STORES = {"memory": in_memory, "emulator": emulated}


def run(histories: Sequence[int], rounds: int, stores: Sequence[str]) -> list[Section]:
    """Measure every history on every store, with a window and on all of it."""
    found: dict[str, Measured] = {}
    for store in stores:
        for files in histories:
            with STORES[store]() as buckets:
                windows = [None] if files <= WINDOW else [WINDOW, None]
                history = History(buckets, files, more=rounds * len(windows))
                for window in windows:
                    span = f"last {window}" if window else "all"
                    case = f"{files} files ({history.kind}), {span}, {store}"
                    found[case] = history.measure(window, rounds)
    return [_totals(found, rounds), _steps(found), _documents(found)]


def _totals(found: Mapping[str, Measured], rounds: int) -> Section:
    fits = {case: one.median("fits") for case, one in found.items()}
    columns = [
        Column("run s", {case: one.median("run") for case, one in found.items()}),
        Column("fits in scikit-learn s", fits),
        Column("overhead s", {case: one.overhead("elapsed") for case, one in found.items()}),
        Column("promised at most s", {case: 0.1 * value + 1 for case, value in fits.items()}),
        # On a busy machine this is the surer figure.
        Column("in CPU s", {case: one.overhead("processor") for case, one in found.items()}),
    ]
    return Section(f"a training run beside the same fits, medians of {rounds} rounds", columns)


def _steps(found: Mapping[str, Measured]) -> Section:
    columns = [
        Column(step, {case: statistics.median(one.steps[step]) for case, one in found.items()})
        for step in STEPS
    ]
    rest = {
        case: statistics.median(
            total.elapsed - sum(steps)
            for total, *steps in zip(one.run, *one.steps.values(), strict=True)
        )
        for case, one in found.items()
    }  # fmt: skip
    columns.append(Column("listings, claim, commits", rest))
    return Section("where its seconds go", columns)


def _documents(found: Mapping[str, Measured]) -> Section:
    return Section(
        "what it writes of its history",
        [
            Column("lineage KiB", {case: one.lineage / 1024 for case, one in found.items()}, 0),
            Column("run record KiB", {case: one.record / 1024 for case, one in found.items()}, 0),
        ],
    )


def main() -> None:
    """Measure, and print tables or a JSON document."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.training", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="runs for each case")
    parser.add_argument(
        "--files", type=int, nargs="+", default=[10, 100, 1000], metavar="N", help="of history"
    )
    parser.add_argument("--stores", nargs="+", choices=STORES, default=list(STORES))
    options = parser.parse_args()
    pin_threads(1)  # as the local cloud does: a thread too many makes fits wait for it
    sections = run(options.files, options.rounds, options.stores)
    if options.json:
        print(json.dumps(as_document(sections), indent=1))
        return
    print(machine(), *sections, sep="\n\n")


if __name__ == "__main__":
    main()
