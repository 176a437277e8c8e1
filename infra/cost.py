"""What a deployment costs a month: `python infra/cost.py --files 100 --predictions 1000000`.

Sizes and intervals come from `deployment.yaml`, storage calls from tests that count them
(`test_storage_calls.py` in `tests/unit/training/` and `tests/unit/monitoring/`; of files with key
columns), unit prices from
Google's lists for us-central1 in November 2026, in dollars. Prices change: look again before you
rely on a figure.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path

import yaml

TABLE = yaml.safe_load((Path(__file__).parent / "deployment.yaml").read_text(encoding="utf-8"))
DAYS = 30
MONTH = DAYS * 24 * 3600.0  # seconds
MIB_PER_GIB = 1024


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a number of units, and how many of them are free each month."""

    dollars: float
    per: float = 1
    free: float = 0

    def of(self, amount: float) -> float:
        """What an amount costs."""
        return max(0.0, amount - self.free) / self.per * self.dollars


REQUEST_CPU = Price(0.000024, free=180_000)
REQUEST_MEMORY = Price(0.0000025, free=360_000)
REQUESTS = Price(0.40, per=1e6, free=2e6)
IDLE_CPU = Price(0.0000025)
JOB_CPU = Price(0.000018, free=240_000)
JOB_MEMORY = Price(0.000002, free=450_000)
CLASS_A = Price(0.005, per=1000)
CLASS_B = Price(0.0004, per=1000)
STORED = Price(0.020)
IMAGES = Price(0.10, free=0.5)
LOGS = Price(0.50, free=50)
SCHEDULED = Price(0.10, free=3)

INGEST_CALLS = (9, 8)
"""Class A and class B calls that judge one good file and look whether a run is due."""
RUN_CALLS = (19, 17)
"""Those of a training run that promotes, beside one read for each file that it learns from."""
NEW_FILE_CALLS = (1, 1)
"""Those of such a run for each file that is new to it: its score, and its verdict's statistics."""
KEY_CALLS = (2, 0)
"""What key columns add to such a run, beside one read for each segment of their index."""
SWEEP_CALLS = (5, 6)
"""Those of a sweep that finds one pipeline and nothing to do."""
SWEEP_PAGES = 2
"""Listings among them that grow, by a call for each thousand objects: landing and verdicts."""
LOOK_CALLS = (6, 4)
"""Those of monitor's look at one pipeline that finds nothing new."""
NEW_FILE_LOOK_CALLS = (3, 34)
"""Those of a look at a new file, beside: it reads the statistics of 32 files, what was learned
before them and the prediction log since, and is kept."""

INGEST_SECONDS = 2.0  # a cold start and a file of a MiB
SWEEP_SECONDS = 2.5  # and look
RUN_SECONDS = 30.0  # start, imports, two fits, gates
BILLED_SECONDS = 0.1  # a request is rounded up to this
IMAGES_GIB = 2.0
LOG_KIB = 1.0  # of a verdict, a run, a sweep


@dataclass(frozen=True, slots=True)
class Usage:
    """What a deployment is used for.

    Attributes:
        files: dropped a day.
        file_mib: size of one.
        trigger: files that start a run.
        window: files that a run learns from.
        predictions: asked for a day, evenly spread.
        batch: instances in one request.
        history: files that lie in landing already.
        warm: instances of predict that are kept when idle.
    """

    files: float = 0
    file_mib: float = 1
    trigger: float = 10
    window: float = 300
    predictions: float = 0
    batch: float = 1
    history: float = 0
    warm: float = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One item of the bill: dollars a month."""

    item: str
    amount: str
    dollars: float


def bill(usage: Usage) -> Iterator[Line]:
    """The items of a month's bill."""
    files = usage.files * DAYS
    runs = files / usage.trigger
    sweeps = DAYS * 24 * 60 / TABLE["sweep"]["every_minutes"]
    requests = usage.predictions * DAYS / usage.batch
    cpu, memory = _service_seconds(files, sweeps, requests)
    yield Line("functions: CPU", f"{cpu:,.0f} vCPU s", REQUEST_CPU.of(cpu))
    yield Line("functions: memory", f"{memory:,.0f} GiB s", REQUEST_MEMORY.of(memory))
    calls = files + sweeps + requests
    yield Line("functions: requests", f"{calls:,.0f}", REQUESTS.of(calls))
    yield _kept_warm(usage.warm, requests)
    job = TABLE["job"]["train"]
    cpu = runs * RUN_SECONDS * job["cpu"]
    memory = runs * RUN_SECONDS * job["memory_mib"] / MIB_PER_GIB
    yield Line("training: CPU", f"{cpu:,.0f} vCPU s", JOB_CPU.of(cpu))
    yield Line("training: memory", f"{memory:,.0f} GiB s", JOB_MEMORY.of(memory))
    pages = SWEEP_PAGES * (usage.history + files) // 1000
    written = files * (INGEST_CALLS[0] + NEW_FILE_CALLS[0])
    written += runs * (RUN_CALLS[0] + KEY_CALLS[0])
    written += sweeps * (SWEEP_CALLS[0] + LOOK_CALLS[0] + pages) + files * NEW_FILE_LOOK_CALLS[0]
    yield Line("storage: writes and listings", f"{written:,.0f}", CLASS_A.of(written))
    read = files * (INGEST_CALLS[1] + NEW_FILE_CALLS[1])
    segments = most_segments((usage.history + files) / usage.trigger)
    read += runs * (RUN_CALLS[1] + KEY_CALLS[1] + segments + usage.window)
    read += sweeps * (SWEEP_CALLS[1] + LOOK_CALLS[1]) + files * NEW_FILE_LOOK_CALLS[1]
    read += _lookups(requests)
    yield Line("storage: reads", f"{read:,.0f}", CLASS_B.of(read))
    # The original, and the accepted rows as Parquet, which are about half its size.
    stored = 1.5 * (usage.history + files) * usage.file_mib / MIB_PER_GIB
    yield Line("storage: a month's end", f"{stored:,.1f} GiB", STORED.of(stored))
    yield Line("container images", f"{IMAGES_GIB:,.1f} GiB", IMAGES.of(IMAGES_GIB))
    logs = (files + runs + sweeps) * LOG_KIB / MIB_PER_GIB**2
    yield Line("logs", f"{logs:,.2f} GiB", LOGS.of(logs))
    yield Line("scheduler", "1 job", SCHEDULED.of(1))


