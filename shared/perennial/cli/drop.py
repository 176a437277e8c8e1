"""`perennial drop`: upload files and, where asked, see them through."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.output import INSTEAD, Shortfall, emit, json_option, progress, table
from perennial.cli.uploads import find_uploads
from perennial.config import Config
from perennial.domain import names
from perennial.domain.names import FileId
from perennial.domain.verdict import HELD, ROWS, Verdict, VerdictSummary
from perennial.domain.words import counted, printable
from perennial.workflows.drop import Dropper

HELD_BACK = 3
"""The exit code of a drop that is done, with files that are quarantined or suspect."""


@click.command()
@click.argument("name")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--wait",
    is_flag=True,
    help="Until each has its verdict, the training it caused has ended, and predictions are there.",
)
@click.option("--backfill", is_flag=True, help="Judge all in order, then train once.")
@click.option(
    "--patience",
    type=float,
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up after so long without any progress.",
)
@json_option
@on_deployment
def drop(
    deployment: Deployment,
    name: str,
    paths: tuple[str, ...],
    wait: bool,
    backfill: bool,
    patience: float,
    as_json: bool,
) -> None:
    """Upload files, folders or globs for pipeline NAME, in order.

    Files whose name in it begins with score/ are predicted and never learned. --wait waits for
    their predictions, too, where there is a champion to make them.

    Exit code 3 says that it is done, and that files are quarantined or suspect; only --wait and
    --backfill know.
    """
    dropper = Dropper(
        deployment.buckets,
        deployment.registry,
        deployment.launcher,
        deployment.clock,
        name,
        patience=patience,
        progress=progress,
        warn=lambda line: click.echo(f"perennial: {printable(line, INSTEAD)}", err=True),
    )
    dropped = dropper.drop(find_uploads(paths), wait=wait, backfill=backfill)
    # What is quarantined for a pipeline that does not exist was taken for a misspelt name.
    home = name if deployment.registry.head(name) else names.UNKNOWN_PIPELINE
    config, verdicts = deployment.config, dropped.verdicts
    document = {
        "files": [_file(config, home, file, verdicts.get(file)) for file in dropped.files],
        "runs": dropped.runs,
    }
    emit(document, _lines(document), as_json=as_json)
    held = [file for file in document["files"] if file["verdict"] in HELD]
    if held:
        command = shlex.join(["perennial", "quarantine", "show", home, held[0]["name"]])
        raise Shortfall(
            f"{len(held)} of {len(document['files'])} dropped {_are(held)}: "
            f"`{command}` says what is wrong",
            code=HELD_BACK,
        )


def _are(held: list[dict[str, Any]]) -> str:
    """How the files that are held back stand."""
    are = "is" if len(held) == 1 else "are"
    where = {"quarantined": "in quarantine", "suspect": "suspect"}
    return f"{are} {' or '.join(dict.fromkeys(where[file['verdict']] for file in held))}"


def facts_of(
    config: Config, home: str, file: FileId, verdict: VerdictSummary | Verdict | None
) -> dict[str, Any]:
    """What is told of a file that was uploaded; with its report where it is in quarantine.

    Args:
        config: names the buckets.
        home: the pipeline under which it was judged.
        file: which one.
        verdict: the decision in force; None while there is none.
    """
    facts: dict[str, Any] = {
        "name": file.name,
        "generation": file.generation,
        "verdict": verdict and verdict.decision,
        "reason": verdict.reason if verdict else "",
    }
    if verdict is None:
        return facts
    set_aside = verdict.state == ROWS
    if set_aside:
        facts |= {"rows": verdict.rows, "rows_set_aside": verdict.rows_set_aside}
    if verdict.decision == "quarantined" or (set_aside and not verdict.cleared):
        report = names.numbered(names.quarantined(home, file) + "report", verdict.number, ".json")
        facts["report"] = f"gs://{config.quarantine_bucket}/{report}"
    return facts


def _file(
    config: Config, home: str, file: FileId, verdict: VerdictSummary | None
) -> dict[str, Any]:
    facts = facts_of(config, home, file, verdict)
    if verdict and verdict.decision == "to_score":
        facts["predictions"] = f"gs://{config.data_bucket}/{names.predictions(home, file.stem)}"
    return facts


def _told(file: dict[str, Any]) -> str:
    """The verdict, and how many rows were left out."""
    said = file["verdict"] or "uploaded"
    if aside := file.get("rows_set_aside"):
        said += f" ({aside:,} of {counted(file['rows'] + aside, 'row')} set aside)"
    return said


def _lines(document: dict[str, Any]) -> Iterator[str]:
    rows = ((f["name"], _told(f), f["reason"]) for f in document["files"])
    yield table(("file", "verdict", "reason"), rows)
    for run in document["runs"]:
        version = f" {run['version']}" if run["version"] else ""
        yield f"run {run['run']}: {run['outcome']}{version}: {run['reason']}"
    for file in document["files"]:
        if "predictions" in file:
            yield f"predictions of {file['name']} come to {file['predictions']}"
