"""`perennial monitor`: a look at a pipeline now, and all that it found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.output import INSTEAD, Styled, age, emit, json_option, moment, table
from perennial.domain.words import counted, printable
from perennial.errors import PermissionDenied

_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}
_CLOSED = 5


@click.command()
@click.argument("name")
@json_option
@on_deployment
def monitor(deployment: Deployment, name: str, as_json: bool) -> None:
    """Look at pipeline NAME now, as the schedule does.

    Shows what is wrong and what to do about it; how far each feature lies from what the champion
    learned, in files and in requests; its sources with their grades; its jobs. What is new is
    kept, and the next scheduled look tells of it.
    """
    deployment.registry.require(name)
    # Imported here because it brings polars and pyarrow, and a slip in the name shows at once.
    from perennial.workflows.monitoring.look import Lookout

    lookout = Lookout(
        deployment.buckets,
        deployment.registry,
        deployment.launcher,
        deployment.clock,
        deployment.predictions,
    ).reading_logs([name])
    try:
        watch = lookout.look(name)
    except PermissionDenied:  # whoever may read may look; what is found is kept by the schedule
        watch = lookout.look(name, keep=False)
    document = watch.document()
    emit(document, _lines(document), as_json=as_json)


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield f"pipeline   {document['pipeline']}, champion {document['champion'] or 'none yet'}"
    yield f"looked     {moment(document['at'])}"
    for part, why in document["errors"].items():
        yield f"not seen   {part}: {why}"
    found = document["findings"]
    if not found:
        yield "findings   none is open"
    for one in found:
        yield ""
        yield from _finding(one)
    if document["closed"]:
        yield ""
        yield from (
            f"over       {_title(one)}, from {moment(one['opened'])} to {moment(one['closed'])}"
            for one in document["closed"][:_CLOSED]
        )
    yield from _features(document["features"])
    yield from _sources(document["sources"])
    yield ""
    yield f"jobs       {_jobs(document['jobs'])}"
    yield f"requests   {_traffic(document['traffic'])}"


def _finding(one: dict[str, Any]) -> Iterator[str]:
    severity = click.style(f"{one['severity']:<9}", fg=_COLOURS[one["severity"]])
    title = printable(_title(one), INSTEAD)
    yield Styled(f"{severity}  {title}, since {moment(one['opened'])}")
    yield f"           {one['summary']}"
    yield f"           → {one['advice']}"


def _title(one: dict[str, Any]) -> str:
    subject = f" of {one['subject']}" if one["subject"] else ""
    return f"{one['kind'].replace('_', ' ')}{subject}"


def _features(features: list[dict[str, Any]]) -> Iterator[str]:
    if not features:
        return
    yield ""
    headings = ("column", "distance", "files", "limit", "", "requests", "limit", "")
    yield table(
        headings,
        (
            (
                one["name"],
                one["distance"],
                *_distance(one["drift"]),
                *_distance(one["skew"]),
            )
            for one in features
        ),
    )


def _distance(one: dict[str, Any]) -> tuple[str, str, str]:
    if one["value"] is None:
        return "", "", ""
    return f"{one['value']:.3f}", f"{one['limit']:.3f}", one["verdict"].replace("_", " ")


def _sources(sources: list[dict[str, Any]]) -> Iterator[str]:
    if not sources:
        return
    yield ""
    rows = (
        (
            one["prefix"] or "(root)",
            one["grade"] or "too few files",
            ", ".join(f"{number} {verdict}" for verdict, number in one["verdicts"].items()),
            moment(one["last"]),
            f"every {age(one['rhythm_seconds'])}" if one["rhythm_seconds"] else "not known yet",
        )
        for one in sources
    )
    yield table(("source", "grade", "files", "last", "rhythm"), rows)


def _jobs(jobs: dict[str, Any]) -> str:
    outcomes = ", ".join(f"{number} {outcome}" for outcome, number in jobs["outcomes"].items())
    said = [f"{counted(jobs['runs'], 'run')} looked at ({outcomes or 'none'})"]
    if jobs["usual_seconds"] is not None:
        said.append(f"usually {jobs['usual_seconds']:.1f} s")
    if jobs["at_work"]:
        said.append(f"{jobs['at_work']} at work for {age(jobs['at_work_seconds'] or 0)}")
    return ", ".join(said)


def _traffic(traffic: dict[str, Any]) -> str:
    if traffic["through"] is None:
        return "none in the prediction log of the last day"
    more = ", and more than was read" * traffic["partial"]
    failed = traffic["failed_look_ups"]
    return (
        f"{counted(traffic['requests'], 'request')} with {counted(traffic['rows'], 'row')} from "
        f"{moment(traffic['since'])} to {moment(traffic['through'])}{more}"
        + (f"; {counted(failed, 'look-up')} failed" if failed else "")
    )
