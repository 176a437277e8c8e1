"""`perennial init`: a first definition, from samples."""

from __future__ import annotations

from pathlib import Path

import click

from perennial.cli.files import require_folder, write_text
from perennial.cli.output import emit, json_option
from perennial.domain.definitions.inference import infer_definition
from perennial.errors import RefusedError


@click.command()
@click.argument("name")
@click.argument(
    "more", metavar="", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--sample",
    "samples",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    required=True,
    help="Files like those that will be dropped: `--sample a.csv`, or `--sample data/*.csv`.",
)
@click.option("--label", required=True, metavar="COLUMN", help="The column to predict.")
@click.option("--event-time", metavar="COLUMN", help="The column that says when a row happened.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write."
)
@click.option("--force", is_flag=True, help="Replace the file where it exists.")
@json_option
def init(
    name: str,
    more: tuple[Path, ...],
    samples: tuple[Path, ...],
    label: str,
    event_time: str | None,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write a commented definition for pipeline NAME.

    What the samples show (bounds, categories) becomes a warning at most; read the definition, edit
    it, then `perennial apply` it. Without -o it is printed.
    """
    if output and output.exists() and not force:
        raise RefusedError(f"{output} exists: choose another file, or replace it with --force")
    if output:
        require_folder(output)
    files = [(sample.name, sample.read_bytes()) for sample in (*samples, *more)]
    text = infer_definition(name, files, label, event_time)
    if output:
        write_text(output, text)
    document = {"pipeline": name, "definition": text, "file": str(output) if output else None}
    said = f"wrote {output}: read it, edit it, then run `perennial apply {output}`"
    emit(document, [said if output else text.rstrip("\n")], as_json=as_json)
