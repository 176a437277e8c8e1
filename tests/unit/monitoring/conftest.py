"""A pipeline in memory whose time can be set: real verdicts, references, ledgers and log lines.

What a training run leaves behind is written without training, so that a year of files is seconds.
"""

from __future__ import annotations

import io
import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from localdev.logsink import _entry as as_the_sink_writes_it
from perennial.adapters.memory import MemoryStore
from perennial.domain.definitions.definition import Definition, digest, parse
from perennial.domain.evaluation.measuring import Block, Measurement
from perennial.domain.evaluation.scoring import Score
from perennial.domain.judging.statistics import describe_columns
from perennial.domain.monitoring.report import Change, Watch
from perennial.domain.names import FileId
from perennial.domain.serving.prediction_log import Entry, Exchange
from perennial.domain.verdict import Decision, Verdict
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Claim, apply_definition
from perennial.ports import Buckets
from perennial.workflows import ledger
from perennial.workflows.monitoring.look import Lookout
from perennial.workflows.queue import accepted_files
from perennial.workflows.references import write_reference
from perennial.workflows.registry import Registry
from perennial.workflows.runs import Outcome, RunRecord, write_run
from perennial.workflows.verdicts import write_verdict
from tests.unit.launcher import Launcher

START = datetime(2026, 1, 5, 6, tzinfo=UTC)

DEFINITION = """
name: shop
task: binary
columns:
  id: {type: category, role: key}
  at: {type: timestamp, role: event_time}
  amount: {type: number}
  basket: {type: integer, nullable: true}
  channel: {type: category}
  bought: {type: integer, role: label, classes: [0, 1]}
serving:
  log: {features: 1.0, keys: true}
"""


class SetClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class World:
    """One pipeline and what is said of it."""

    text: str = DEFINITION
    clock: SetClock = field(default_factory=SetClock)
    launcher: Launcher = field(default_factory=Launcher)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    told: list[tuple[datetime, Change]] = field(default_factory=list)

    def __post_init__(self) -> None:
        def store(name: str) -> MemoryStore:
            return MemoryStore(name, self.clock, versioned=name == "landing")

        self.buckets = Buckets(
            landing=store("landing"), quarantine=store("quarantine"),
            data=store("data"), models=store("models"),
        )  # fmt: skip
        self.predictions = store("predictions")
        self.registry = Registry(self.buckets.models, self.clock)
        self.apply(self.text)

    @property
    def pipeline(self) -> str:
        return self.definition.name

    @property
    def data(self) -> MemoryStore:
        return self.buckets.data

    def apply(self, text: str) -> None:
        self.definition: Definition = parse(text)
        self.registry.store_definition(self.pipeline, text)
        self.registry.commit(
            self.pipeline, lambda head: apply_definition(head, digest(text)), action="apply", by="t"
        )

    def wait(self, **time: float) -> None:
        self.clock.time += timedelta(**time)

    def drop(
        self, rows: Mapping[str, Sequence[Any]] | pl.DataFrame, *, name: str = "",
        decision: Decision = "accepted",
    ) -> str:  # fmt: skip
        """A file with these rows, as ingest would leave it; its stem."""
        frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows)
        number = next(self.numbers)
        name = f"{self.pipeline}/{name or f'file{number:04d}.csv'}"
        info = self.buckets.landing.overwrite(name, b"rows")
        file = FileId(info.generation, name)
        rows_object = f"{self.pipeline}/rows/{file.stem}.parquet"
        sink = io.BytesIO()
        frame.write_parquet(sink)
        self.data.create(rows_object, sink.getvalue())
        columns = {n: c for n, c in self.definition.stored_columns.items() if n in frame.columns}
        write_verdict(
            self.data,
            Verdict(
                pipeline=self.pipeline, file=file, decision=decision, decided=self.clock.now(),
                sha256=file.stem, rows=frame.height, rows_object=rows_object,
                statistics=describe_columns(frame, columns),
            ),
        )  # fmt: skip
        return file.stem

    def run(
        self, outcome: Outcome = "promoted", *, seconds: float = 20, reason: str = "as ever",
        promote: bool = True, files: int = 1,
    ) -> str:  # fmt: skip
        """What a run of so many seconds leaves behind; its id."""
        started = self.clock.now()
        run = f"{started:%Y%m%dT%H%M%S%f}-{next(self.numbers):08x}"
        self.wait(seconds=seconds)
        head = self.registry.require(self.pipeline)
        considered = accepted_files(self.data, self.pipeline)
        write_reference(self.data, head, run, considered)
        version = None
        if outcome == "promoted" and promote:
            version = f"v{len(head.predecessors) + (head.champion is not None) + 1:06d}"
        write_run(
            self.data,
            RunRecord(
                self.pipeline, run, outcome, reason, started, self.clock.now(), "job-1", version,
                {"train": seconds * 0.8}, files, 100, head.champion,
                considered=tuple(file.file.stem for file in considered),
            ),
        )  # fmt: skip
        if version:
            self._promote(version, run)
        else:
            self._commit(last_run=run)
        return run

    def _promote(self, version: str, run: str) -> None:
        label = self.definition.columns[self.definition.label]
        stated = self.registry.write_version(
            Manifest(
                self.pipeline, version, self.definition.task, self.definition.label,
                label.classes or (), (), "", {}, run, None, "", 100, self.clock.now(),
                self.clock.now(), 0,
            ),
            {},
        )  # fmt: skip
        head = self.registry.require(self.pipeline)
        before = () if head.champion is None else (head.champion,)
        self._commit(
            last_run=run, champion=version, predecessors=(*before, *head.predecessors),
            statuses={**head.statuses, version: "approved"},
            manifests={**head.manifests, version: stated},
        )  # fmt: skip

    def claim(self, execution: str = "job-2", *, seconds: float = 7200) -> str:
        """A run takes the claim; its id."""
        run = f"{self.clock.now():%Y%m%dT%H%M%S%f}-{next(self.numbers):08x}"
        self._commit(claim=Claim(1, run, self.clock.now() + timedelta(seconds=seconds), execution))
        return run

    def release(self) -> None:
        self._commit(claim=None)

    def _commit(self, **changes: Any) -> None:
        self.registry.commit(
            self.pipeline, lambda head: replace(head, **changes), action="release", by="t"
        )

    def score(self, stem: str, loss: float, *, rows: int = 100, constant: float = 0.69) -> None:
        """The champion predicts a file with this mean loss."""
        metric, head = self.definition.metric, self.registry.require(self.pipeline)
        part = rows // 4
        measured = Measurement(
            Score(rows, {metric: loss * rows}),
            tuple(Block(part, loss * part * by) for by in (0.9, 1.0, 1.1, 1.0)),
            metric=metric, constant=constant,
        )  # fmt: skip
        entry = ledger.Entry(stem, head.champion or "v000001", self.clock.now(), measured)
        ledger.record(self.data, self.pipeline, entry)

    def ask(
        self, instances: Sequence[Mapping[str, Any]], predictions: Sequence[Any], *,
        holdout: bool = False,
    ) -> None:  # fmt: skip
        """A request and its answer, as the deployment's sink keeps them."""
        fields = [n for n, c in self.definition.columns.items() if c.role == "feature"]
        head = self.registry.require(self.pipeline)
        exchange = Exchange(
            f"r{next(self.numbers)}", self.pipeline, head.champion or "v000001", fields,
            [dict(one) for one in instances], predictions, self.clock.now(), 1.0,
            **({"holdout": True} if holdout else {}),
        )  # fmt: skip
        entry = Entry(exchange, self.definition.served, True, range(len(instances)))
        self.log(entry.line())

    def ask_about(self, rows: Mapping[str, Sequence[Any]], *, shift: float = 0.0) -> None:
        """A request for these rows of visits, answered as a model does that has learned them."""
        columns = ("id", "amount", "basket", "channel")
        count = len(rows["id"])
        instances = [{name: rows[name][place] for name in columns} for place in range(count)]
        self.ask(instances, [answer(one["amount"], shift) for one in instances])

    def log(self, line: bytes) -> None:
        """A line of predict's output, through the sink."""
        written = as_the_sink_writes_it(line, next(self.numbers))
        assert written is not None, line
        now = self.clock.now()
        place = f"run.googleapis.com/stdout/{now:%Y/%m/%d/%H:00:00_%H:59:59}"
        self.predictions.create(f"{place}_S{next(self.numbers):06d}.json", written[1])

    @property
    def lookout(self) -> Lookout:
        return Lookout(
            self.buckets, self.registry, self.launcher, self.clock, self.predictions
        ).reading_logs([self.pipeline])

    def look(self) -> Watch:
        """A tick's look; what changed is noted in `told`."""
        before = len(list(self.data.list(f"{self.pipeline}/monitoring/watches/")))
        watch = self.lookout.look(self.pipeline)
        assert not watch.errors, watch.errors
        if watch.number > before:
            self.told += [(self.clock.now(), change) for change in watch.changes]
        return watch

    def opened(self) -> list[tuple[str, str]]:
        """Kind and subject of every finding that was ever opened, in order."""
        return [change.finding.identity for _, change in self.told if change.what == "opened"]


def answer(amount: float, shift: float = 0.0) -> dict[str, Any]:
    """A prediction: who spends more, buys more often."""
    share = min(max(amount / 40 + shift, 0.02), 0.98)
    return {"label": int(share > 0.5), "probabilities": {"0": 1 - share, "1": share}}


def rows_of_visits(
    seed: object, count: int = 100, *, scale: float = 1.0,
    channels: Mapping[str, float] | None = None, nulls: float = 0.05, flip: bool = False,
) -> dict[str, list[Any]]:  # fmt: skip
    """Rows of a stationary shop: half of the visitors buy."""
    chance = random.Random(str(seed))
    names = channels or {"mail": 0.3, "shop": 0.4, "web": 0.2, "radio": 0.1}
    rows: dict[str, list[Any]] = {n: [] for n in ("id", "amount", "basket", "channel", "bought")}
    for number in range(count):
        amount = chance.gammavariate(2, 10)
        rows["id"].append(f"{seed}-{number}")
        rows["amount"].append(round(amount * scale, 2))
        rows["basket"].append(None if chance.random() < nulls else int(chance.expovariate(0.3)))
        rows["channel"].append(chance.choices([*names], [*names.values()])[0])
        rows["bought"].append(int((amount + chance.gauss(0, 8) > 17) ^ flip))
    return rows


@pytest.fixture
def visits() -> Callable[..., dict[str, list[Any]]]:
    """Makes rows of a stationary shop."""
    return rows_of_visits


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="session")
def worlds() -> Callable[..., World]:
    return World
