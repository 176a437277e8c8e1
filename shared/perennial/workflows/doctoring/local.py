"""The local cloud that runs in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from perennial.domain.doctoring.buckets import check_versioning
from perennial.domain.doctoring.findings import Finding, ok, problem
from perennial.domain.doctoring.serving import check_process, check_runner
from perennial.ports import Platform

_PROBES: Mapping[str, str] = {
    "storage": "_emulator/health",
    "ingest": "robots.txt",
    "predict": "robots.txt",
    "monitor": "robots.txt",
    "console": "robots.txt",
    "run": "",
    "delivery": "",
}
"""Where each process answers without doing anything."""

_LOGS = {"run": "jobs"}
"""Those whose log has another name than they have."""

SWEEP_SECONDS = 600.0
"""An interval within which a local cloud surely sweeps."""


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """What a folder says of its cloud.

    Attributes:
        directory: the folder.
        services: those that it started.
        buckets: by role.
        versioned: the roles of those that keep what is overwritten; None when nobody says.
        train_job: name of the job that trains.
        dead_letters: events that were given up, and whose letters are still there.
        last_sweep: what the scheduler's log says last; empty before its first call.
    """

    directory: str
    services: frozenset[str]
    buckets: Mapping[str, str]
    versioned: frozenset[str] | None
    train_job: str
    dead_letters: int
    last_sweep: str


def examine_cloud(platform: Platform, cloud: LocalCloud) -> Iterator[Finding]:
    """Every process answers, every bucket is as it must be, no event was given up."""
    for name, probe in _PROBES.items():
        log = f"{cloud.directory}/logs/{_LOGS.get(name, name)}.log"
        if name not in cloud.services:
            fix = "run `perennial up` in a checkout that has it"
            yield problem(name, "that it runs", "this cloud was started without it", fix)
        elif name == "run":
            yield from check_runner(cloud.train_job, platform.look(name, probe), log)
        else:
            yield from check_process(name, platform.look(name, probe), log)
    for role, bucket in cloud.buckets.items():
        look = platform.look("storage", f"storage/v1/b/{bucket}")
        if look.kind == "silent" or cloud.versioned is None:
            continue  # nothing answers, which is said already; or an older cloud, which says less
        yield from check_versioning(role, look, versioned=role in cloud.versioned)
    yield _letters(cloud)
    yield _sweep(cloud)


def _letters(cloud: LocalCloud) -> Finding:
    check, file = "dead letters", f"{cloud.directory}/dead-letter.jsonl"
    if not cloud.dead_letters:
        return ok(check, "none")
    fix = f"{file} says why; run `perennial sweep`, and delete that file when all is well"
    events = "1 event was" if cloud.dead_letters == 1 else f"{cloud.dead_letters} events were"
    return problem(check, "none", f"{events} given up", fix)


def _sweep(cloud: LocalCloud) -> Finding:
    check = "scheduler"
    if not cloud.last_sweep:
        return ok(check, "no sweep yet")
    when, _, outcome = cloud.last_sweep.partition(" ")
    if outcome.startswith("200"):
        return ok(check, f"last sweep {when}, {outcome}")
    fix = f"look at {cloud.directory}/logs/monitor.log"
    return problem(check, "a sweep that answers 200", f"{when}: {outcome}", fix)
