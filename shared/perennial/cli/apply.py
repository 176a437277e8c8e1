"""`perennial apply`: put a definition in force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from getpass import getuser
from pathlib import Path
from typing import Any

import click
import yaml

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.files import read_text
from perennial.cli.output import emit, json_option
from perennial.cli.own_models import try_out
from perennial.domain.definitions.changes import changes
from perennial.domain.definitions.definition import Definition, parse
from perennial.domain.words import counted
from perennial.workflows.apply import apply as put_in_force
from perennial.workflows.history_check import reconsider


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", default=getuser, help="Who applies it [default: you].")
@click.option(
    "--check-history", is_flag=True,
    help="Say what it makes of the files that were accepted before, and change nothing.",
)  # fmt: skip
@json_option
@on_deployment
def apply(deployment: Deployment, file: Path, by: str, check_history: bool, as_json: bool) -> None:
    """Validate the definition in FILE and put it in force.

    Says what it changes against the definition that was in force. Its gate is tried first, as by
    `perennial gate-test`, and refused where it lets worse models pass. Files that were dropped
    before there was a definition are judged now.

    A model of one's own (training.model: package.module:factory) is tried before, in a process of
    its own and on made-up rows: its package must lie beside FILE.

    With --check-history it is not put in force: the originals of all accepted files are judged by
    it, and what it would say of them is told. Their decisions stay as they are in any case.
    """
    text = read_text(file)
    definition = parse(text, source=str(file))
    if check_history:
        checked = _check_history(deployment, definition)
        emit(checked, _history_lines(checked), as_json=as_json)
        return
    own = None
    if definition.training.package:
        own = try_out(definition, text, file, deployment.model_packages)
    applied = put_in_force(
        deployment.buckets,
        deployment.registry,
        deployment.launcher,
        deployment.clock,
        text,
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
        "model": own,
    }
    emit(document, _lines(document, first=applied.changes is None), as_json=as_json)


def _check_history(deployment: Deployment, definition: Definition) -> dict[str, Any]:
    """What changes, and what each file that was accepted would be told now."""
    head = deployment.registry.require(definition.name)
    buckets = deployment.buckets
    before = deployment.registry.definition(head)
    found = list(reconsider(buckets.landing, buckets.data, definition.name, definition))
    files = [
        {
            "name": one.file.name,
            "generation": one.file.generation,
            "verdict": one.outcome,
            "reason": one.reason,
            "findings": [asdict(finding) for finding in one.findings],
        }
        for one in found
    ]
    outcomes = Counter(one.outcome for one in found)
    warned = sum(one.outcome == "accepted" and bool(one.findings) for one in found)
    return {
        "pipeline": definition.name,
        "changed": False,
        "changes": [change.to_json() for change in changes(before, definition)],
        "history": {
            "checked": len(files),
            "accepted": outcomes["accepted"],
            "warned": warned,
            "quarantined": outcomes["quarantined"],
            "gone": outcomes["gone"],
            "files": files,
        },
    }


def _history_lines(document: dict[str, Any]) -> Iterator[str]:
    history = document["history"]
    yield f"{document['pipeline']}: nothing was put in force"
    yield from (_line(change) for change in document["changes"])
    yield (
        f"history     of {counted(history['checked'], 'accepted file')} it would accept "
        f"{history['accepted']} ({history['warned']} with warnings) and quarantine "
        f"{history['quarantined']}"
        + (f"; {history['gone']} cannot be had any more" if history["gone"] else "")
    )
    for file in history["files"]:
        if file["verdict"] == "quarantined":
            yield f"quarantined {file['name']}: {file['reason']}"


def _lines(document: dict[str, Any], *, first: bool) -> Iterator[str]:
    state = "in force" if document["changed"] else "in force already: nothing changed"
    yield f"{document['pipeline']}: definition {document['definition'][:12]} is {state}"
    if document["changed"] and not first and not document["changes"]:
        yield "only its wording changed: comments, layout or the order of keys"
    if document["model"]:
        yield _tried(document["model"])
    for change in document["changes"]:
        yield _line(change)
    if gate := document["gate"]:
        yield f"gate        decided rightly about {counted(gate['cases'], 'challenger')}"
    for file in document["judged"]:
        yield f"{file['verdict']:<12}{file['name']}"


def _tried(model: dict[str, Any]) -> str:
    rows = f"{model['rows'] + model['probes']:,.0f} made-up rows"
    said = f"model       {model['package']} {model['digest'][:12]}: its graph agrees on {rows}"
    if model["deployed"] in (None, model["digest"]):
        return said
    return (
        f"{said}\n{'':<12}the training job has another {model['package']}, "
        f"{model['deployed'][:12]}, until it is deployed anew"
    )


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
