"""`perennial rebuild`: whether versions can be made again, bit for bit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import get_args

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.output import Shortfall, emit, json_option, progress, table
from perennial.domain.versioning.rebuilding import Outcome, Rebuild
from perennial.domain.words import counted
from perennial.workflows.verify import Verifier

DIFFERENT = 3
"""The exit code of a rebuild that is done, with another result."""


@click.command()
@click.argument("name")
@click.argument("version", required=False)
@click.option("--all", "every", is_flag=True, help="Every version, whatever became of it.")
@click.option("--verify", is_flag=True, help="Compare with what is on record; must be given.")
@json_option
@on_deployment
def rebuild(
    deployment: Deployment,
    name: str,
    version: str | None,
    every: bool,
    verify: bool,
    as_json: bool,
) -> None:
    """Train a version again, and compare it bit for bit.

    VERSION of pipeline NAME, or its champion, or with --all every version. The training job does
    it, in its own environment, from what is on record: the same rows, definition and seed. Nothing
    is written to the registry.

    Exit code 3 says that graph or predictions differ, and 1 that one cannot be rebuilt.
    """
    if not verify:
        raise click.UsageError("a rebuilt version is only compared, never stored: add --verify.")
    if every and version:
        raise click.UsageError(f"--all is every version: leave out {version}.")
    verifier = Verifier(
        deployment.buckets.data,
        deployment.registry,
        deployment.launcher,
        deployment.clock,
        patience=deployment.config.claim_seconds,
        progress=progress,
    )
    if every:
        _every(name, list(verifier.every(name)), as_json=as_json)
        return
    found = verifier.one(name, version)
    emit(found.document(), _lines(found), as_json=as_json)
    if found.outcome == "different":
        raise Shortfall(f"{name} {found.version}: {found.reason}", code=DIFFERENT)
    if found.outcome == "impossible":
        raise Shortfall(f"{name} {found.version} cannot be rebuilt: {found.reason}")


def _every(name: str, results: list[Rebuild], *, as_json: bool) -> None:
    counts = Counter(found.outcome for found in results)
    document = {
        "pipeline": name,
        **{outcome: counts[outcome] for outcome in get_args(Outcome)},
        "versions": [found.document() for found in results],
    }
    emit(document, _table(results, counts["equal"]), as_json=as_json)
    others = [f for f in results if f.outcome != "equal"]
    if others:
        raise Shortfall(
            f"{name}: {counts['different']} of {counted(len(results), 'version')} "
            f"came out otherwise, {counts['impossible']} cannot be rebuilt; the first is "
            f"{others[0].version}: {others[0].reason}",
            code=DIFFERENT if counts["different"] else 1,
        )


def _table(results: list[Rebuild], equal: int) -> Iterator[str]:
    yield table(
        ("version", "result", "rows", "files", "seconds", "differs"),
        (
            (
                found.version,
                _WORDS[found.outcome],
                f"{found.rows:,}" if found.rebuilt else "",
                found.files or "",
                f"{sum(found.seconds.values()):.2f}",
                "; ".join(map(str, found.differences)) or "",
            )
            for found in results
        ),
    )
    yield ""
    yield f"{equal} of {counted(len(results), 'version')} rebuilt bit for bit"


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
