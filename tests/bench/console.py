"""How fast the console's pages are with a long history: ``python -m tests.bench.console``.

One version and one file are made by real training; they are then copied under many names into the
storage emulator, as many as a pipeline has after years. Each page is asked again and again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from infra.bundle import build
from localdev.settings import BUCKETS, VERSIONED, Addresses, config
from localdev.storage.process import StorageServer
from perennial.domain import names
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.domain.versioning.registry import Head
from perennial.ports import Buckets
from perennial.wiring.storage import open_buckets
from perennial.workflows.at_once import at_once
from perennial.workflows.ledger import Entry, entries, record
from perennial.workflows.registry import Registry
from perennial.workflows.runs import RunRecord, list_runs, read_run, write_run
from perennial.workflows.verdicts import list_in_force, verdict_in_force, write_verdict
from tests.bench.hosting import FunctionProcess, environment, function_python
from tests.bench.report import machine
from tests.unit.training.conftest import made_taps

PAGES = (
    "/", "/p/taps", "/p/taps/versions", "/p/taps/versions?page=9", "/p/taps/versions/v000001",
    "/p/taps/compare", "/p/taps/files", "/p/taps/files?q=day&page=100", "/p/taps/quarantine",
    "/p/taps/findings", "/p/taps/runs", "/p/taps/history",
)  # fmt: skip


def copied(buckets: Buckets, versions: int, files: int) -> None:
    """Fill buckets with a pipeline of so many versions and files."""
    taps = made_taps()
    for _ in range(2):
        taps.drop()
        taps.train()
    made = taps.trainer.buckets
    for store, to in ((made.models, buckets.models), (made.data, buckets.data)):
        for info in store.list():
            if not info.name.endswith("head.json"):
                held = store.read(info.name)
                to.create(info.name, held.data, metadata=store.stat(info.name).metadata)
    *_, summary = list_in_force(made.data, "taps")
    verdict = verdict_in_force(made.data, "taps", summary.file)
    assert verdict is not None
    *_, entry = entries(made.data, "taps")
    *_, last = list_runs(made.data, "taps")
    run = read_run(made.data, "taps", last["run"])
    at_once(lambda n: _file(buckets, verdict, entry, n, versions), range(1, files))
    at_once(lambda n: _version(buckets, taps.registry, run, n), range(3, versions + 1))
    _head(buckets, taps.head, versions)


def _file(buckets: Buckets, verdict: Verdict, entry: Entry, n: int, versions: int) -> None:
    file = FileId(verdict.file.generation + 3_600_000_000 * n, f"taps/day{n}.csv")
    held = n % 100 == 0
    write_verdict(
        buckets.data,
        replace(
            verdict,
            file=file,
            decided=verdict.decided + timedelta(hours=n),
            decision="quarantined" if held else "accepted",
            reason="line 7: expected a number, found hot" if held else "",
        ),
    )
    if not held:
        version = names.version_name(1 + n * versions // 10**6 % versions)
        record(buckets.data, "taps", replace(entry, stem=file.stem, version=version))


def _version(buckets: Buckets, registry: Registry, run: RunRecord, n: int) -> None:
    first, version = registry.manifest("taps", "v000001"), names.version_name(n)
    evaluation = json.loads(registry.read_version_file(first, "evaluation.json"))
    body = json.dumps(evaluation | {"version": version}).encode()
    files = {
        name: registry.read_version_file(first, name)
        for name in first.files
        if name != "evaluation.json"
    } | {"evaluation.json": body}
    digests = {
        name: replace(first.files[name], sha256=sha256(data).hexdigest())
        for name, data in files.items()
    }
    created = first.created + timedelta(hours=n)
    manifest = replace(first, version=version, files=digests, created=created)
    Registry(buckets.models, _Still()).write_version(manifest, files)
    write_run(buckets.data, replace(run, run=f"{run.run}-{n:06d}", version=version))


class _Still:
    """A clock that nothing asks."""

    def now(self) -> Any:
        raise AssertionError

    def sleep(self, seconds: float) -> None:
        raise AssertionError


def _head(buckets: Buckets, head: Head, versions: int) -> None:
    every = [names.version_name(n) for n in range(1, versions + 1)]
    full = replace(head, statuses=dict.fromkeys(every, "approved"), champion=every[-1])
    buckets.models.create(names.head("taps"), full.to_json())


def measure(directory: Path, versions: int, files: int, rounds: int) -> dict[str, Any]:
    """Milliseconds of each page: the first after the start, then the median and the worst."""
    kept = [f"{name}:versioned" if name in VERSIONED else name for name in BUCKETS.values()]
    with StorageServer(directory / "storage", buckets=kept) as storage:
        addresses = Addresses(storage=storage.url, run="http://127.0.0.1:9")
        copied(open_buckets(config(addresses)), versions, files)
        variables = environment(directory, storage.url, "console")
        variables["PERENNIAL_CONSOLE_LOCAL_OPERATOR"] = "bench"
        process = FunctionProcess(
            function_python("console"),
            build("console", directory / "bundles").folder,
            "console",
            variables,
            directory / "console.log",
            asgi=False,
        )
        found: dict[str, list[float]] = {page: [] for page in PAGES}
        with process:
            process.connect().close()
            for _ in range(rounds + 1):
                for page in PAGES:
                    found[page].append(_asked(process, page))
    return {
        page: {
            "first": round(times[0]),
            "median": round(statistics.median(times[1:])),
            "worst": round(max(times[1:])),
        }
        for page, times in found.items()
    }


def _asked(process: FunctionProcess, page: str) -> float:
    began = time.perf_counter()
    connection = process.connect()
    connection.request("GET", page)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(
            f"{page}: {answer.status} {body[:2000]!r}\n{process.log.read_text()[-3000:]}"
        )
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Measure, and print a table or a JSON document."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.console", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--versions", type=int, default=1_000, metavar="N")
    parser.add_argument("--files", type=int, default=10_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="turns for each page")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory(prefix="perennial-bench-") as directory:
        found = measure(Path(directory), options.versions, options.files, options.rounds)
    if options.json:
        json.dump({"machine": machine(), "milliseconds": found}, sys.stdout, indent=1)
        return
    print(machine())
    print(f"\n{options.versions:,} versions, {options.files:,} files; milliseconds")
    print(f"{'page':32}{'first':>8}{'median':>8}{'worst':>8}")
    for page, one in found.items():
        print(f"{page:32}{one['first']:8,}{one['median']:8,}{one['worst']:8,}")


if __name__ == "__main__":
    main()
