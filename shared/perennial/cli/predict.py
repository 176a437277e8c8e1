"""`perennial predict`: ask the predict function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import requests

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.instances import Instance, parse_instances, read_instances
from perennial.cli.output import emit, json_option, progress, table
from perennial.config import variable
from perennial.errors import ConfigError, PerennialError, UserError

BATCH = 1000
"""Instances in one request."""
_TIMEOUT = 60.0


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
@json_option
@on_deployment
def predict(
    deployment: Deployment,
    name: str,
    rows: Path | None,
    instances: str | None,
    version: str | None,
    as_json: bool,
) -> None:
    """Ask the predict function of pipeline NAME about rows."""
    if (rows is None) == (instances is None):
        raise click.UsageError("Give either --file or --instances.")
    given = read_instances(rows) if rows else parse_instances(instances or "")
    if not deployment.config.predict_url:
        raise ConfigError(f"set {variable('predict_url')} to the predict function's URL")
    url = f"{deployment.config.predict_url.rstrip('/')}/v1/models/{quote(name, safe='')}:predict"
    document = _ask(url, given, version)
    emit(document, _lines(document), as_json=as_json)


def _ask(url: str, instances: Sequence[Instance], version: str | None) -> dict[str, Any]:
    """Ask in batches, all of the version that answered the first."""
    answer: dict[str, Any] = {}
    for start in range(0, len(instances), BATCH):
        part = _request(url, instances[start : start + BATCH], version, start)
        version = part["model_version"]
        if answer:
            part["predictions"] = answer["predictions"] + part["predictions"]
        answer = part
        progress(f"{len(answer['predictions'])} of {len(instances)} rows")
    return answer


def _request(
    url: str, instances: Sequence[Instance], version: str | None, start: int
) -> dict[str, Any]:
    query = {"version": version} if version else {}
    try:
        response = requests.post(url, json={"instances": instances}, params=query, timeout=_TIMEOUT)
        document: dict[str, Any] = response.json()
    except requests.JSONDecodeError:
        raise PerennialError(f"{url} answers {response.status_code} {response.reason}") from None
    except requests.RequestException as error:
        raise PerennialError(f"the predict function does not answer at {url}: {error}") from None
    if response.ok:
        return document
    raise UserError(_problem(document, start))


def _problem(document: dict[str, Any], start: int) -> str:
    """A problem document (RFC 9457) in one line; `start` is the batch's place among all rows."""
    said = str(document.get("detail") or document.get("title") or document)
    for error in document.get("errors", [])[:1]:
        said += (
            f" (first: row {start + error['instance'] + 1}, {error['field'] or 'the row itself'}: "
            f"expected {error['expected']}, found {error['found']})"
        )
    return said


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
