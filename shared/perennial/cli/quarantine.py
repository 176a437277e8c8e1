"""`perennial quarantine …`: the hospital."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from getpass import getuser
from pathlib import Path
from typing import Any

import click

from perennial.cli.cases import hospital_of, row, told
from perennial.cli.context import Deployment, on_deployment
from perennial.cli.excerpt import draw
from perennial.cli.narrowing import Narrowed, narrowing
from perennial.cli.output import Shortfall, emit, json_option, moment, table
from perennial.cli.repair import repair
from perennial.domain import names
from perennial.domain.judging.excerpts import Excerpt
from perennial.domain.judging.validation import Judgement
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.domain.versioning import recalling
from perennial.domain.words import counted
from perennial.errors import PerennialError
from perennial.workflows import suspects
from perennial.workflows.quarantine import Hospital

_by_option = click.option("--by", default=getuser, help="Who decides [default: you].")
_why_option = click.option("--why", required=True, help="The reason, for the history.")
_files_argument = click.argument("files", nargs=-1, required=True, metavar="FILE...")


@click.group()
def quarantine() -> None:
    """See and heal the files that are held back.

    A FILE is named by its name in landing or by its generation. Pipeline `_unknown` holds the
    files that belong to none. Ways out are numbered decisions: of two that are taken at once, one
    wins. The original bytes stay.
    """


@quarantine.command("list")
@click.argument("name")
@narrowing
@click.option("--limit", type=click.IntRange(min=1), help="Only the latest so many of them.")
@json_option
@on_deployment
def list_files(
    deployment: Deployment,
    name: str,
    rule: str | None,
    pattern: str | None,
    state: str | None,
    since: datetime | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """List the files of pipeline NAME that are held back.

    They are counted by the rules that they break, before --limit. Their state is quarantined,
    suspect (accepted, and set aside by training), or rows: accepted without a few bad rows.
    `_unknown` lists those that belong to no pipeline.

    Example: `perennial quarantine list shop --rule range --since 2025-10-01 --limit 20`
    """
    wanted = Narrowed(rule, pattern, state, since)
    held_back = list(wanted.of(hospital_of(deployment, name)))
    counts = Counter(rule for held in held_back for rule in held.rules)
    document = {
        "pipeline": name,
        "counts": dict(counts.most_common()),
        "held": len(held_back),
        "files": [
            {
                "name": held.file.name,
                "generation": held.file.generation,
                "state": held.state,
                "decided": held.decided.isoformat(),
                "reason": held.reason,
                "rules": list(held.rules),
            }
            for held in (held_back[-limit:] if limit else held_back)
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
@click.option(
    "--bad-rows",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the rows that an accepted file lacks to this CSV file.",
)
@json_option
@on_deployment
def show(
    deployment: Deployment,
    name: str,
    file: str,
    original: Path | None,
    bad_rows: Path | None,
    as_json: bool,
) -> None:
    """Say what is wrong with FILE: rules, columns, rows, samples.

    Cells that break a rule are marked, with their line.

    Example: `perennial quarantine show shop visits.csv --original visits-as-sent.csv`
    """
    hospital = hospital_of(deployment, name)
    found = hospital.find(file)
    report = hospital.show(found).report
    if original:
        with original.open("wb") as target:
            hospital.download(found, target)
    if bad_rows:
        with bad_rows.open("wb") as target:
            hospital.download_bad_rows(found, target)
    excerpts = () if as_json else hospital.excerpts(found)
    emit(report, _reported(report, excerpts), as_json=as_json)


@quarantine.command()
@click.argument("name")
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("--all", "every", is_flag=True, help="Every file that is quarantined.")
@narrowing
@click.option("--dry-run", is_flag=True, help="Say what would come of it, and decide nothing.")
@_by_option
@json_option
@on_deployment
def retry(
    deployment: Deployment,
    name: str,
    files: tuple[str, ...],
    every: bool,
    rule: str | None,
    pattern: str | None,
    state: str | None,
    since: datetime | None,
    dry_run: bool,
    by: str,
    as_json: bool,
) -> None:
    """Judge files again, with the definition that is in force now.

    A file that was recalled broke no rule, and stays until it is released. --all takes the
    quarantined files that the other options leave, --state suspect the suspect ones. One file that
    cannot be judged keeps no other from it; the command then fails in the end.

    Example: `perennial quarantine retry shop --all --rule range --dry-run`
    """
    hospital = hospital_of(deployment, name)
    wanted = Narrowed(rule, pattern, state or "quarantined", since)
    if every == bool(files):
        raise click.UsageError("Name files, or say --all.")
    if files and (rule, pattern, state, since) != (None, None, None, None):
        raise click.UsageError("Name files, or narrow down --all: not both.")
    found = (
        [held.file for held in wanted.of(hospital)] if every else [hospital.find(f) for f in files]
    )
    tried = [_tried(hospital, file, by=by, dry_run=dry_run) for file in found]
    _tell(tried, as_json=as_json, dry_run=dry_run)
    if failed := sum(file["verdict"] is None for file in tried):
        raise Shortfall(f"{failed} of {counted(len(tried), 'file')} could not be judged")


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

    Example: `perennial quarantine release shop visits.csv --why 'a wedding: the amount is right'`
    """
    hospital = hospital_of(deployment, name)
    _decide(hospital, files, lambda file: hospital.release(file, by=by, why=why), as_json=as_json)


