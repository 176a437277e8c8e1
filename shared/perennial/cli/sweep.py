"""`perennial sweep`: bring about whatever events failed to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.output import Shortfall, emit, json_option
from perennial.domain.words import counted
from perennial.workflows.sweep import sweep as sweep_landing


@click.command()
@click.argument("name", required=False)
@json_option
@on_deployment
def sweep(deployment: Deployment, name: str | None, as_json: bool) -> None:
    """Judge files and start runs that events failed to.

    For pipeline NAME, or for all of them.
    """
    if name:
        deployment.registry.require(name)
    swept = sweep_landing(
        deployment.buckets, deployment.registry, deployment.launcher, deployment.clock, name
    )
    document = {
        "listed": swept.listed,
        "judged": dict(swept.judged),
        "launched": swept.launched,
        "scoring": swept.scoring,
        "errors": swept.errors,
    }
    emit(document, _lines(document), as_json=as_json)
    if swept.errors:
        raise Shortfall(
            "; ".join(f"{pipeline}: {error}" for pipeline, error in swept.errors.items())
        )


def _lines(document: dict[str, Any]) -> Iterator[str]:
    judged = ", ".join(f"{number} {decision}" for decision, number in document["judged"].items())
    yield f"{counted(document['listed'], 'file')} seen; judged now: {judged or 'none'}"
    yield f"runs started: {', '.join(document['launched']) or 'none'}"
    if document["scoring"]:
        yield f"scoring started: {', '.join(document['scoring'])}"
