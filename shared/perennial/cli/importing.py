"""`perennial import`: a model that was trained elsewhere, as a version."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from getpass import getuser
from pathlib import Path

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.output import Shortfall, emit, json_option, progress
from perennial.domain.versioning.importing import LARGEST, Imported, Request
from perennial.domain.words import counted
from perennial.workflows.hand_in import hand_in


class _Moment(click.ParamType[datetime]):
    """A time as ISO 8601 has it, or a day, whose end is meant; UTC where no offset is given."""

    name = "date"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"expected a date such as 2026-08-31, or a time, found {value!r}", param, ctx)
        if _is_day(value):
            moment = datetime.combine(moment, time.max)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


@click.command("import")
@click.argument("name")
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--trained-through",
    type=_Moment(),
    metavar="DATE",
    help="The newest row that it learned: what is later is what it is judged on.",
)
@click.option("--by", default=getuser, help="Who hands it in [default: you].")
@click.option("--why", default="", help="The reason, for the history.")
@json_option
@on_deployment
def import_(
    deployment: Deployment,
    name: str,
    model: Path,
    trained_through: datetime | None,
    by: str,
    why: str,
    as_json: bool,
) -> None:
    """Make an ONNX graph a version of pipeline NAME.

    MODEL is the file of a model that was trained elsewhere.

    Each input is a tensor [rows, 1] that has a feature's name (or x0, x1, … in the definition's
    order): float for numbers and booleans, string for categories and for texts (normalised as for
    models that are trained here), int64 seconds for times. The output is `prediction` [rows, 1], or
    `probabilities` [rows, classes] in the order of the label's classes.

    The training job tries it on accepted rows that are later than DATE, against the champion. One
    that passes serves; without DATE it does not take a champion's place before `perennial approve`.
    """
    with model.open("rb") as file:
        graph = file.read(LARGEST + 1)  # enough to tell that it is too large
    request = Request(
        pipeline=name,
        sha256=hashlib.sha256(graph).hexdigest(),
        file=model.name,
        trained_through=trained_through,
        by=by,
        why=why,
    )
    found = hand_in(
        deployment.buckets.data,
        deployment.registry,
        deployment.launcher,
        deployment.clock,
        request,
        graph,
        patience=deployment.config.claim_seconds,
        progress=progress,
    )
    emit(found.document(), _lines(found), as_json=as_json)
    if found.outcome == "refused":
        raise Shortfall(f"{model.name} is no version of {name}: {found.reason}")


def _lines(found: Imported) -> Iterator[str]:
    if found.version is None:
        return
    again = ", made by an earlier import of this file" if found.before else ""
    yield f"version    {found.version}: {_WORDS[found.outcome]}{again}"
    yield f"reason     {found.reason}"
    yield f"judged     on {counted(found.rows, 'row')}"
    if found.status == "waiting":
        yield f"waits      for `perennial approve {found.pipeline} {found.version}`"


_WORDS = {
    "promoted": "approved, and serves unless another has taken its place",
    "waiting_approval": "waits for a person",
    "rejected": "turned down",
}
