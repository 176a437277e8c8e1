"""Memory and time of judging one large file: ``python -m tests.bench.reading``.

Each case is one fresh process that does what the ingest function does with an event: it is told a
generation, reads the object from the local cloud's storage, judges it and writes its rows and its
verdict. Its most resident memory, interpreter and libraries included, is set beside the memory
that the deployment gives the function.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import count, product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from localdev.settings import (
    BUCKETS,
    FUNCTIONS,
    VERSIONED,
    Addresses,
    config,
    deployment,
    platform,
)
from localdev.storage.process import StorageServer
from perennial.adapters.clock import SystemClock
from perennial.ports import Buckets
from perennial.wiring.storage import open_buckets
from perennial.workflows.apply import apply
from perennial.workflows.registry import Registry
from tests.bench.report import Column, Section, as_document, machine
from tests.integration.ingest.world import Launcher

MIB = 1 << 20
FORMATS = (".csv", ".csv.gz", ".parquet", ".jsonl")
_BLOCK_ROWS = 100_000

DEFINITION = """
name: wide
task: binary
columns:
{numbers}{integers}  c0: {{type: category, rules: [{{allowed: [a, bb, ccc]}}]}}
  c1: {{type: category}}
  t: {{type: timestamp, role: event_time}}
  y: {{type: integer, role: label, classes: [0, 1]}}
training: {{trigger: {{files: 1000}}}}
""".format(
    numbers="".join(
        f"  n{i}: {{type: number, rules: [{{range: [-100, 100]}}]}}\n" for i in range(6)
    ),
    integers="".join(f"  i{i}: {{type: integer}}\n" for i in range(4)),
)

INGEST = """
import json, os, sys, threading, time
import functions_framework
from perennial.domain.names import FileId
from perennial.wiring.ingest import connect
def resident(what):
    for line in open("/proc/self/status"):
        if line.startswith(what):
            return int(line.split()[1]) / 1024
