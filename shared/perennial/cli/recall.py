"""`perennial recall`: take a file back, and what was learned from it."""

from __future__ import annotations

from collections.abc import Iterator
from getpass import getuser
from typing import Any

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.output import emit, json_option
from perennial.domain.words import counted
from perennial.workflows.recall import Recall, Recaller


@click.command()
@click.argument("name")
@click.argument("source")
@click.option("--why", required=True, help="The reason, for the history.")
@click.option("--by", default=getuser, help="Who decides [default: you].")
@click.option(
    "--without-champion",
    is_flag=True,
    help="Where no earlier champion is clean: nothing serves until a version without it passes.",
)
@click.option("--dry-run", is_flag=True, help="Say what would happen, and do nothing.")
@json_option
@on_deployment
def recall(
    deployment: Deployment,
    name: str,
    source: str,
    why: str,
    by: str,
    without_champion: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take back a file, and the versions that learned from it.

    SOURCE is the file's name in landing, its generation or its stem. It goes to the quarantine of
    pipeline NAME, the last champion that did not learn from it serves, and a run starts without
    it. The same bytes stay out under any name until `perennial quarantine release`. Safe to do
    again.
    """
    recaller = Recaller(
        deployment.buckets,
        deployment.registry,
        deployment.launcher,
        deployment.clock,
        name,
        without_champion=without_champion,
    )
    done = recaller.plan(source) if dry_run else recaller.recall(source, by=by, why=why)
    document = _document(done, dry_run=dry_run)
    lines = _lines(document, why, without_champion=without_champion)
    emit(document, lines, as_json=as_json)


def _document(done: Recall, *, dry_run: bool) -> dict[str, Any]:
    pin = done.unpinned
    return {
        "pipeline": done.verdict.pipeline,
        "file": {
            "name": done.verdict.file.name,
            "generation": done.verdict.file.generation,
            "verdict": done.verdict.decision,
            "reason": done.verdict.reason,
        },
        "versions": [{"version": v, "rows": rows} for v, rows in done.versions.items()],
        "champion": done.champion,
        "before": done.before,
        "unpinned": pin and {"by": pin.by, "why": pin.why, "at": str(pin.at)},
        "run": done.run,
        "at_work": done.at_work,
        "already": done.already,
        "dry_run": dry_run,
    }


def _lines(document: dict[str, Any], why: str, *, without_champion: bool) -> Iterator[str]:
    file = document["file"]
    name = f"{file['name']} (generation {file['generation']})"
    if document["already"]:
        yield f"file       {name} had been recalled: {file['reason']}"
    elif document["dry_run"]:
        yield f"file       {name} would go to quarantine: {why}"
    else:
        yield f"file       {name} is {file['verdict']}: {file['reason']}"
    would_be = (
        "would be recalled" if document["dry_run"] and not document["already"] else "recalled"
    )
    for version in document["versions"]:
        yield f"{'version':<11}{version['version']} {would_be}: learned {_rows(version)} of it"
    if not document["versions"]:
        yield "version    no version that could serve learned from it"
    yield f"champion   {_champion(document)}"
    if pin := document["unpinned"]:
        yield f"pin        lifted with the champion it held (by {pin['by']}: {pin['why']})"
    yield from _next(document, without_champion=without_champion)


def _rows(version: dict[str, Any]) -> str:
    return counted(version["rows"], "row")


def _champion(document: dict[str, Any]) -> str:
    before, after = document["before"], document["champion"]
    if before == after:
        return f"{after} serves as before" if after else "none, as before"
    would = "would serve" if document["dry_run"] else "serves"
    if after:
        return f"{after} {would} in the place of {before}"
    none = "none would serve" if document["dry_run"] else "none serves"
    return f"{none} in the place of {before}: predict answers 503 until a clean version has passed"


def _next(document: dict[str, Any], *, without_champion: bool) -> Iterator[str]:
    pipeline, file = document["pipeline"], document["file"]
    if document["dry_run"]:
        if document["before"] and not document["champion"] and not without_champion:
            yield "refused    unless --without-champion is given, or a clean version serves before"
        return
    if document["run"]:
        yield f"run        started {document['run']}, to learn without it"
    if document["at_work"]:
        yield f"run        {document['at_work']} is at work, and starts over without it"
    yield (
        f"undo       `perennial quarantine release {pipeline} {file['generation']} --why …` lets "
        "the file in again; its versions stay recalled"
    )
