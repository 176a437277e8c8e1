"""`perennial up` and `perennial down`: the local cloud."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import click

from perennial.cli.local import ENDPOINTS, local_directory, see_through, start
from perennial.cli.output import emit, json_option

_directory_option = click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Its state, logs and endpoints.json [default: PERENNIAL_LOCAL, else ./.perennial].",
)


@click.command(context_settings={"ignore_unknown_options": True})
@_directory_option
@click.option("--port", type=int, default=0, help="First of its ports [default: any free ones].")
@click.option("--detach", is_flag=True, help="Return when everything answers.")
@click.option(
    "--models",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of packages that the training job may import models of your own from.",
)
@json_option
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
def up(
    directory: Path | None,
    port: int,
    detach: bool,
    models: Path | None,
    as_json: bool,
    flags: tuple[str, ...],
) -> None:
    """Start a local cloud: storage, events, functions, jobs.

    State in DIR survives a restart or a kill. URLs are printed and written to DIR/endpoints.json.
    Further FLAGS go to the local cloud as they are: see `python -m localdev up --help`.
    """
    directory = (directory or local_directory(os.environ)).expanduser().absolute()
    arguments = ["up", f"--dir={directory}", f"--port={port}", *flags]
    arguments += [f"--models={models.absolute()}"] if models else []
    process = start("localdev", [*arguments, *(["--detach"] if detach else [])], quiet=as_json)
    if process.stdout and process.stdout.readline():  # it speaks when everything answers
        document = json.loads((directory / ENDPOINTS).read_text(encoding="utf-8"))
        emit(document, (), as_json=True)
    see_through(process)
    if detach and not as_json and directory != local_directory(os.environ):
        click.echo(f"for the other commands: export PERENNIAL_LOCAL={shlex.quote(str(directory))}")


@click.command()
@_directory_option
@json_option
def down(directory: Path | None, as_json: bool) -> None:
    """Stop the local cloud that runs in DIR; its state stays."""
    directory = (directory or local_directory(os.environ)).expanduser().absolute()
    process = start("localdev", ["down", f"--dir={directory}"], quiet=as_json)
    said = process.stdout.read() if process.stdout else ""
    see_through(process)
    if as_json:
        document = {"dir": str(directory), "stopped": said.startswith("stopped")}
        emit(document, (), as_json=True)
