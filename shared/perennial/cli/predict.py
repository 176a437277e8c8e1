"""`perennial predict`: ask the predict function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.instances import Instances, parse_instances, read_instances
from perennial.cli.output import INSTEAD, emit, json_option, progress, table
from perennial.cli.predictor import BATCH, Predictor
from perennial.domain.words import printable
from perennial.errors import PerennialError


@click.command()
@click.argument("name")
@click.option(
    "--file",
    "rows",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A .csv or .jsonl file of rows, also with .gz.",
)
@click.option("--instances", metavar="JSON", help='As in \'[{"column": 1, "other": "b"}]\'.')
@click.option("--version", metavar="V", help="An approved version [default: the champion].")
@click.option(
    "--impersonate",
    metavar="EMAIL",
    default="",
    help="Service account to ask as [default: yourself if a service account, else the "
    "deployment's caller].",
)
@json_option
@on_deployment
def predict(
    deployment: Deployment,
    name: str,
    rows: Path | None,
    instances: str | None,
    version: str | None,
    impersonate: str,
    as_json: bool,
) -> None:
    """Ask the predict function of pipeline NAME about rows.

    In a project, the identity token that the function wants is made on the way.
    """
    if (rows is None) == (instances is None):
        raise click.UsageError("Give either --file or --instances.")
    given = read_instances(rows) if rows else parse_instances(instances or "")
    predictor = Predictor.find(deployment, name, impersonate)
    document = _ask(predictor, given, version)
    emit(document, _lines(document), as_json=as_json)
    if ignored := document.get("ignored"):
        warning = _warning(predictor, document["model_version"], ignored)
        click.echo(f"perennial: {printable(warning, INSTEAD)}", err=True)


def _ask(predictor: Predictor, instances: Instances, version: str | None) -> dict[str, Any]:
    """Ask in batches, all of the version that answered the first."""
    answer: dict[str, Any] = {}
    predictions: list[Any] = []
    ignored: dict[str, None] = {}
    for start in range(0, len(instances.values), BATCH):
        answer = predictor.ask(instances, start, version)
        version = answer["model_version"]
        predictions += answer["predictions"]
        ignored.update(dict.fromkeys(answer.get("ignored", ())))
        progress(f"{len(predictions)} of {len(instances.values)} rows")
    answer["predictions"] = predictions
    return {**answer, "ignored": list(ignored)} if ignored else answer


def _warning(predictor: Predictor, version: str, ignored: Sequence[str]) -> str:
    """What was not read, each with the input that it may be a slip for."""
    try:
        inputs = {name.lower(): name for name in predictor.inputs(version)}
    except PerennialError:  # the predictions are there; the hint is not worth a failure
        inputs = {}
    named = []
    for name in ignored:
        near = get_close_matches(name.lower(), inputs, n=1)
        named.append(f"{name} (did you mean {inputs[near[0]]}?)" if near else name)
    return f"{version} does not read {', '.join(named)}"


def _lines(document: dict[str, Any]) -> Iterator[str]:
    predictions = document["predictions"]
    yield f"{document['model_version']} predicts"
    if isinstance(predictions[0], dict):
        classes = list(predictions[0]["probabilities"])
        rows = (
            (p["label"], *(f"{p['probabilities'][c]:.4f}" for c in classes)) for p in predictions
        )
        yield table(("label", *classes), rows)
    else:
        yield from (f"{prediction:g}" for prediction in predictions)
