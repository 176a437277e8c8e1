"""`perennial check`: the five deployment tests of a champion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.output import INSTEAD, Shortfall, Styled, emit, json_option, progress
from perennial.cli.predictor import Predictor
from perennial.domain.words import printable

if TYPE_CHECKING:
    from perennial.ports import Graphs

FAILED = 3
"""The exit code of a check that was made, and found something wrong."""

_COLOURS = {"passed": "green", "failed": "red", "not possible": "yellow"}


@click.command()
@click.argument("name")
@click.option(
    "--impersonate", metavar="EMAIL", default="",
    help="Service account to call the predict function as, as with `perennial predict`.",
)  # fmt: skip
@json_option
@on_deployment
def check(deployment: Deployment, name: str, impersonate: str, as_json: bool) -> None:
    """Put a champion through the five deployment tests.

    Of pipeline NAME: input data, feature engineering, quality of the new version, serving
    infrastructure, and the integration of the parts by a real request over HTTP. Each test says
    what it looked at and found; what could not be looked at is `not possible`, with the reason.
    Nothing is written.

    Exit code 3 says that a test failed.
    """
    deployment.registry.require(name)
    # Imported here because it brings pandas, and a slip in the name should show at once.
    from perennial.workflows.check import check as put_through

    found = put_through(
        deployment.buckets.data,
        deployment.registry,
        deployment.clock,
        name,
        _graphs(),
        lambda: Predictor.find(deployment, name, impersonate),
        progress=progress,
    )
    document = found.document()
    emit(document, _lines(document), as_json=as_json)
    if found.failures:
        said = "; ".join(f"{one.what}: {one.said}" for one in found.failures)
        raise Shortfall(f"{name} {found.version} fails: {said}", code=FAILED)


def _graphs() -> Graphs | None:
    try:
        from perennial.wiring.check import graphs
    except ImportError:  # an extra: only checking runs graphs on this machine
        return None
    return graphs()


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield f"{document['pipeline']} {document['version']}"
    for number, test in enumerate(document["tests"], start=1):
        yield ""
        yield Styled(f"{number}. {test['test']}: {_coloured(test['result'])}")
        width = max(len(look["what"]) for look in test["looks"])
        for look in test["looks"]:
            result = _coloured(f"{look['result']:<12}", look["result"])
            said = printable(look["said"], INSTEAD)
            yield Styled(f"   {result}  {look['what']:<{width}}  {said}")


def _coloured(text: str, result: str = "") -> str:
    return click.style(text, fg=_COLOURS[result or text])
