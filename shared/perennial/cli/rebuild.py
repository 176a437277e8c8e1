"""`perennial rebuild`: whether a version can be made again, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.output import Shortfall, emit, json_option, progress
from perennial.domain.rebuilding import Rebuild
from perennial.domain.words import counted
from perennial.workflows.verify import verify as see_through

DIFFERENT = 3
"""The exit code of a rebuild that is done, with another result."""


@click.command()
@click.argument("name")
@click.argument("version", required=False)
@click.option("--verify", is_flag=True, help="Compare with what is on record; must be given.")
@json_option
@on_deployment
def rebuild(
    deployment: Deployment, name: str, version: str | None, verify: bool, as_json: bool
) -> None:
    """Train a version again, and compare it bit for bit.

    VERSION of pipeline NAME, or its champion. The training job does it, in its own environment,
    from what is on record: the same rows, definition and seed. Nothing is written to the registry.

    Exit code 3 says that graph or predictions differ, and 1 that it cannot be rebuilt.
    """
    if not verify:
        raise click.UsageError("a rebuilt version is only compared, never stored: add --verify.")
    found = see_through(
        deployment.buckets.data,
        deployment.registry,
        deployment.launcher,
        deployment.clock,
        name,
        version,
        patience=deployment.config.claim_seconds,
        progress=progress,
    )
    emit(found.document(), _lines(found), as_json=as_json)
    if found.outcome == "different":
        raise Shortfall(f"{name} {found.version}: {found.reason}", code=DIFFERENT)
    if found.outcome == "impossible":
        raise Shortfall(f"{name} {found.version} cannot be rebuilt: {found.reason}")


def _lines(found: Rebuild) -> Iterator[str]:
    yield f"version    {found.version}: {_WORDS[found.outcome]}"
    yield f"reason     {found.reason}"
    yield f"graph      {found.recorded}"
    if found.rebuilt:
        yield f"rebuilt    {found.rebuilt}"
        yield f"learned    {counted(found.rows, 'row')} of {counted(found.files, 'file')}"
    yield from (f"gone       {file} ({place})" for file, place in found.missing.items())
    yield from (f"differs    {one}" for one in found.differences)
    if not found.differences:
        yield "differs    nothing of what is on record about its environment"
    if found.unrecorded:
        yield f"unknown    {', '.join(found.unrecorded)}: not on record for this version"
    steps = [f"{step} {seconds:.2f}" for step, seconds in found.seconds.items()]
    if steps:
        yield f"seconds    {', '.join(steps)}"


_WORDS = {
    "equal": "the same, bit for bit",
    "different": "not the same",
    "impossible": "cannot be rebuilt",
}
