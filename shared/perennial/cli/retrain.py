"""`perennial retrain`: a run now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.output import emit, json_option, progress
from perennial.domain.words import counted
from perennial.workflows.retrain import retrain as run_now


@click.command()
@click.argument("name")
@json_option
@on_deployment
def retrain(deployment: Deployment, name: str, as_json: bool) -> None:
    """Train pipeline NAME now, due or not.

    Waits for the end of the run and shows its statistics. A static model is trained anew on its
    span, and meets the champion on rows that neither has learned.
    """
    run = run_now(
        deployment.buckets,
        deployment.registry,
        deployment.launcher,
        deployment.clock,
        name,
        progress=progress,
    )
    emit(run, _lines(run), as_json=as_json)


def _lines(run: dict[str, Any]) -> Iterator[str]:
    yield f"run        {run['run']}: {run['outcome']}"
    yield f"reason     {run['reason']}"
    if run["version"]:
        yield f"version    {run['version']}"
    if run["files"]:
        yield f"new        {counted(run['rows'], 'row')} in {counted(run['files'], 'file')}"
    elif run["outcome"] == "nothing_new":
        yield "new        no files"
    steps = [f"{step} {seconds:.2f}" for step, seconds in run["seconds"].items()]
    if steps:
        yield f"seconds    {', '.join(steps)}"
