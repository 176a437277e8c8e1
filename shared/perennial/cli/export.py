"""`perennial export`: a version as a folder that runs without Perennial."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.output import emit, json_option
from perennial.errors import RefusedError
from perennial.workflows.export import GRAPH, Exported
from perennial.workflows.export import export as take_out


@click.command()
@click.argument("name")
@click.argument("version", required=False)
@click.option(
    "-o", "--output", "directory",
    type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="The folder to write [default: NAME-VERSION].",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace files that are there.")
@json_option
@on_deployment
def export(
    deployment: Deployment,
    name: str,
    version: str | None,
    directory: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write a version for devices and other servers.

    Of pipeline NAME; VERSION is one that may serve, the champion where none is named. The folder
    holds its graph and manifest, the tokeniser where it reads text, and predict.py, a client of a
    few lines that needs numpy and onnxruntime only and answers as the HTTP function does. Every
    digest is verified.
    """
    found = take_out(deployment.registry, name, version)
    folder = directory or Path(f"{name}-{found.manifest.version}")
    _write(folder, found, force=force)
    document = {
        "pipeline": name,
        "version": found.manifest.version,
        "digest": found.manifest.files[GRAPH].sha256,
        "directory": str(folder),
        "files": sorted(found.files),
    }
    emit(document, _lines(document), as_json=as_json)


def _write(folder: Path, found: Exported, *, force: bool) -> None:
    there = [one for one in sorted(found.files) if (folder / one).exists()]
    if there and not force:
        raise RefusedError(f"{folder} holds {', '.join(there)} already: --force replaces them")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in found.files.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        raise RefusedError(f"cannot write into {folder}: {error.strerror or error}") from error


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield f"{document['pipeline']} {document['version']} is in {document['directory']}:"
    yield from (f"  {one}" for one in document["files"])
    yield f"Try it: python {document['directory']}/predict.py < rows.json"
