"""Where commands that train on this machine find what to learn from: a pipeline, or plain files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from perennial.cli.context import Deployment
from perennial.cli.files import read_text
from perennial.cli.output import progress
from perennial.cli.uploads import find_uploads
from perennial.domain.definitions.definition import parse
from perennial.domain.words import counted
from perennial.errors import ConfigError

if TYPE_CHECKING:
    from perennial.workflows.replay import Source


Command = TypeVar("Command", bound=Callable[..., Any])


def training_options(command: Command) -> Command:
    """How this machine trains: `--cache`, `--models` and `--jobs`."""
    options = [
        click.option(
            "--cache", type=click.Path(file_okay=False, path_type=Path),
            help="Folder that remembers trainings, so that none is made twice.",
        ),
        click.option(
            "--models", type=click.Path(exists=True, file_okay=False, path_type=Path),
            metavar="DIR",
            help="Folder with the package of a model of one's own, imported here.  "
            "[default: the folder of --pipeline FILE]",
        ),
        click.option(
            "--jobs", type=click.IntRange(min=1), help="Processes; one for each processor."
        ),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def beside(definition: Path | None) -> Path | None:
    """The folder of a definition's file, where the package of its model lies."""
    return definition.resolve().parent if definition is not None else None


def require_one_history(
    context: click.Context, words: tuple[str, ...], pipeline: Path | None
) -> None:
    """Refuse several pipelines, and files without a definition."""
    if pipeline is None and len(words) != 1:
        raise click.UsageError(
            f"expected one pipeline's NAME, found {len(words)} words; "
            "files need their definition: --pipeline FILE",
            context,
        )


def require_libraries(command: str) -> None:
    """Say what to install. Raises `ConfigError`."""
    try:
        import pandas  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"{command} trains models on this machine and needs {error.name}: "
            "pip install 'perennial[replay]'"
        ) from None


def find_history(
    context: click.Context, words: tuple[str, ...], pipeline: Path | None, project: str | None
) -> Source:
    """Read the accepted files of the pipeline that is named, or judge plain files.

    Args:
        context: of the command.
        words: the pipeline's name; with a definition, paths.
        pipeline: the definition's file.
        project: the Google Cloud project, where one is named.
    """
    # Imported here because they bring scikit-learn, which most commands do not need.
    from perennial.wiring.replay import source_of
    from perennial.workflows.replay import accepted_history

    if pipeline is None:
        deployment = Deployment.find(os.environ, project or context.obj)
        progress(f"reading the accepted files of {words[0]}")
        return accepted_history(deployment.buckets.data, deployment.registry, words[0])
    definition = parse(read_text(pipeline), source=str(pipeline))
    uploads = find_uploads(words)
    progress(f"judging {counted(len(uploads), 'file')}")
    return source_of(definition, ((u.name, u.path.read_bytes()) for u in uploads), lambda _: None)
