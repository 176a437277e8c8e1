"""`perennial approve`, `reject`, `rollback`, `unpin`: what a person says of versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from getpass import getuser

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.output import emit, json_option
from perennial.domain.versioning.registry import Head
from perennial.workflows import promotion

_by_option = click.option("--by", default=getuser, help="Who decides [default: you].")
_why_option = click.option("--why", default="", help="The reason, for the history.")


@click.command()
@click.argument("name")
@click.argument("version", required=False)
@_by_option
@_why_option
@json_option
@on_deployment
def approve(
    deployment: Deployment, name: str, version: str | None, by: str, why: str, as_json: bool
) -> None:
    """Let a version that waits serve: the latest, or VERSION."""
    _show(promotion.approve(deployment.registry, name, version, by=by, why=why), as_json=as_json)


@click.command()
@click.argument("name")
@click.argument("version", required=False)
@_by_option
@_why_option
@json_option
@on_deployment
def reject(
    deployment: Deployment, name: str, version: str | None, by: str, why: str, as_json: bool
) -> None:
    """Turn down a version that waits: the latest, or VERSION."""
    _show(promotion.reject(deployment.registry, name, version, by=by, why=why), as_json=as_json)


@click.command()
@click.argument("name")
@click.option("--to", metavar="V", help="The version to return to [default: the last champion].")
@_by_option
@click.option("--why", required=True, help="The reason, for the history.")
@json_option
@on_deployment
def rollback(
    deployment: Deployment, name: str, to: str | None, by: str, why: str, as_json: bool
) -> None:
    """Return to an earlier champion, and pin it.

    Later versions are trained and judged, and wait until `perennial unpin`.
    """
    head = promotion.rollback(deployment.registry, deployment.clock, name, to, by=by, why=why)
    _show(head, as_json=as_json)


@click.command()
@click.argument("name")
@_by_option
@_why_option
@json_option
@on_deployment
def unpin(deployment: Deployment, name: str, by: str, why: str, as_json: bool) -> None:
    """Let later versions of pipeline NAME be promoted again."""
    head = promotion.unpin(deployment.registry, name, by=by, why=why)
    _show(head, as_json=as_json, after=lambda: _from_now_on(deployment, head))


def _show(head: Head, *, as_json: bool, after: Callable[[], str] | None = None) -> None:
    document = {
        "pipeline": head.pipeline,
        "champion": head.champion,
        "pinned": head.pin and {"by": head.pin.by, "why": head.pin.why, "at": str(head.pin.at)},
        "versions": dict(head.statuses),
        "commit": head.commit,
    }
    emit(document, _lines(head, after), as_json=as_json)


def _lines(head: Head, after: Callable[[], str] | None) -> Iterator[str]:
    pinned = f", pinned by {head.pin.by}: {head.pin.why}" if head.pin else ""
    yield f"{head.pipeline}: {head.champion or 'no version'} serves{pinned}"
    if head.pin:
        yield f"later versions wait until `perennial unpin {head.pipeline}`"
    if after:
        yield after()
    if head.waiting:
        verb = "waits" if len(head.waiting) == 1 else "wait"
        first = f"unpin {head.pipeline}` and `perennial " if head.pin else ""
        yield (
            f"{', '.join(head.waiting)} {verb}: `perennial {first}approve {head.pipeline}` "
            "lets it serve"
        )


def _from_now_on(deployment: Deployment, head: Head) -> str:
    """What an unpinned pipeline does with the next version that passes."""
    mode = deployment.registry.definition(head).promotion.mode
    then = "serves at once" if mode == "automatic" else "waits for approval"
    return f"nothing is pinned: the next version that passes {then} (promotion.mode: {mode})"
