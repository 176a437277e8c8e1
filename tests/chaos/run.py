"""A cloud under load and an adversary; then calm, a sweep, and an account of everything."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.bench.troubles import Trouble
from tests.chaos.adversary import Adversary, left_running
from tests.chaos.bucket import Buckets
from tests.chaos.findings import (
    Findings,
    check_answers,
    check_chain,
    check_files,
    head_of,
    learned_by,
    stem_of,
)
from tests.chaos.load import DEFINITION, PIPELINE, Asked, Asking, Dropping, Numbers
from tests.e2e.conftest import LocalCloud

DELIVERY = ["--duplicates", "0.2", "--shuffle", "20", "--delay", "0.5", "--loss", "0.1"]
_PATIENCE = 240.0  # seconds until all is settled, once nothing fails any more
_POLL = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """How much trouble there is.

    Attributes:
        deeds: of the adversary; it ends when as many are done, however long that takes.
        seconds: after which it ends as well.
        seed: of everything that is drawn.
        pace: mean pause between two deeds, in seconds.
        per_file: mean pause of each of two droppers.
    """

    deeds: int
    seconds: float = float("inf")
    seed: int = 0
    pace: float = 1.0
    per_file: float = 1.0


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    plan: Plan
    seconds: float = 0.0
    settled_seconds: float = 0.0
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    dropped: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    commits: int = 0
    findings: Findings = field(default_factory=Findings)
    left: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return self.findings.clean and not self.left

    def table(self) -> str:
        """One table for people."""
        found = self.findings
        rows: list[tuple[str, object]] = [("kills", sum(self.kills.values()))]
        rows += [(f"  {name}", n) for name, n in sorted(self.kills.items())]
        rows += [("other faults", sum(self.faults.values()))]
        rows += [(f"  {name}", n) for name, n in sorted(self.faults.items())]
        rows += [("events", sum(self.events[one] for one in ("delivered", "dead", "pending")))]
        rows += [(f"  {name}", n) for name, n in sorted(self.events.items())]
        rows += [("files dropped", self.dropped), ("generations judged", found.landed)]
        rows += [(f"  {name}", n) for name, n in sorted(found.decisions.items())]
        rows += [("files learned by the champion", found.learned), ("champions", found.versions)]
        rows += [("commits in the registry's chain", self.commits)]
        rows += [("predictions asked", sum(self.answers.values()))]
        names = {0: "  connection failed", 200: "  answered, each one checked"}
        rows += [(names.get(one, f"  status {one}"), n) for one, n in sorted(self.answers.items())]
        rows += [("lost", len(found.lost)), ("doubled", len(found.doubled))]
        rows += [("wrong", len(found.wrong)), ("left running", len(self.left))]
        rows += [("seconds of trouble", round(self.seconds))]
        rows += [("seconds until all was settled", round(self.settled_seconds))]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {value:>8}" for name, value in rows)

    def complaints(self) -> list[str]:
        """The first few sentences of each kind."""
        return self.findings.complaints() + [f"left running: {one}" for one in self.left]


def run(directory: Path, plan: Plan, tell: Callable[[str], None] = lambda _: None) -> Outcome:
    """Make trouble for a cloud of its own, and account for everything afterwards.

    Args:
        directory: for the cloud's state.
        plan: how much.
        tell: progress, for people.

    Raises:
        RuntimeError: the cloud did not come up.
        TimeoutError: it did not settle.
    """
    cloud, outcome = LocalCloud(directory / "cloud"), Outcome(plan)
    random = Random(plan.seed)
    adversary = Adversary(cloud, DELIVERY, Random(random.random()), plan.pace)
    adversary.up(1.0)
    try:
        _trouble(cloud, adversary, plan, random, outcome, directory, tell)
    finally:
        cloud.down()
    outcome.left = left_running(cloud.folder)
    outcome.kills, outcome.faults = adversary.kills, adversary.faults
    return outcome


def _trouble(
    cloud: LocalCloud,
    adversary: Adversary,
    plan: Plan,
    random: Random,
    outcome: Outcome,
    directory: Path,
    tell: Callable[[str], None],
) -> None:
    definition = directory / f"{PIPELINE}.yaml"
    definition.write_text(DEFINITION)
    cloud.run("apply", str(definition))
    buckets, numbers, asked = _buckets(cloud), Numbers(), Asked()
    droppers = [
        Dropping(_buckets(cloud), numbers, Random(random.random()), plan.per_file, who)
        for who in ("ann", "bob")
    ]

    def predict() -> str:
        return str(cloud.endpoints["predict"])

    askers: list[Trouble] = [Asking(predict, asked, Random(random.random())) for _ in range(2)]
    began = time.monotonic()
    with ExitStack() as stack:
        for one in (*askers, *droppers):
            stack.enter_context(one)
        _await(lambda: 200 in asked.counts, lambda: "no prediction was answered")
        with adversary:
            while adversary.deeds < plan.deeds and time.monotonic() - began < plan.seconds:
                adversary.require_alive()
                time.sleep(_POLL)
        outcome.seconds = time.monotonic() - began
        tell(f"{adversary.deeds} deeds in {outcome.seconds:.0f} s; now it has to settle")
        adversary.end()
    dropped = [one for dropper in droppers for one in dropper.dropped]
    outcome.dropped = len(dropped)
    adversary.faults["uploads cut and resumed"] += sum(one.cut for one in droppers)
    outcome.settled_seconds = _settle(cloud, buckets)
    outcome.answers = asked.counts
    check_files(buckets, dropped, outcome.findings)
    commits = check_chain(buckets, outcome.findings)
    outcome.commits = len(commits)
    check_answers(buckets, asked.answers, commits, adversary.disturbed, outcome.findings)
    outcome.events = _events(cloud.folder)


def _buckets(cloud: LocalCloud) -> Buckets:
    return Buckets(lambda: str(cloud.endpoints["storage"]))


def _settle(cloud: LocalCloud, buckets: Buckets) -> float:
    """Seconds until the sweep and the runs have nothing to do; asks for a run where one must wait.

    Raises:
        TimeoutError: something is left over, for long.
    """
    began = time.monotonic()
    # After runs that were killed again and again it says so, and fails: the next one must wait.
    # Whoever does not want to wait asks for a run.
    cloud.run("sweep", check=False)
    cloud.run("retrain", PIPELINE, check=False)
    waits = "nothing was looked at"

    def settled() -> bool:
        nonlocal waits
        waits = _what_waits(buckets)
        return not waits

    _await(settled, lambda: waits)
    return time.monotonic() - began


def _await(done: Callable[[], bool], lacking: Callable[[], str]) -> None:
    """Wait until something is done that nothing stands in the way of.

    Raises:
        TimeoutError: it is not, for long.
    """
    deadline = time.monotonic() + _PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {_PATIENCE:.0f} s without trouble {lacking()}")
        time.sleep(_POLL)


def _what_waits(buckets: Buckets) -> str:
    landed = {stem_of(item) for item in buckets.list("landing", f"{PIPELINE}/", versions=True)}
    listed = buckets.list("data", f"{PIPELINE}/verdicts/")
    decided = {item["name"].rpartition("/")[2].split(".")[0]: item for item in listed}
    if lacking := landed - decided.keys():
        return f"{len(lacking)} generations have no verdict"
    head = head_of(buckets)
    if head["claim"]:
        return f"run {head['claim']['run']} is at work"
    if head["champion"] is None:
        return "there is no champion"
    accepted = {stem for stem, item in decided.items() if _decision(item) == "accepted"}
    learned = {one["stem"] for one in learned_by(buckets, head["champion"])}
    return f"{len(accepted - learned)} files are not learned" if accepted - learned else ""


def _decision(item: dict[str, Any]) -> str:
    return str(json.loads(item["metadata"]["summary"])["decision"])


def _events(folder: Path) -> Counter[str]:
    """How events fared, by the outbox and by what delivery wrote of its dial."""
    database = sqlite3.connect(f"file:{folder}/storage/storage.sqlite3?mode=ro", uri=True)
    try:
        states = database.execute("SELECT state, count(*) FROM events GROUP BY state").fetchall()
    finally:
        database.close()
    log = (folder / "logs" / "delivery.log").read_text(errors="replace")
    return Counter(dict(states)) + Counter({
        "of those lost on purpose": log.count(" on purpose") - log.count("once more on purpose"),
        "delivered once more on purpose": log.count("once more on purpose"),
        "sent again after a failure": log.count("; attempt "),
    })  # fmt: skip
