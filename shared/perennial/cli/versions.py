"""`perennial versions`: what was trained, and why it serves or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.importance import importance_lines
from perennial.cli.output import emit, json_option, moment, table
from perennial.domain.evaluation.repeated_keys import RepeatedKeys
from perennial.domain.words import counted
from perennial.workflows.versions import explain as explain_version
from perennial.workflows.versions import list_versions

_WORDS = {
    "promote": "passed, and serves",
    "supersede": "superseded",
    "withdraw": "withdrawn: an earlier champion serves again",
    "return": "serves again, after a probation",
    "import": "imported",
    "approve": "approved",
    "reject": "turned down",
    "rollback": "returned to",
    "recall": "serves after a recall",
    "take back": "recalled",
}


@click.command()
@click.argument("name")
@click.option("--explain", metavar="V", help="Rule, numbers and history of one version.")
@json_option
@on_deployment
def versions(deployment: Deployment, name: str, explain: str | None, as_json: bool) -> None:
    """List the versions of pipeline NAME, or explain one."""
    if explain:
        document = explain_version(deployment.registry, name, explain, deployment.buckets.data)
        emit(document, _explained(document), as_json=as_json)
    else:
        found = list_versions(deployment.registry, name, deployment.buckets.data)
        emit({"pipeline": name, "versions": found}, _listed(name, found), as_json=as_json)


def _listed(name: str, found: list[dict[str, Any]]) -> Iterator[str]:
    if not found:
        yield f"{name} has no versions yet: `perennial status {name}` says what it waits for"
        return
    rows = (
        (
            v["version"],
            _standing(v, "champion"),
            moment(v["created"]),
            v["trained_rows"],
            v["outcome"],
            _score(v),
            v["reason"],
        )
        for v in found
    )
    yield table(("version", "status", "created", "rows", "duel", "progressive", "reason"), rows)


def _explained(document: dict[str, Any]) -> Iterator[str]:
    yield f"{document['version']} is {_standing(document, 'the champion')}"
    yield f"reason     {document['reason']}"
    yield f"against    {document['against'] or 'a constant predictor'}"
    used = sum(file["used"] for file in document["files"])  # a window passes the others by
    if imported := document["evaluation"].get("imported"):
        yield f"imported   {imported['file']} (SHA-256 {imported['sha256']}) by {imported['by']}"
    yield (
        f"learned    {counted(document['trained_rows'], 'row')} of "
        f"{counted(used, 'file')}, through {moment(document['trained_through'])}"
    )
    yield from (
        f"replaced   {file['name']} by {file['superseded_by']}"
        for file in document["files"]
        if file["superseded_by"]
    )
    yield f"digest     {document['digest']}"
    repeated = map(RepeatedKeys.from_document, document["evaluation"].get("repeated_keys", ()))
    yield from (f"keys       {one.sentence}" for one in repeated)
    yield from importance_lines(document["evaluation"].get("importance"))
    yield "evaluation"
    shown = {key: told for key, told in document["evaluation"].items() if key != "importance"}
    yield from (f"  {line}" for line in json.dumps(shown, indent=2).splitlines())
    rows = ((moment(c["at"]), _happened(c), c["by"], c["why"]) for c in document["history"])
    yield table(("when", "what", "by", "why"), rows)


def _score(version: dict[str, Any]) -> str:
    """What it scored on the files that it predicted before anything learned from them."""
    found = version["progressive"]
    metric = version["metric"]
    if not found or metric not in found["metrics"]:
        return ""
    return f"{metric} {found['metrics'][metric]:.4g} on {counted(found['files'], 'file')}"


def _standing(version: dict[str, Any], champion: str) -> str:
    if version["serving"]:
        return champion
    by = version["superseded_by"]
    return f"superseded by {by}" if by else str(version["status"])


def _happened(entry: dict[str, Any]) -> str:
    """What a history entry did to the version."""
    if entry["action"] == "judge":
        return "passed, and waits" if entry["status"] == "waiting" else "did not pass"
    return _WORDS.get(entry["action"], str(entry["action"]))
