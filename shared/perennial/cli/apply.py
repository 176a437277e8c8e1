"""`perennial apply`: put a definition in force."""

from __future__ import annotations

from collections.abc import Iterator
from getpass import getuser
from pathlib import Path
from typing import Any

import click
import yaml

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.files import read_text
from perennial.cli.output import emit, json_option
from perennial.domain.words import counted
from perennial.workflows.apply import apply as put_in_force


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", default=getuser, help="Who applies it [default: you].")
@json_option
@on_deployment
def apply(deployment: Deployment, file: Path, by: str, as_json: bool) -> None:
    """Validate the definition in FILE and put it in force.

    Says what it changes against the definition that was in force. Its gate is tried first, as by
    `perennial gate-test`, and refused where it lets worse models pass. Files that were dropped
    before there was a definition are judged now.
    """
    applied = put_in_force(
        deployment.buckets,
        deployment.registry,
        deployment.launcher,
        deployment.clock,
        read_text(file),
        by=by,
        source=str(file),
    )
    document = {
        "pipeline": applied.definition.name,
        "definition": applied.head.definition,
        "changed": applied.changed,
        "changes": [change.to_json() for change in applied.changes or ()],
        "judged": [
            {"name": v.file.name, "generation": v.file.generation, "verdict": v.decision}
            for v in applied.judged
        ],
        "gate": applied.gate and {"passed": applied.gate.passed, "cases": applied.gate.cases},
    }
    emit(document, _lines(document, first=applied.changes is None), as_json=as_json)


def _lines(document: dict[str, Any], *, first: bool) -> Iterator[str]:
    state = "in force" if document["changed"] else "in force already: nothing changed"
    yield f"{document['pipeline']}: definition {document['definition'][:12]} is {state}"
    if document["changed"] and not first and not document["changes"]:
        yield "only its wording changed: comments, layout or the order of keys"
    for change in document["changes"]:
        yield _line(change)
    if gate := document["gate"]:
        yield f"gate        decided rightly about {counted(gate['cases'], 'challenger')}"
    for file in document["judged"]:
        yield f"{file['verdict']:<12}{file['name']}"


def _line(change: dict[str, Any]) -> str:
    before, after = _written(change["before"]), _written(change["after"])
    if change["change"] == "added":
        return f"added       {change['key']}: {after}"
    if change["change"] == "removed":
        return f"removed     {change['key']}: {before}"
    return f"changed     {change['key']}: {after}, was {before}"


def _written(value: object) -> str:
    """A value as a definition has it, on one line."""
    text: str = yaml.safe_dump(
        _whole(value), default_flow_style=True, allow_unicode=True, sort_keys=False, width=1_000_000
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _whole(value: object) -> object:
    """The same, with 10 for 10.0: bounds are kept as numbers with a fraction."""
    if isinstance(value, dict):
        return {key: _whole(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_whole(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
