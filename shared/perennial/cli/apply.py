"""`perennial apply`: put a definition in force."""

from __future__ import annotations

from collections.abc import Iterator
from getpass import getuser
from pathlib import Path
from typing import Any

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.files import read_text
from perennial.cli.output import emit, json_option
from perennial.workflows.apply import apply as put_in_force


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", default=getuser, help="Who applies it [default: you].")
@json_option
@on_deployment
def apply(deployment: Deployment, file: Path, by: str, as_json: bool) -> None:
    """Validate the definition in FILE and put it in force.

    Files that were dropped before there was a definition are judged now.
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
        "judged": [
            {"name": v.file.name, "generation": v.file.generation, "verdict": v.decision}
            for v in applied.judged
        ],
    }
    emit(document, _lines(document), as_json=as_json)


def _lines(document: dict[str, Any]) -> Iterator[str]:
    state = "in force" if document["changed"] else "in force already"
    yield f"{document['pipeline']}: definition {document['definition'][:12]} is {state}"
    for file in document["judged"]:
        yield f"{file['verdict']:<12}{file['name']}"