def most_segments(runs: float) -> int:
    """How many segments the key index has after so many runs, at most: as many as bits are set."""
    return (int(runs) + 1).bit_length() - 1


def _service_seconds(files: float, sweeps: float, requests: float) -> tuple[float, float]:
    """Seconds of vCPUs and of GiB that instances are busy."""
    busy = {
        "ingest": files * INGEST_SECONDS,
        "monitor": sweeps * SWEEP_SECONDS,
        "predict": _busy_seconds(requests),
    }
    functions = TABLE["functions"]
    return (
        sum(seconds * functions[name]["cpu"] for name, seconds in busy.items()),
        sum(s * functions[name]["memory_mib"] / MIB_PER_GIB for name, s in busy.items()),
    )


def _kept_warm(instances: float, requests: float) -> Line:
    """Instances that wait: their CPU costs a tenth then, their memory what it always costs."""
    seconds = max(0.0, instances * MONTH - _busy_seconds(requests))
    predict = TABLE["functions"]["predict"]
    dollars = IDLE_CPU.of(seconds * predict["cpu"])
    dollars += REQUEST_MEMORY.of(seconds * predict["memory_mib"] / MIB_PER_GIB)
    return Line("functions: kept warm", f"{seconds:,.0f} s", dollars)


def _busy_seconds(requests: float) -> float:
    """Seconds that one instance has a request in work; requests that overlap are billed once."""
    return min(MONTH, requests * BILLED_SECONDS)


def _lookups(requests: float) -> float:
    """Reads by which predict looks for a new champion: driven by requests, at most one a second."""
    return min(MONTH, requests)


def report(usage: Usage) -> str:
    """The bill as text."""
    lines = list(bill(usage))
    rows = [f"{line.item:<30} {line.amount:>20} {line.dollars:>9.2f}" for line in lines]
    total = sum(line.dollars for line in lines)
    return "\n".join([*rows, f"{'dollars a month':<30} {'':>20} {total:>9.2f}"])


def _some(text: str) -> float:
    return _number(text, 0)


def _at_least_one(text: str) -> float:
    return _number(text, 1)


def _number(text: str, least: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = nan
    if not least <= number < inf:
        raise argparse.ArgumentTypeError(f"expected a number from {least:g} on, found {text!r}")
    return number


def main(arguments: list[str] | None = None) -> int:
    """Print the bill for the usage that the command line states."""
    parser = argparse.ArgumentParser(prog="cost.py", description=__doc__)
    for name, default, read, words in (
        ("--files", 0, _some, "files that are dropped in a day"),
        ("--file-mib", 1, _some, "size of a file"),
        ("--trigger", 10, _at_least_one, "files that start a run"),
        ("--window", 300, _some, "files that a run learns from"),
        ("--predictions", 0, _some, "predictions that are asked for in a day"),
        ("--batch", 1, _at_least_one, "instances in one request"),
        ("--history", 0, _some, "files already in landing"),
        ("--warm", 0, _some, "predict instances kept when idle"),
    ):
        parser.add_argument(
            name, type=read, default=default, metavar="N", help=f"{words}; {default} by default"
        )
    sys.stdout.write(report(Usage(**vars(parser.parse_args(arguments)))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
