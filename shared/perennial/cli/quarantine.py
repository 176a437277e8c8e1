"""`perennial quarantine …`: the hospital."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from getpass import getuser
from pathlib import Path
from typing import Any

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.output import emit, json_option, moment, table
from perennial.domain import names, recalling
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.domain.words import counted
from perennial.workflows import suspects
from perennial.workflows.quarantine import Hospital

_by_option = click.option("--by", default=getuser, help="Who decides [default: you].")
_why_option = click.option("--why", required=True, help="The reason, for the history.")
_files_argument = click.argument("files", nargs=-1, required=True, metavar="FILE...")


@click.group()
def quarantine() -> None:
    """See and heal the files that are held back.

    A FILE is named by its name in landing or by its generation. Pipeline `_unknown` holds the
    files that belong to none.
    """


@quarantine.command("list")
@click.argument("name")
@json_option
@on_deployment
def list_files(deployment: Deployment, name: str, as_json: bool) -> None:
    """List the files of pipeline NAME that are held back.

    Their state is quarantined, or suspect: accepted, and set aside by training. `_unknown` lists
    those that belong to no pipeline.
    """
    document = {
        "pipeline": name,
        "files": [
            {
                "name": held.file.name,
                "generation": held.file.generation,
                "state": held.decision,
                "decided": held.decided.isoformat(),
                "reason": held.reason,
            }
            for held in _hospital(deployment, name).list()
        ],
    }
    emit(document, _listed(document), as_json=as_json)


@quarantine.command()
@click.argument("name")
@click.argument("file")
@click.option(
    "--original",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the original bytes to this file.",
)
@json_option
@on_deployment
def show(
    deployment: Deployment, name: str, file: str, original: Path | None, as_json: bool
) -> None:
    """Say what is wrong with FILE: rules, columns, rows, samples."""
    hospital = _hospital(deployment, name)
    found = hospital.find(file)
    report = hospital.show(found).report
    if original:
        with original.open("wb") as target:
            hospital.download(found, target)
    emit(report, _reported(report), as_json=as_json)


@quarantine.command()
@click.argument("name")
@_files_argument
@_by_option
@json_option
@on_deployment
def retry(
    deployment: Deployment, name: str, files: tuple[str, ...], by: str, as_json: bool
) -> None:
    """Judge files again, with the definition that is in force now.

    A file that was recalled broke no rule, and stays until it is released.
    """
    hospital = _hospital(deployment, name)
    _decide(hospital, files, lambda file: hospital.retry(file, by=by), as_json=as_json)


@quarantine.command()
@click.argument("name")
@_files_argument
@_by_option
@_why_option
@json_option
@on_deployment
def release(
    deployment: Deployment, name: str, files: tuple[str, ...], by: str, why: str, as_json: bool
) -> None:
    """Accept the rows of files, whatever rules they break.

    Rows that training cannot read stay out. Suspect and recalled files are learned again.
    """
    hospital = _hospital(deployment, name)
    _decide(hospital, files, lambda file: hospital.release(file, by=by, why=why), as_json=as_json)


@quarantine.command()
@click.argument("name")
@_files_argument
@_by_option
@_why_option
@json_option
@on_deployment
def discard(
    deployment: Deployment, name: str, files: tuple[str, ...], by: str, why: str, as_json: bool
) -> None:
    """Hide files for good.

    The bucket's lifecycle deletes their bytes in the end.
    """
    hospital = _hospital(deployment, name)
    _decide(hospital, files, lambda file: hospital.discard(file, by=by, why=why), as_json=as_json)


def _hospital(deployment: Deployment, name: str) -> Hospital:
    if name != names.UNKNOWN_PIPELINE:
        deployment.registry.require(name)
    return Hospital(
        deployment.buckets, deployment.registry, deployment.launcher, deployment.clock, name
    )


def _decide(
    hospital: Hospital,
    files: Sequence[str],
    decide: Callable[[FileId], Verdict],
    *,
    as_json: bool,
) -> None:
    """Decide about files that were all found before the first is touched."""
    verdicts = [decide(file) for file in [hospital.find(text) for text in files]]
    document = {
        "files": [
            {
                "name": v.file.name,
                "generation": v.file.generation,
                "verdict": v.decision,
                "rows": v.rows,
                "reason": v.reason,
            }
            for v in verdicts
        ]
    }
    rows = ((f["name"], f["verdict"], f["rows"] or "", f["reason"]) for f in document["files"])
    emit(document, [table(("file", "verdict", "rows", "reason"), rows)], as_json=as_json)


def _listed(document: dict[str, Any]) -> Iterator[str]:
    if not document["files"]:
        yield f"{document['pipeline']} has nothing in quarantine"
        return
    rows = (
        (moment(f["decided"]), f["state"], f["generation"], f["name"], f["reason"])
        for f in document["files"]
    )
    yield table(("decided", "state", "generation", "file", "reason"), rows)
    yield ""
    yield f"`perennial quarantine show {document['pipeline']} FILE` says all that is wrong"


def _reported(report: dict[str, Any]) -> Iterator[str]:
    size = counted(report["size"], "byte")
    yield f"file       {report['file']} (generation {report['generation']}, {size})"
    yield f"reason     {report['reason']}"
    yield f"original   {report['original']}"
    for finding in report["findings"]:
        yield f"{finding['severity']:<11}{finding['rule']}: {finding['message']}"
    yield f"next       {_ways_out(report, shlex.quote(report['file']))}"


def _ways_out(report: dict[str, Any], file: str) -> str:
    """The commands that lead out of the hospital."""
    pipeline = report["pipeline"]
    broken = {finding["rule"] for finding in report["findings"] if finding["severity"] == "reject"}
    if broken and broken <= {suspects.RULE, recalling.RULE}:
        return (
            f"`perennial quarantine release {pipeline} {file} --why …` lets it be learned; "
            "`discard` hides it"
        )
    if pipeline == names.UNKNOWN_PIPELINE:
        return (
            "drop it again under a pipeline's name, then `perennial quarantine discard "
            f"{pipeline} {file} --why …`"
        )
    return (
        f"send a better file, or `perennial quarantine release {pipeline} {file} --why …` takes "
        "the rows that can be read; `retry` judges it again, `discard` hides it"
    )
