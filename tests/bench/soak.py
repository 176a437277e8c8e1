"""Many requests under constant trouble: ``python -m tests.bench.soak --requests N --minutes N``.

The champion changes every few seconds, storage fails at random, slow clients hold connections.
Every answer is checked: it names the version that gave it, and each version's prediction for each
instance is known. Not one answer may be wrong, not one may be an error that the request did not
deserve, and memory must stay flat.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import orjson

from localdev.settings import BUCKETS, Addresses, config
from localdev.storage.process import StorageServer
from perennial.adapters.cloud_storage import CloudStorageStore, connect
from perennial.domain import names
from tests.bench import load
from tests.bench.hosting import ServerProcess, predict_process
from tests.bench.report import machine
from tests.bench.troubles import Champions, Faults, SlowClients, Trouble
from tests.unit.predict.versions import write_regression

VERSIONS = {names.version_name(number): 1000.0 * number for number in range(1, 9)}
"""What each version adds to `visits + age`: further apart than any two instances."""

PATH = "/v1/models/shop:predict"
FLAT = 8.0
"""MiB that memory may grow over a whole run, its first third left out."""

_POOL = 500  # different requests
_PIPELINED = 8
_PATIENCE = 30.0  # seconds until the last champion must be served, once nothing fails any more


@dataclass(frozen=True, slots=True)
class Plan:
    """What a soak is.

    Attributes:
        requests: how many to send, or a few more; it counts requests, not their rows.
        seconds: after which it ends, whatever was done by then.
        per_second: requests at most; None for as many as get through.
        connections: of clients that are as fast as they can be.
        slow_clients: threads, each of which holds a connection.
        move_seconds: between two champions.
        seed: of everything that is drawn.
        versions: that must have answered before it ends. Storage that fails may hold up new
            champions for longer than a short soak takes.
    """

    requests: int
    seconds: float
    per_second: float | None = None
    connections: int = 16
    slow_clients: int = 4
    move_seconds: float = 3.0
    seed: int = 0
    versions: int = 2


@dataclass(slots=True)
class Outcome:
    """What came of it.

    Attributes:
        requests: that were answered and checked.
        seconds: it took.
        versions: how many answers each version gave.
        wrong: some of the wrong answers; `wrongs` counts all.
        troubles: how often each kind happened.
        memory: seconds since the start, and resident MiB then.
        settled_seconds: until the last champion was served, once nothing failed any more.
    """

    requests: int = 0
    seconds: float = 0.0
    versions: Counter[str] = field(default_factory=Counter)
    wrongs: int = 0
    wrong: list[str] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[float, float]] = field(default_factory=list)
    settled_seconds: float = 0.0

    def found_wrong(self, what: str) -> None:
        """Note a wrong answer."""
        self.wrongs += 1
        if len(self.wrong) < 20:
            self.wrong.append(what)

    @property
    def growth_mib(self) -> float:
        """How much memory grew after the first third: a fitted slope times the span."""
        late = [(t, mib) for t, mib in self.memory if t >= self.memory[-1][0] / 3]
        if len(late) < 3:
            return 0.0
        mean_t = sum(t for t, _ in late) / len(late)
        mean_mib = sum(mib for _, mib in late) / len(late)
        slope = sum((t - mean_t) * (mib - mean_mib) for t, mib in late)
        slope /= sum((t - mean_t) ** 2 for t, _ in late)
        return slope * (late[-1][0] - late[0][0])

    def as_document(self) -> dict[str, object]:
        """All of it, for JSON."""
        return {
            "machine": machine(),
            "requests": self.requests,
            "seconds": round(self.seconds, 1),
            "wrong": self.wrongs,
            "first_wrong": self.wrong,
            "versions": dict(sorted(self.versions.items())),
            "troubles": dict(sorted(self.troubles.items())),
            "resident_mib": {
                "first": round(self.memory[0][1], 1),
                "last": round(self.memory[-1][1], 1),
                "most": round(max(mib for _, mib in self.memory), 1),
                "at_seconds": {
                    round(t): round(mib, 1)
                    for t, mib in self.memory[:: max(len(self.memory) // 20, 1)]
                },
                "growth_after_first_third": round(self.growth_mib, 2),
                "growth_per_million_requests": round(
                    self.growth_mib / max(self.requests * 2 / 3, 1) * 1e6, 2
                ),
            },
            "settled_seconds": round(self.settled_seconds, 2),
        }


class Question:
    """A request whose right answer is known, whichever version gives it."""

    def __init__(self, random: Random) -> None:
        self.deserves = 422 if random.random() < 0.02 else 200
        rows = 20 if random.random() < 0.05 else 1
        instances: list[dict[str, object]] = []
        self._sums: list[float] = []
        for _ in range(rows):
            visits, age = random.randrange(300), random.choice([None, random.randrange(100)])
            instances.append({"visits": visits, "age": age})
            self._sums.append(float(visits + (age or 0)))
        if self.deserves == 422:
            instances[-1]["visits"] = "many"
        self.bytes = load.request(PATH, json.dumps({"instances": instances}).encode())

    def check(self, outcome: Outcome, answer: load.Answer) -> None:
        """Hold an answer to what is known."""
        version = answer.header(b"x-model-version").decode()
        if answer.status != self.deserves or version not in VERSIONS:
            outcome.found_wrong(f"{answer.status}, expected {self.deserves}: {answer.body[:300]!r}")
            return
        outcome.versions[version] += 1
        if answer.status != 200:
            return
        document = orjson.loads(answer.body)
        expected = [total + VERSIONS[version] for total in self._sums]
        if document != {"predictions": expected, "model_version": version}:
            outcome.found_wrong(f"{version}, expected {expected}: {answer.body[:300]!r}")


def soak(directory: Path, plan: Plan) -> Outcome:
    """Send requests under trouble.

    Args:
        directory: for state that is thrown away.
        plan: how many, for how long, and how troubled.

    Raises:
        RuntimeError: the server closed a connection, did not answer, or never served a champion.
    """
    outcome = Outcome()
    bucket = BUCKETS["models"]
    with ExitStack() as stack:
        storage = stack.enter_context(StorageServer(directory / "storage", buckets=[bucket]))
        models = CloudStorageStore(connect(config(Addresses(storage=storage.url, run=""))), bucket)
        for version, bias in VERSIONS.items():
            write_regression(models, version, bias)
        champions = Champions(models, list(VERSIONS), plan.move_seconds, Random(plan.seed))
        champions.move()
        process = stack.enter_context(predict_process(directory, storage.url))
        process.connect().close()
        _settle(process, champions.current)
        faults = Faults(storage.url, Random(plan.seed + 1))
        troubles: list[Trouble] = [champions, faults]
        for number in range(plan.slow_clients):
            random = Random(plan.seed + 2 + number)
            ask = partial(_slowly_asked, outcome, random)
            troubles.append(SlowClients(process.port, ask, random))
        with ExitStack() as troubled:
            for trouble in troubles:
                troubled.enter_context(trouble)
            _drive(process, plan, outcome)
        faults.clear()
        outcome.settled_seconds = _settle(process, champions.current)
    for trouble in troubles:
        outcome.troubles.update(trouble.happened)
    return outcome


def _slowly_asked(outcome: Outcome, random: Random) -> tuple[bytes, load.Then]:
    question = Question(random)
    return question.bytes, partial(question.check, outcome)


def _drive(process: ServerProcess, plan: Plan, outcome: Outcome) -> None:
    random = Random(plan.seed)
    pool = [Question(random) for _ in range(_POOL)]
    began = time.perf_counter()
    sent = 0

    def answered(question: Question, answer: load.Answer) -> None:
        outcome.requests += 1
        question.check(outcome, answer)

    def turn(_: int) -> load.Batch:
        nonlocal sent
        now = time.perf_counter() - began
        if not outcome.memory or now >= outcome.memory[-1][0] + 1:
            outcome.memory.append((now, process.resident_bytes() / 2**20))
        if plan.per_second and (early := sent / plan.per_second - now) > 0:
            time.sleep(early)
        done = sent >= plan.requests and len(outcome.versions) >= plan.versions
        if done or now >= plan.seconds:
            return []
        sent += _PIPELINED
        chosen = random.choices(pool, k=_PIPELINED)
        return [(one.bytes, partial(answered, one)) for one in chosen]

    with ExitStack() as stack:
        opened = [
            stack.enter_context(load.connection(process.port)) for _ in range(plan.connections)
        ]
        load.drive(opened, turn)
    outcome.seconds = time.perf_counter() - began
    outcome.memory.append((outcome.seconds, process.resident_bytes() / 2**20))


def _settle(process: ServerProcess, champion: str) -> float:
    """Seconds until a champion is served.

    Raises:
        RuntimeError: it is not, for long.
    """
    asked = load.request(PATH, b'{"instances": [{"visits": 0, "age": 0}]}')
    began = time.perf_counter()
    with load.connection(process.port) as one:
        while one.ask(asked).header(b"x-model-version").decode() != champion:
            if time.perf_counter() > began + _PATIENCE:
                raise RuntimeError(f"{champion} is not served after {_PATIENCE:.0f} s")
            time.sleep(0.02)
    return time.perf_counter() - began


def main() -> None:
    """Soak, print what came of it, and fail if it was not all as it should be."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.soak", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--requests", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--minutes", type=float, default=20, metavar="N", help="at most")
    parser.add_argument("--connections", type=int, default=16, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    plan = Plan(
        options.requests, options.minutes * 60, connections=options.connections, seed=options.seed
    )
    with tempfile.TemporaryDirectory(prefix="perennial-soak-") as directory:
        outcome = soak(Path(directory), plan)
    print(json.dumps(outcome.as_document(), indent=1))
    failures = []
    if outcome.wrongs:
        failures.append(f"{outcome.wrongs} wrong answers")
    if outcome.growth_mib > FLAT:
        failures.append(f"memory grew by {outcome.growth_mib:.1f} MiB, expected at most {FLAT}")
    if outcome.requests < plan.requests:
        failures.append(f"{outcome.requests:,} of {plan.requests:,} requests in the time given")
    if failures:
        sys.exit("; ".join(failures))


if __name__ == "__main__":
    main()
