"""Which programs make up a local cloud."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from localdev import host, identities
from localdev.child import Program
from localdev.endpoints import Ports
from localdev.jobs.specification import Job, write_jobs
from localdev.options import delivery_arguments, packages_of
from localdev.processes import MARK
from localdev.settings import BUCKETS, HOST, PREDICTIONS, TRAIN_JOB, VERSIONED, Function, models
from localdev.storage.database import FILE_NAME as DATABASE
from perennial.config import variable

DEAD_LETTERS = "dead-letter.jsonl"


def programs(options: argparse.Namespace, ports: Ports) -> list[Program]:
    """Everything to start, the emulator first; bundles are built on the way.

    Functions that the checkout lacks are left out, with what only they need.

    Raises:
        host.NotSetUp: a function's environment is missing.
        FileNotFoundError: a function is incomplete.
    """
    functions = {function.name: function for function in host.present(options.root)}
    train = functions.pop("train", None)
    tokens = identities.issue(options.dir)
    plan = [_storage(options, ports)]
    plan += [
        host.server(function, options.dir, options.root, ports, _own(options, function, tokens))
        for function in functions.values()
    ]
    if "ingest" in functions:
        plan.append(_delivery(options, ports))
    if train:
        plan.append(_jobs(options, ports, train, tokens))
    return plan


def _own(
    options: argparse.Namespace, function: Function, tokens: Mapping[str, str]
) -> dict[str, str]:
    """What a deployment tells one function alone."""
    own = _identity(function, tokens)
    if function.name == "monitor" and options.alert_webhook:
        own[variable("alert_webhook")] = options.alert_webhook
    return own


def _identity(function: Function, tokens: Mapping[str, str]) -> dict[str, str]:
    """Who it is; a part that the table does not know may do nothing."""
    return {variable("storage_token"): tokens.get(function.name, "unknown")}


def _storage(options: argparse.Namespace, ports: Ports) -> Program:
    arguments = ["--dir", str(_storage_folder(options)), "--host", HOST]
    arguments += ["--port", str(ports.of["storage"]), "--clock-scale", str(options.clock_scale)]
    for bucket in BUCKETS.values():
        arguments += ["--bucket", f"{bucket}:versioned" if bucket in VERSIONED else bucket]
    arguments += ["--bucket", PREDICTIONS]
    arguments += ["--notify", BUCKETS["landing"]]
    arguments += ["--access", str(options.dir / identities.FILE_NAME)]
    probe = ports.url("storage") + "/_emulator/health"
    return _ours("storage", arguments, options.dir, probe)


def _delivery(options: argparse.Namespace, ports: Ports) -> Program:
    arguments = ["--database", str(_storage_folder(options) / DATABASE)]
    arguments += ["--target", ports.url("ingest") + "/", "--port", str(ports.of["delivery"])]
    arguments += ["--dead-letters", str(options.dir / DEAD_LETTERS)]
    arguments += ["--clock-scale", str(options.clock_scale), *delivery_arguments(options)]
    return _ours("delivery", arguments, options.dir, ports.url("delivery") + "/")


def _jobs(
    options: argparse.Namespace, ports: Ports, train: Function, tokens: Mapping[str, str]
) -> Program:
    directory: Path = options.dir
    packages = packages_of(options)
    job = Job(
        name=TRAIN_JOB,
        command=[str(host.interpreter(train, options.root)), "main.py"],
        folder=str(host.bundle(train, directory, options.root, packages).folder),
        environment=host.environment(
            train, directory, ports.addresses, more=_identity(train, tokens) | models(packages)
        ),
        memory_mib=train.memory_mib,
        timeout_seconds=train.timeout_seconds,
    )
    write_jobs(directory / "jobs.json", [job])
    arguments = ["--jobs", str(directory / "jobs.json")]
    arguments += ["--database", str(directory / "jobs.sqlite3")]
    arguments += ["--logs", str(directory / "logs" / "executions")]
    arguments += ["--port", str(ports.of["run"]), "--concurrency", str(options.jobs)]
    arguments += ["--clock-scale", str(options.clock_scale)]
    return _ours("jobs", arguments, directory, ports.url("run") + "/")


def _storage_folder(options: argparse.Namespace) -> Path:
    folder: Path = options.dir / "storage"
    return folder


def _ours(name: str, arguments: list[str], directory: Path, probe: str) -> Program:
    """A program of the local cloud itself."""
    return Program(
        name=name,
        command=[sys.executable, "-m", f"localdev.{name}", *arguments],
        folder=directory,
        environment={**os.environ, MARK: str(directory), "PYTHONUNBUFFERED": "1"},
        probe=probe,
    )
