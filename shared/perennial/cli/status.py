"""`perennial status`: what serves, how well, and what is waited for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from typing import Any

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.output import age, emit, json_option, moment, table
from perennial.domain.evaluation.repeated_keys import RepeatedKeys
from perennial.domain.judging.redelivery import Superseded
from perennial.domain.names import UNKNOWN_PIPELINE
from perennial.domain.verdict import HELD
from perennial.domain.words import counted
from perennial.workflows.status import status as look_at
from perennial.workflows.strays import Strays, find_strays

_MOST = 5
"""Superseded files, and files with keys of earlier ones, that are shown."""


@click.command()
@click.argument("name", required=False)
@json_option
@on_deployment
def status(deployment: Deployment, name: str | None, as_json: bool) -> None:
    """Show pipeline NAME, or all of them in short.

    With all of them: the files that wait for a pipeline that was never applied, or belong to none.
    """
    pipelines = [name] if name else deployment.registry.pipelines()
    documents = [
        look_at(
            deployment.buckets, deployment.registry, deployment.launcher, deployment.clock, pipeline
        )
        for pipeline in pipelines
    ]
    if name:
        emit(documents[0], _details(documents[0]), as_json=as_json)
        return
    strays = find_strays(deployment.buckets.data, pipelines)
    document = {"pipelines": documents, "strays": [asdict(one) for one in strays]}
    emit(document, chain(_overview(documents), map(_stray, strays)), as_json=as_json)


def _overview(documents: list[dict[str, Any]]) -> Iterator[str]:
    if not documents:
        yield "no pipelines yet: write a definition with `perennial init`, then `perennial apply`"
        return
    headings = ("pipeline", "champion", "age", "progressive score", "files", "alerts and waits")
    yield table(headings, ((*_short(d), "; ".join(_news(d) or d["waiting"])) for d in documents))


def _news(document: dict[str, Any]) -> list[str]:
    """What needs a person: alerts, and how many findings of which weight are open."""
    open_ = Counter(one["severity"] for one in document["findings"] if one["severity"] != "info")
    told = [f"{counted(number, f'open {severity}')}" for severity, number in open_.items()]
    return [*document["alerts"], *told]


def _stray(strays: Strays) -> str:
    """Files that belong to no pipeline, and the command that leads on."""
    name, files = strays.pipeline, counted(strays.files, "file") + " or more" * strays.more
    if name == UNKNOWN_PIPELINE:
        return f"{name}: {files} of no pipeline in quarantine: `perennial quarantine list {name}`"
    return (
        f"{name}: {files} without a definition to judge by: `perennial init {name} --sample FILE "
        f"--label COLUMN -o {name}.yaml` writes one, `perennial apply {name}.yaml` judges"
    )


def _short(document: dict[str, Any]) -> tuple[str, str, str, str, str]:
    return (
        document["pipeline"],
        document["champion"] or "none yet",
        age(document["age_seconds"]) if document["champion"] else "",
        _score(document["progressive"]),
        _counts(document["counts"]),
    )


def _details(document: dict[str, Any]) -> Iterator[str]:
    static = ", static" * (document["mode"] == "static")
    yield f"pipeline   {document['pipeline']} ({document['task']}{static})"
    if document["champion"]:
        yield (
            f"champion   {document['champion']}, {age(document['age_seconds'])} old, "
            f"trained through {moment(document['trained_through'])}"
        )
    else:
        yield "champion   none yet"
    yield f"score      {_score(document['progressive'])}"
    if document["ageing"]:
        yield f"ageing     {document['ageing']['sentence']}"
    yield f"files      {_counts(document['counts'])}"
    if scored := _scored(document["scored"]):
        yield f"scored     {scored}"
    if document["run"]:
        yield f"at work    run {document['run']['run']}"
    for run in document["runs"][-1:]:
        yield f"last run   {run['outcome']}: {run['reason']}"
    gone = [Superseded(**one) for one in document["superseded"]]
    yield from (f"replaced   {one.sentence}" for one in gone[-_MOST:])
    if len(gone) > _MOST:
        yield f"replaced   {counted(len(gone) - _MOST, 'file')} more before these"
    repeated = [*map(RepeatedKeys.from_document, document["repeated_keys"])]
    yield from (f"keys       {one.sentence}" for one in repeated[:_MOST])
    if len(repeated) > _MOST:
        yield f"keys       {counted(len(repeated) - _MOST, 'file')} more bring keys of earlier ones"
    yield from (f"alert      {alert}" for alert in document["alerts"])
    yield from _findings(document)
    yield from (f"waits      {reason}" for reason in document["waiting"])
    if document["verdicts"]:
        rows = (
            (moment(v["decided"]), v["name"], v["verdict"], v["rows"] or "", _why(v))
            for v in document["verdicts"]
        )
        yield ""
        yield table(("decided", "file", "verdict", "rows", "reason"), rows)
    if any(v["verdict"] in HELD for v in document["verdicts"]):
        yield ""
        yield f"`perennial quarantine show {document['pipeline']} FILE` says all that is wrong"


def _findings(document: dict[str, Any]) -> Iterator[str]:
    """The worst that monitor found, and where the others are shown."""
    found = document["findings"]
    yield from (f"finding    {one['severity']}: {one['summary']}" for one in found[:_MOST])
    if len(found) > _MOST:
        more = counted(len(found) - _MOST, "other")
        yield f"finding    {more}: `perennial monitor {document['pipeline']}` shows all"


def _scored(scored: dict[str, Any]) -> str:
    """The latest file that was scored, and how many wait for it."""
    said = [f"{counted(scored['waiting'], 'file')} to be scored"] if scored["waiting"] else []
    for one in scored["files"][-1:]:
        what = f"{counted(one['rows'], 'row')} of {one['name']} by {one['version']}"
        failed = f"{one['version']} has no answer to {one['name']}: {one['reason']}"
        said.append(f"last {what}" if one["outcome"] == "scored" else failed)
    return ", ".join(said)


def _why(verdict: dict[str, Any]) -> str:
    by = verdict["superseded_by"]
    if not by:
        return str(verdict["reason"])
    same = by["name"] == verdict["name"]
    return f"superseded by {'generation ' + str(by['generation']) if same else by['name']}"


def _score(progressive: dict[str, Any]) -> str:
    if progressive["value"] is None:
        return "none yet"
    return (
        f"{progressive['metric']} {progressive['value']:.4g} on "
        f"{counted(progressive['rows'], 'row')}, each predicted before it was learned"
    )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {decision}" for decision, number in counts.items()) or "none yet"
