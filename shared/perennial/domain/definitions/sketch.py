"""A first definition as commented YAML, for a person to read and edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from perennial.domain.definitions.files import Csv
from perennial.domain.definitions.guesses import Guess
from perennial.domain.definitions.recipe import METRICS, Promotion, Task, Training
from perennial.domain.words import printable


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a first definition says.

    Attributes:
        name: the pipeline's.
        task: what the label calls for.
        task_why: what the task rests on.
        columns: a guess for each, in the files' order.
        rows, files: how much was looked at.
        csv: how CSV files are written.
        repeated: how many rows repeat another row of the same file.
    """

    name: str
    task: Task
    task_why: str
    columns: Sequence[Guess]
    rows: int
    files: int
    csv: Csv
    repeated: int


def write(sketch: Sketch) -> str:
    """The definition's text."""
    return "\n".join(_lines(sketch)) + "\n"


def _lines(sketch: Sketch) -> Iterator[str]:
    files = "1 file" if sketch.files == 1 else f"{sketch.files} files"
    yield f"# Written by `perennial init` from {sketch.rows} rows in {files}: read it, edit it,"
    yield "# then `perennial apply` it. What was only observed warns, until accepted files show it"
    yield "# too; write range or allowed where you know better: they reject, and so do types."
    yield f"name: {_yaml(sketch.name)}"
    yield f"task: {sketch.task}  # {_remark(sketch.task_why)}"
    yield "columns:"
    for column in sketch.columns:
        yield f"  {_yaml(column.name)}:  # {_remark(column.why)}"
        yield from (f"    {line}" for line in _column(column, sketch.task))
    if marks := sketch.csv.model_dump(exclude_defaults=True):
        yield f"files:\n  csv: {_yaml(marks)}  # {_dialect(sketch.csv)}"
    yield "rows:"
    yield "  max_bad_row_fraction: 0  # or 0.01: so few bad rows do not keep out their file"
    yield "checks:"
    if sketch.repeated * 100 <= sketch.rows:
        limits = "{warn: 0.01, reject: 0.3}"
        yield f"  duplicate_rows: {limits}  # share of rows that stand twice: {_seen(sketch)}"
    else:
        yield f"  duplicate_rows: {{}}  # e.g. {{warn: 0.1}}: {_seen(sketch)}"
    yield from _recipe(sketch)


def _dialect(csv: Csv) -> str:
    if csv.encoding in ("cp1252", "iso8859-1"):
        return (
            "as in the samples; the encoding is a guess: they are not UTF-8, and no more is known"
        )
    return "as in the samples"


def _seen(sketch: Sketch) -> str:
    return f"{sketch.repeated or 'none'} of {sketch.rows} rows did"


def _recipe(sketch: Sketch) -> Iterator[str]:
    """What a person is most likely to change, at its default."""
    texts = [c.name for c in sketch.columns if c.type == "text" and c.role == "feature"]
    yield "training:"
    if texts:
        yield f"  model: linear  # {_remark(', '.join(texts))}: only linear models read text"
    else:
        yield f"  model: {Training().model}  # or linear"
    yield "  window: all  # or {files: 26}, or {days: 90}: how much history a model learns from"
    yield "  trigger: {files: 1}  # a run for so many new files; or {rows: 1000}"
    yield f"  min_rows: {Training().min_rows}  # fewest for a first version"
    yield "promotion:"
    yield "  mode: automatic  # or manual: wait for `perennial approve`"
    metrics = METRICS[sketch.task]
    yield f"  metric: {metrics[0]}  # or {', '.join(metrics[1:])}"
    yield f"  tolerance: {Promotion().tolerance}  # a loss higher by this share is not worse"


def _column(column: Guess, task: Task) -> Iterator[str]:
    yield f"type: {column.type}"
    if column.role != "feature":
        yield f"role: {column.role}"
    if column.format is not None:
        yield f"format: {_yaml(column.format)}"
    if column.role == "label":
        yield from _classes(column, task)
    if column.role == "ignore":
        yield "nullable: true"
    elif column.nulls:
        yield f"nullable: true  # empty in {column.nulls} of {column.rows} rows"
    elif column.role == "feature":
        yield f"nullable: true  # though never empty in {column.rows} rows"
    rules = list(_rules(column))
    if rules:
        yield "rules:"
        yield from (f"  - {rule}" for rule in rules)


def _classes(column: Guess, task: Task) -> Iterator[str]:
    if task == "binary":
        yield f"classes: {_yaml(list(column.values))}"
    elif task == "multiclass":
        yield f"# classes: {_yaml(list(column.values))}  # would reject files with any other"


def _rules(column: Guess) -> Iterator[str]:
    if column.role in ("ignore", "event_time") or (column.role == "label" and column.values):
        return
    if column.counts:
        yield "range: [0, null]  # by its name a count: a negative one rejects the file"
    seen = f"in {column.rows} rows"
    if column.low is not None:
        bounds = _yaml([column.low, column.high])
        what = "always the same" if column.low == column.high else "the bounds"
        yield f"observed: {bounds}  # {what} {seen}"
    elif column.type == "category" and column.values and column.role == "feature":
        what = "always the same" if len(column.values) == 1 else "all that occurred"
        yield f"observed: {_yaml(list(column.values))}  # {what} {seen}"


def _yaml(value: object) -> str:
    """A value in one line of YAML."""
    line = _dump(value)
    return line if "\n" not in line else _dump(value, style='"')  # a line break needs an escape


def _dump(value: object, style: str | None = None) -> str:
    text = yaml.safe_dump(
        value, default_style=style, default_flow_style=True, allow_unicode=True, width=float("inf")
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _remark(text: str) -> str:
    """Text that fits into a comment: names of columns may hold anything."""
    return printable(text, " ")
