"""`perennial report`: how a pipeline is, as a file that can be mailed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.files import read_text, require_folder, write_text
from perennial.cli.output import emit, json_option
from perennial.domain.reporting.page import to_html
from perennial.errors import UserError
from perennial.workflows.report import report as gather

_REPLAY_KEYS = {
    "pipeline", "task", "metric", "verdict", "recommendation", "history", "policies", "course",
    "decay",
}  # fmt: skip


@click.command()
@click.argument("name")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Where to write the page.  [default: NAME-report.html]",
)  # fmt: skip
@click.option(
    "--replay", "replayed", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE", help="Tell this replay: what `perennial replay NAME --json` printed.  "
    "[default: the last one that was kept]",
)  # fmt: skip
@json_option
@on_deployment
def report(
    deployment: Deployment,
    name: str,
    output: Path | None,
    replayed: Path | None,
    as_json: bool,
) -> None:
    """Write a report on pipeline NAME: one HTML file with charts.

    Its health and what needs a person, the champion, its score over time with versions marked,
    drift by feature, versions, files and runs. The file needs no network, and can be mailed and
    printed.
    """
    place = output or Path(f"{name}-report.html")
    require_folder(place)
    document = gather(
        deployment.buckets,
        deployment.registry,
        deployment.launcher,
        deployment.clock,
        name,
        _read_replay(replayed, name) if replayed else None,
    )
    write_text(place, to_html(document))
    emit(document | {"file": str(place)}, [f"wrote {place}"], as_json=as_json)


def _read_replay(path: Path, name: str) -> dict[str, Any]:
    """A replay's document, of this pipeline.

    Raises:
        UserError: when the file is something else.
    """
    try:
        document = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path}, line {error.lineno}: expected what `perennial replay {name} --json` prints, "
            f"found no JSON: {error.msg}"
        ) from None
    if not isinstance(document, dict) or not document.keys() >= _REPLAY_KEYS:
        raise UserError(f"{path}: expected what `perennial replay {name} --json` prints")
    if document["pipeline"] != name:
        raise UserError(f"{path}: expected a replay of {name}, found one of {document['pipeline']}")
    return document
