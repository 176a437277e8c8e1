"""`perennial quarantine repair`: corrected bytes in the place of a file's own."""

from __future__ import annotations

import sys
from dataclasses import asdict
from getpass import getuser
from pathlib import Path
from typing import Any

import click

from perennial.cli.cases import hospital_of, row, told
from perennial.cli.context import Deployment, on_deployment
from perennial.cli.excerpt import printable
from perennial.cli.output import Shortfall, emit, json_option
from perennial.domain.judging.repairs import KINDS
from perennial.domain.names import FileId
from perennial.workflows.quarantine import Hospital
from perennial.workflows.repairing import StillBroken, assess, find, fixed
from perennial.workflows.repairing import repair as repair_file


@click.command()
@click.argument("name")
@click.argument("file")
@click.option(
    "--with",
    "corrected",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the corrected bytes.",
)
@click.option(
    "--fix",
    "kinds",
    multiple=True,
    metavar="KIND",
    help=f"{KINDS}; may be repeated.",
)
@click.option("--yes", is_flag=True, help="Apply --fix without being asked.")
@click.option("--dry-run", is_flag=True, help="Say what would come of it, and decide nothing.")
@click.option("--by", default=getuser, help="Who decides [default: you].")
@click.option("--why", help="The reason, for the history.")
@json_option
@on_deployment
def repair(
    deployment: Deployment,
    name: str,
    file: str,
    corrected: Path | None,
    kinds: tuple[str, ...],
    yes: bool,
    dry_run: bool,
    by: str,
    why: str | None,
    as_json: bool,
) -> None:
    """Learn FILE from corrected bytes, if they break no rule.

    They come from a file of yours (--with), or are made of its own (--fix): the first lines that
    change are shown before that is done.

    The original is kept, and so are they. What still breaks a rule is refused and changes nothing.

    Example: `perennial quarantine repair shop visits.csv --with corrected.csv --why 'a typo'`

    Example: `perennial quarantine repair shop visits.csv --fix 'delimiter=;' --fix decimal=comma`

    Example: `perennial quarantine repair shop visits.csv --fix drop-bad-rows --dry-run`
    """
    if (corrected is None) != bool(kinds):
        raise click.UsageError("Say either --with or --fix.")
    hospital = hospital_of(deployment, name)
    found = find(hospital, file)
    diff: tuple[str, ...] = ()
    if corrected is not None:
        data, how = corrected.read_bytes(), f"with {corrected.name}"
    else:
        done = fixed(hospital, found, kinds)
        data, how, diff = done.data, "; ".join(done.summary), done.diff
        for line in () if as_json else (*done.summary, *diff):
            click.echo(printable(line))
        if not (yes or dry_run):
            if as_json or not sys.stdin.isatty():
                raise click.UsageError("Say --yes to apply it, or --dry-run to see it only.")
            click.confirm("Repair it so?", abort=True)
    document = {"dry_run": dry_run, "repair": how, "diff": list(diff)}
    try:
        if dry_run:
            outcome = _foreseen(hospital, found, data)
        else:
            how = f"{how}: {why}" if why else how
            outcome = told(repair_file(hospital, found, data, how=how, by=by))
    except StillBroken as error:
        reason = error.judgement.rejections[0].message
        refused = row(found, "refused", 0, reason)
        findings = [asdict(finding) for finding in error.judgement.findings]
        lines = (f"{f.severity:<11}{f.rule}: {f.message}" for f in error.judgement.findings)
        emit({**document, **refused, "findings": findings}, lines, as_json=as_json)
        raise Shortfall(
            f"{found.name} stays in quarantine: corrected, it still breaks a rule: {reason}"
        ) from error
    line = f"{outcome['name']}  {outcome['verdict']}  {outcome['rows'] or ''}  {outcome['reason']}"
    lines_of_outcome = [line.rstrip(), *(["nothing was decided"] if dry_run else [])]
    emit({**document, **outcome, "findings": []}, lines_of_outcome, as_json=as_json)


def _foreseen(hospital: Hospital, file: FileId, data: bytes) -> dict[str, Any]:
    """What a repair would come to; nothing is decided."""
    judgement = assess(hospital, file, data)
    if not judgement.accepted:
        hospital.held(file)
        raise StillBroken(file, judgement)
    return row(file, "accepted", judgement.rows - judgement.set_aside, "")
