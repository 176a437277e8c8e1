"""`perennial score`: the predictions for whole files."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.drop import HELD_BACK, facts_of
from perennial.cli.output import Shortfall, emit, json_option, progress, table
from perennial.cli.uploads import find_uploads
from perennial.config import Config
from perennial.domain.formats.spreadsheet import safe
from perennial.workflows.batch.asking import Answered, Asker


@click.command()
@click.argument("name")
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option("--version", metavar="V", help="An approved version [default: the champion].")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where predictions are written [default: beside each file].",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["parquet", "csv"]),
    default="parquet",
    show_default=True,
    help="Of the predictions.",
)
@click.option(
    "--patience",
    type=float,
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up after so long without any progress.",
)
@json_option
@on_deployment
def score(
    deployment: Deployment,
    name: str,
    paths: tuple[str, ...],
    version: str | None,
    output: Path | None,
    kind: str,
    patience: float,
    as_json: bool,
) -> None:
    """Predict every row of files for pipeline NAME, once.

    The label may be missing; all other rules are those of `drop`. Files lie in the pipeline's
    folder score/ of landing, where nothing learns from them; the training job predicts. The same
    file is scored once by a version, however often it is asked for.

    FILE.predictions.parquet has the number of each row, its key columns and its prediction, and
    FILE.predictions.json says which version predicted what. Folders and globs leave such files out.
    In CSV, text that a spreadsheet would take for a formula begins with an apostrophe.

    Exit code 3 says that it is done, and that files are quarantined.
    """
    asker = Asker(
        deployment.buckets,
        deployment.registry,
        deployment.launcher,
        deployment.clock,
        name,
        patience=patience,
        progress=progress,
    )
    answered = asker.score(find_uploads(paths), version)
    document = {
        "pipeline": name,
        "files": [_kept(deployment.config, asker, one, output, kind) for one in answered],
    }
    emit(document, _lines(document), as_json=as_json)
    _complain(name, answered)


def _kept(
    config: Config, asker: Asker, answered: Answered, output: Path | None, kind: str
) -> dict[str, Any]:
    """Write the predictions of one file where they are wanted; what is told of it."""
    scored = answered.scored
    facts = {
        "path": str(answered.path),
        **facts_of(config, asker.pipeline, answered.file, answered.verdict),
    }
    if scored is None:
        return facts
    facts |= {"outcome": scored.outcome, "version": scored.version, "rows": scored.rows}
    if scored.outcome == "failed":
        return facts | {"reason": scored.reason}
    base = answered.path if output is None else output / answered.name
    base.parent.mkdir(parents=True, exist_ok=True)
    predictions = base.with_name(f"{base.name}.predictions.{kind}")
    manifest = base.with_name(f"{base.name}.predictions.json")
    data = asker.download(scored)
    predictions.write_bytes(as_csv(data) if kind == "csv" else data)
    manifest.write_bytes(scored.to_json())
    return facts | {
        "predictions": str(predictions),
        "manifest": str(manifest),
        "object": f"gs://{config.data_bucket}/{scored.predictions}",
    }


def as_csv(parquet: bytes) -> bytes:
    """Predictions as CSV; text that a spreadsheet would take for a formula begins with a '."""
    # Imported here because only this form needs them.
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as pq

    table = pq.read_table(pa.BufferReader(parquet))
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            cells = [None if one is None else safe(one) for one in table[place].to_pylist()]
            table = table.set_column(place, field, pa.array(cells, field.type))
    buffer = pa.BufferOutputStream()
    csv.write_csv(
        table.rename_columns([safe(name) for name in table.column_names]),
        buffer,
        csv.WriteOptions(quoting_style="needed"),
    )
    return bytes(buffer.getvalue())


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield table(
        ("file", "version", "rows", "predictions"),
        (
            (
                f["path"],
                f.get("version", ""),
                f.get("rows") or "",
                f.get("predictions") or f"{f.get('outcome') or f['verdict']}: {f['reason']}",
            )
            for f in document["files"]
        ),
    )


def _complain(name: str, answered: list[Answered]) -> None:
    failed = [a.scored for a in answered if a.scored and a.scored.outcome == "failed"]
    if failed:
        raise Shortfall(failed[0].sentence)
    held = [a for a in answered if not a.to_score]
    if held:
        command = shlex.join(["perennial", "quarantine", "show", name, held[0].file.name])
        raise Shortfall(
            f"{len(held)} of {len(answered)} not scored: `{command}` says what is wrong",
            code=HELD_BACK,
        )
