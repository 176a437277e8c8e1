"""What files with shuffled labels cost, and what gate, surprise and probation save: real runs.

    python -m tests.bench.wrong_labels bike --window 26 --shuffle 61 62
    python -m tests.bench.wrong_labels bike --window 26 --surprise off --probation return

Each file of the stream is judged and learned by a real training run on the in-memory store, one
after the other. Prints the progressive loss over the files whose labels are right, and every alert.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from perennial.adapters.memory import MemoryStore
from perennial.adapters.onnx_codec import OnnxCodec
from perennial.adapters.processors import pin_threads
from perennial.domain.definitions.definition import digest, parse
from perennial.domain.definitions.inference import infer_definition
from perennial.domain.evaluation.scoring import Score
from perennial.domain.names import FileId
from perennial.domain.versioning import registry as state
from perennial.ports import Buckets
from perennial.workflows.judging import judge
from perennial.workflows.ledger import progressive
from perennial.workflows.registry import Registry
from perennial.workflows.runs import Alert
from perennial.workflows.train import train
from perennial.workflows.trainer import Trainer

LABELS = {"bike": "cnt", "ytspam": "spam"}
FIRST = {"bike": 16, "ytspam": 6}


class Clock:
    """A clock that only moves when it is looked at."""

    def __init__(self) -> None:
        self._ticks = itertools.count()

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=next(self._ticks))

    def sleep(self, seconds: float) -> None:
        pass


class Launcher:
    """Starts nothing: the runs are called."""

    def launch(self, pipeline: str, *, force: bool = False) -> str:
        return ""

    def launch_task(self, task: str, pipeline: str, subject: str) -> str:
        return ""

    def has_ended(self, execution: str) -> bool:
        return False


class SmokelessCodec(OnnxCodec):
    """The real codec without the fresh process of the smoke gate."""

    def check_smoke(self, graph, manifest, instances, expected) -> None:
        pass


def shuffled(data: bytes, label: str, seed: int) -> bytes:
    """A CSV file whose labels belong to other rows."""
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    labels = [row[label] for row in rows]
    random.Random(seed).shuffle(labels)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(row | {label: value} for row, value in zip(rows, labels, strict=True))
    return out.getvalue().encode()


def follow(
    stream: str,
    files: list[Path],
    *,
    window: int | None,
    wrong: list[int],
    promotion: dict[str, object],
    first: int,
) -> tuple[Score, dict[str, int], list[tuple[int, Alert]]]:
    """Drop and learn a stream file by file.

    Args:
        stream: its name.
        files: its files, in order.
        window: files that a model learns from; None for all.
        wrong: numbers of the files whose labels are shuffled; the first file is 1.
        promotion: of the definition.
        first: files that do not count in the score.

    Returns:
        The score over the files with right labels, how the runs ended, and their alerts, each with
        the number of the file after which it came.
    """
    label, clock = LABELS[stream], Clock()
    stores = {name: MemoryStore(name) for name in ("quarantine", "data", "models")}
    buckets = Buckets(landing=MemoryStore("landing", versioned=True), **stores)
    registry = Registry(buckets.models, clock)
    trainer = Trainer(buckets, registry, SmokelessCodec(), Launcher(), clock)
    document = yaml.safe_load(
        infer_definition(stream, [(files[0].name, files[0].read_bytes())], label, None)
    )
    document.setdefault("promotion", {}).update(promotion)
    if window:
        document.setdefault("training", {})["window"] = {"files": window}
    text = yaml.safe_dump(document, sort_keys=False)
    registry.store_definition(parse(text).name, text)
    registry.commit(
        stream, lambda head: state.apply_definition(head, digest(text)), action="apply", by="bench"
    )
    outcomes: Counter[str] = Counter()
    alerts: list[tuple[int, Alert]] = []
    numbers = {}
    for number, path in enumerate(files, start=1):
        data = path.read_bytes()
        data = shuffled(data, label, number) if number in wrong else data
        info = buckets.landing.create(f"{stream}/{path.name}", data)
        file = FileId(info.generation, info.name)
        verdict = judge(buckets, registry, clock, file)
        if verdict.decision != "accepted":
            raise SystemExit(f"{path.name}: {verdict.reason}")
        numbers[file.stem] = number
        for run in train(trainer, stream):
            outcomes[run.outcome] += 1
            alerts += [(number, alert) for alert in run.alerts]
    scored = progressive(buckets.data, stream)
    right = [
        entry.score
        for stem, entry in scored.items()
        if numbers[stem] > first and numbers[stem] not in wrong
    ]
    return sum(right, Score()), dict(outcomes), alerts


def main() -> None:
    """Follow one stream under one policy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stream", choices=list(LABELS))
    parser.add_argument("--window", type=int, help="files to learn from; all when absent")
    parser.add_argument("--shuffle", type=int, nargs="*", default=[], metavar="N")
    parser.add_argument("--files", type=int, help="stop after so many")
    parser.add_argument("--surprise", default="4", help="width of the usual band, or off")
    parser.add_argument("--probation", choices=["off", "alert", "return"], default="alert")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    options = parser.parse_args()
    pin_threads(1)  # as the local cloud does: a thread too many makes fits wait for it
    files = sorted((options.data / options.stream / "files").iterdir())[: options.files]
    surprise = None if options.surprise == "off" else float(options.surprise)
    began = time.perf_counter()
    score, outcomes, alerts = follow(
        options.stream,
        files,
        window=options.window,
        wrong=options.shuffle,
        promotion={
            "surprise": surprise,
            "probation": None if options.probation == "off" else options.probation,
        },
        first=FIRST[options.stream],
    )
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in score.metrics().items())
    print(
        f"{options.stream}, window {options.window or 'all'}, wrong {options.shuffle}, surprise "
        f"{options.surprise}, probation {options.probation}: {metrics}; {outcomes}; "
        f"{time.perf_counter() - began:.0f} s"
    )
    for number, alert in alerts:
        print(f"  file {number}: {alert.kind}: {alert.message}")


if __name__ == "__main__":
    main()
