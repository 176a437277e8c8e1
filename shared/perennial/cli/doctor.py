"""`perennial doctor`: is everything as it must be, and what to do where it is not."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from perennial.cli.context import BUCKETS, local_config, project_config
from perennial.cli.local import addresses, lives, local_directory, read_endpoints
from perennial.cli.output import INSTEAD, Shortfall, Styled, emit, json_option, progress
from perennial.config import Config, variable
from perennial.domain.descriptor import DEPLOYMENT
from perennial.domain.doctoring.findings import Finding, problem
from perennial.domain.words import printable
from perennial.errors import UserError
from perennial.wiring.doctor import examine_bucket, examine_local, examine_project
from perennial.workflows.doctoring.local import LocalCloud

_COLOURS = {"ok": "green", "problem": "red", "unknown": "yellow"}
_DEAD_LETTERS = "dead-letter.jsonl"
_SCHEDULER_LOG = Path("logs") / "scheduler.log"


@click.command()
@click.option("--project", metavar="ID", help="Google Cloud project to work in.")
@click.option(
    "--probe",
    metavar="BUCKET",
    help="Try in one bucket what Perennial relies on instead: its name, or data, models or "
    "quarantine for that of the deployment. Writes below perennial-probe/, and cleans up.",
)
@json_option
@click.pass_context
def doctor(context: click.Context, project: str | None, probe: str | None, as_json: bool) -> None:
    """Check every part of a deployment or of the local cloud.

    One line for each: ok, problem, or unknown where it could not be looked at. Changes nothing,
    unless --probe names a bucket. Fails where there is a problem.
    """
    named = project or context.obj
    where, checks = (
        _checks(os.environ, named) if probe is None else _probe(os.environ, named, probe)
    )
    findings = []
    for found in checks:
        progress(f"{found.state:<9}{found.check}")
        findings.append(found)
    counts = Counter(found.state for found in findings)
    document = {
        **where,
        "ok": counts["ok"],
        "problems": counts["problem"],
        "unknown": counts["unknown"],
        "findings": [asdict(found) for found in findings],
    }
    emit(document, _lines(document), as_json=as_json)
    if counts["problem"]:
        raise Shortfall(f"{_problems(counts['problem'])} found")


def _checks(
    variables: Mapping[str, str], project: str | None
) -> tuple[dict[str, Any], Iterator[Finding]]:
    """Where to look, as other commands decide it, and the looking itself."""
    directory, running, project = _place(variables, project)
    if not project:
        return {"dir": str(directory)}, _local(directory, running)
    deployment = variables.get(variable("deployment")) or DEPLOYMENT
    return {"project": project, "deployment": deployment}, _deployed(project, deployment)


def _place(
    variables: Mapping[str, str], project: str | None
) -> tuple[Path, dict[str, Any], str | None]:
    """The local cloud's folder and what it says of itself; or the project that is meant."""
    directory = local_directory(variables)
    running = read_endpoints(directory)
    if not project and not variables.get("PERENNIAL_LOCAL"):
        project = variables.get(variable("project"))
        if not project and not lives(running, addresses(running).values()):
            project = variables.get("GOOGLE_CLOUD_PROJECT")
    return directory, running, project


def _probe(
    variables: Mapping[str, str], project: str | None, named: str
) -> tuple[dict[str, Any], Iterator[Finding]]:
    """Which bucket to try, and the trying itself.

    Raises:
        UserError: when nothing is named and no local cloud runs.
        ConfigError: when no project or deployment can be called so.
    """
    directory, running, project = _place(variables, project)
    config = project_config(variables, project) if project else local_config(directory)
    buckets = {role: str(getattr(config, f"{role}_bucket")) for role in (*BUCKETS, "predictions")}
    named = named.removeprefix("gs://").rstrip("/")
    bucket = buckets.get(named) or named
    role = next((role for role, name in buckets.items() if name == bucket), "")
    place: dict[str, Any] = {"project": project} if project else {"dir": str(directory)}
    versioned = None if project else role in running.get("versioned", ())
    return place | {"bucket": bucket}, examine_bucket(bucket, role, config, versioned=versioned)


def _deployed(project: str, deployment: str) -> Iterator[Finding]:
    try:
        yield from examine_project(project, deployment)
    except ValueError as error:
        raise UserError(str(error)) from error


def _local(directory: Path, running: dict[str, Any]) -> Iterator[Finding]:
    if not running:
        raise UserError(
            f"no local cloud was ever up in {directory}: start one with `perennial up`, "
            "or name a project with --project"
        )
    urls = addresses(running)
    if not lives(running, urls.values()):
        fix = f"run `perennial up`; {directory}/logs/supervisor.log says how it ended"
        yield problem("cloud", f"that process {running.get('pid')} runs", "it does not", fix)
        return
    versioned = running.get("versioned")
    cloud = LocalCloud(
        directory=str(directory),
        services=frozenset(urls),
        buckets=running["buckets"],
        versioned=None if versioned is None else frozenset(versioned),
        train_job=running["train_job"],
        dead_letters=len(_lines_of(directory / _DEAD_LETTERS)),
        last_sweep=(_lines_of(directory / _SCHEDULER_LOG) or [""])[-1],
    )
    config = Config(
        **{f"{role}_bucket": bucket for role, bucket in running["buckets"].items()},
        storage_endpoint=running["storage"],
    )
    yield from examine_local(cloud, config, urls)


def _lines_of(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _lines(document: dict[str, Any]) -> Iterator[str]:
    width = max((len(found["check"]) for found in document["findings"]), default=0)
    for found in document["findings"]:
        state = click.style(f"{found['state']:<8}", fg=_COLOURS[found["state"]])
        check, said = (printable(text, INSTEAD) for text in (found["check"], _said(found)))
        yield Styled(f"{state} {check:<{width}}  {said}".rstrip())
    yield ""
    problems = _problems(document["problems"])
    yield f"{document['ok']} ok, {problems}, {document['unknown']} unknown"
    if document["unknown"]:
        yield "what is unknown could not be looked at, and may be well or not"


def _problems(number: int) -> str:
    return f"{number} problem{'' if number == 1 else 's'}"


def _said(found: dict[str, str]) -> str:
    if found["state"] == "ok":
        return found["found"]
    return f"expected {found['expected']}, found {found['found']}: {found['fix']}"