run = connect(os.environ)
at_rest = resident("VmRSS")
found = []
files = [FileId(int(g), n) for g, n in zip(sys.argv[1::2], sys.argv[2::2])]
threads = [threading.Thread(target=lambda file=file: found.append(run(file))) for file in files]
began = time.perf_counter()
for thread in threads: thread.start()
for thread in threads: thread.join()
seconds = time.perf_counter() - began
verdicts = [[v.decision, v.reason, v.rows] for v in found]
print(json.dumps([verdicts, at_rest, resident("VmHWM"), seconds]))
"""


def blocks() -> Iterator[pl.DataFrame]:
    """Rows of 14 columns without end: six numbers, four integers, two categories, time, label."""
    random = np.random.default_rng(0)
    began = 0
    while True:
        n = _BLOCK_ROWS
        seconds = pl.int_range(began, began + n, eager=True) + 1_735_689_600
        columns = {f"n{i}": np.round(random.normal(10, 3, n), 3) for i in range(6)}
        columns |= {f"i{i}": random.integers(0, 1000, n) for i in range(4)}
        columns |= {"c0": random.choice(["a", "bb", "ccc"], n)}
        columns |= {"c1": random.choice(["red", "green", "blue", "white"], n)}
        time = pl.from_epoch(seconds).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        yield pl.DataFrame(columns).with_columns(t=time, y=pl.Series(random.integers(0, 2, n)))
        began += n


def make(suffix: str, size: int) -> bytes:
    """A file of at most so many bytes, once unpacked, and not many fewer."""
    if suffix == ".parquet":
        return _parquet(size)
    out = io.BytesIO()
    for block in blocks():
        text = io.BytesIO()
        if suffix == ".jsonl":
            block.write_ndjson(text)
        else:
            block.write_csv(text, include_header=not out.tell())
        lines = text.getvalue()
        if out.tell() + len(lines) > size:
            out.write(lines[: lines.rindex(b"\n", 0, size - out.tell()) + 1])
            break
        out.write(lines)
    return gzip.compress(out.getvalue(), 1) if suffix.endswith(".gz") else out.getvalue()


def _parquet(size: int) -> bytes:
    """Row groups as other programs write them, until the next might be one too many."""
    out = io.BytesIO()
    writer: pq.ParquetWriter | None = None
    decoded = 0
    for block in blocks():
        table = block.to_arrow()
        decoded += table.nbytes
        if decoded > size:
            break
        writer = writer or pq.ParquetWriter(out, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()
    return out.getvalue()


def measure(sizes: Sequence[int], suffixes: Sequence[str], at_once: int) -> Section:
    """Each format at each size, in mebibytes once unpacked, alone and several at once."""
    found: dict[str, list[float]] = {}
    limit = next(one.memory_mib for one in FUNCTIONS if one.name == "ingest")
    named = [f"{name}{':versioned' if role in VERSIONED else ''}" for role, name in BUCKETS.items()]
    with (
        TemporaryDirectory(prefix="perennial-bench-") as folder,
        StorageServer(Path(folder), buckets=named) as server,
    ):
        addresses = Addresses(storage=server.url, run="http://127.0.0.1:9")
        buckets = open_buckets(config(addresses))
        clock = SystemClock()
        apply(buckets, Registry(buckets.models, clock), Launcher(), clock, DEFINITION, by="bench")
        for size, suffix in product(sizes, suffixes):
            data = make(suffix, size * MIB)
            for number in sorted({1, at_once}):
                case = f"{suffix}, {size} MiB" + (f", {number} at once" if number > 1 else "")
                found[case] = _judge(buckets, addresses, suffix, data, number)
                print(case, *found[case], file=sys.stderr, flush=True)
    titles = ("at rest MiB", "peak MiB", "seconds", "rows")
    columns = [
        Column(
            title, {case: figures[place] for case, figures in found.items()}, digits=int(place == 2)
        )
        for place, title in enumerate(titles)
    ]
    columns.append(Column("limit MiB", dict.fromkeys(found, limit), 0))
    return Section("memory of ingest, judging a file of 14 columns", columns)


def _judge(
    buckets: Buckets, addresses: Addresses, suffix: str, data: bytes, times: int
) -> list[float]:
    """What one process takes that is told of so many such files at once.

    Raises:
        AssertionError: when it does not accept them all.
    """
    told = []
    for number in range(times):
        # A line of another generation, so that no file is a duplicate.
        name = f"wide/{times}-{number}-{len(data)}{suffix}"
        info = buckets.landing.overwrite(name, data if times == 1 else _another(suffix, data))
        told += [str(info.generation), name]
    function = next(one for one in FUNCTIONS if one.name == "ingest")
    variables = deployment(addresses) | platform(function, 0) | os.environ
    done = subprocess.run(
        [sys.executable, "-c", INGEST, *told],
        env=variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    verdicts, at_rest, peak, seconds = json.loads(done.stdout.splitlines()[-1])
    assert all(decision == "accepted" for decision, *_ in verdicts), verdicts
    return [at_rest, peak, seconds, sum(rows for *_, rows in verdicts)]


_others = count(1)


def _another(suffix: str, data: bytes) -> bytes:
    """The same rows in other bytes."""
    blank = b"\n" * next(_others)
    if suffix.endswith(".gz"):
        return data + gzip.compress(blank)
    return data + blank if suffix != ".parquet" else data


def main() -> None:
    """Measure, and print a table or a JSON document."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.reading", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 255], metavar="MIB")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--at-once", type=int, default=1, metavar="N", help="so many, too")
    options = parser.parse_args()
    section = measure(options.sizes, options.formats, options.at_once)
    if options.json:
        print(json.dumps(as_document([section]), indent=1))
        return
    print(machine(), section, sep="\n\n")


if __name__ == "__main__":
    main()