quarantine.add_command(repair)


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

    The bucket's lifecycle deletes its copy of their bytes in the end. Of an accepted file only the
    rows that were left out of it are hidden.

    Example: `perennial quarantine discard shop visits.csv --why 'sent again as visits-2.csv'`
    """
    hospital = hospital_of(deployment, name)
    _decide(hospital, files, lambda file: hospital.discard(file, by=by, why=why), as_json=as_json)


def _decide(
    hospital: Hospital,
    files: Sequence[str],
    decide: Callable[[FileId], Verdict],
    *,
    as_json: bool,
) -> None:
    """Decide about files that were all found before the first is touched."""
    found = [hospital.find(text) for text in files]
    _tell([told(decide(file)) for file in found], as_json=as_json)


def _tried(hospital: Hospital, file: FileId, *, by: str, dry_run: bool) -> dict[str, Any]:
    """What became of a file that is judged again, or would; verdict null where judging failed."""
    try:
        if dry_run:
            return _foreseen(file, hospital.foresee(file))
        return told(hospital.retry(file, by=by))
    except PerennialError as error:
        return row(file, None, 0, str(error))


def _foreseen(file: FileId, judgement: Judgement) -> dict[str, Any]:
    """What `retry` would say of a file. Whether its content came before, only trying tells."""
    if judgement.accepted:
        return row(file, "accepted", judgement.rows - judgement.set_aside, "")
    return row(file, "quarantined", 0, judgement.rejections[0].message)


def _tell(files: Sequence[dict[str, Any]], *, as_json: bool, dry_run: bool = False) -> None:
    rows = ((f["name"], f["verdict"] or "failed", f["rows"] or "", f["reason"]) for f in files)
    lines = [table(("file", "verdict", "rows", "reason"), rows)]
    if dry_run:
        lines.append("nothing was decided")
    emit({"dry_run": dry_run, "files": files}, lines, as_json=as_json)


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
    if len(document["files"]) < document["held"]:
        yield f"the latest {len(document['files']):,} of {counted(document['held'], 'file')}"
    yield "rules broken: " + ", ".join(f"{r} {n}" for r, n in document["counts"].items())
    yield ""
    yield f"`perennial quarantine show {document['pipeline']} FILE` says all that is wrong"


def _reported(report: dict[str, Any], excerpts: Sequence[Excerpt]) -> Iterator[str]:
    size = counted(report["size"], "byte")
    yield f"file       {report['file']} (generation {report['generation']}, {size})"
    yield f"reason     {report['reason']}"
    yield f"original   {report['original']}"
    if "bad_rows" in report:
        yield f"bad rows   {report['bad_rows']}"
    for finding in report["findings"]:
        yield f"{finding['severity']:<11}{finding['rule']}: {finding['message']}"
        for excerpt in excerpts:
            if (excerpt.rule, excerpt.column) == (finding["rule"], finding["column"]):
                yield from draw(excerpt)
                break
    if "traceback" in report:
        yield from report["traceback"].splitlines()
    yield f"next       {_ways_out(report, shlex.quote(report['file']))}"


def _ways_out(report: dict[str, Any], file: str) -> str:
    """The commands that lead out of the hospital."""
    pipeline = report["pipeline"]
    if "bad_rows" in report:
        return (
            f"correct the bad rows (`perennial quarantine show {pipeline} {file} --bad-rows FILE` "
            "writes them) and drop them as a file of their own; `discard` hides them"
        )
    broken = {finding["rule"] for finding in report["findings"] if finding["severity"] == "reject"}
    if broken and broken <= {suspects.RULE, recalling.RULE}:
        return (
            f"`perennial quarantine release {pipeline} {file} --why …` lets it be learned; "
            "`discard` hides it"
        )
    if "traceback" in report:
        return (
            f"`perennial quarantine retry {pipeline} {file}` judges it again once the mistake is "
            "mended; `discard` hides it"
        )
    if pipeline == names.UNKNOWN_PIPELINE:
        return (
            "drop it again under a pipeline's name, then `perennial quarantine discard "
            f"{pipeline} {file} --why …`"
        )
    return (
        f"send a better file, `perennial quarantine repair {pipeline} {file} --with …` to learn "
        f"corrected bytes in its place, or `perennial quarantine release {pipeline} {file} "
        "--why …` takes the rows that can be read; `retry` judges it again, `discard` hides it"
    )
