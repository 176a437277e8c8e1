"""A first definition, from sample files: every guess says what it rests on.

What the samples show (bounds, constants, lists of categories) becomes a rule that warns. Rules
that reject come from type and sign only, because later files may rightly differ from the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

import polars as pl

from perennial.domain.definitions.definition import Definition, parse
from perennial.domain.definitions.guesses import Guess, as_time, guess
from perennial.domain.definitions.recipe import Task
from perennial.domain.definitions.samples import read_samples
from perennial.domain.definitions.sketch import Sketch, write
from perennial.domain.formats.cells import DESCRIPTIONS
from perennial.domain.judging.validation import judge_bytes
from perennial.errors import DefinitionError

_MAX_CLASSES = 10
_ROWS_A_CLASS = 5


def infer_definition(
    name: str,
    samples: Sequence[tuple[str, bytes]],
    label: str,
    event_time: str | None = None,
) -> str:
    """Write a definition that accepts the samples.

    Args:
        name: the pipeline's name.
        samples: names and bytes of sample files.
        label: the column to predict.
        event_time: the column that says when a row happened; the first column of times that is
            nowhere empty, when None.

    Returns:
        YAML with comments.

    Raises:
        DefinitionError: when the samples cannot be read, or no definition fits them.
    """
    read = read_samples(samples)
    frame = read.cells
    _require(frame, label, "the label")
    guesses = {column: guess(column, frame[column], read.csv.decimal) for column in frame.columns}
    clock = _event_time(frame, guesses, label, event_time)
    if clock is not None:
        guesses[clock.name] = clock
    target, task, why = _label(guesses[label])
    guesses[label] = target
    sketch = Sketch(
        name, task, why, list(guesses.values()), frame.height, len(samples), read.csv, repeated=0
    )
    source = f"the definition inferred for {name}"
    sketch = _knowing(sketch, parse(write(sketch), source=source), samples)
    text = write(sketch)
    definition = parse(text, source=source)
    for sample, data in samples:
        for finding in judge_bytes(definition, sample, data).findings:
            if finding.severity == "reject":
                raise DefinitionError(f"{sample}: {finding.message}")
    return text


def _knowing(
    sketch: Sketch, definition: Definition, samples: Sequence[tuple[str, bytes]]
) -> Sketch:
    """With what only typed rows tell: those that repeat, and features that equal the label."""
    repeated, leaking = 0, set[str | None]()
    for sample, data in samples:
        judgement = judge_bytes(definition, sample, data)
        if judgement.frame is not None:
            repeated += judgement.frame.height - judgement.frame.n_unique()
        leaking |= {f.column for f in judgement.findings if f.rule == "leakage"}
    columns = [
        replace(column, role="ignore", why="equals the label in every row: a copy of it?")
        if column.name in leaking
        else column
        for column in sketch.columns
    ]
    return replace(sketch, columns=columns, repeated=repeated)


def _require(frame: pl.DataFrame, column: str, what: str) -> None:
    if column not in frame.columns:
        near = get_close_matches(column, frame.columns, n=1)
        advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(frame.columns)}"
        raise DefinitionError(f"expected a column {column!r} as {what}, found none; {advice}")


def _event_time(
    frame: pl.DataFrame, guesses: dict[str, Guess], label: str, wanted: str | None
) -> Guess | None:
    if wanted is not None:
        _require(frame, wanted, "the event time")
        found = as_time(wanted, frame[wanted])
        if found is None or found.nulls:
            expected = DESCRIPTIONS["timestamp"]
            raise DefinitionError(
                f"{wanted}: expected {expected} in every row, found others; write the definition "
                "by hand if the column has a format of its own"
            )
        return replace(found, role="event_time")
    times = (g for g in guesses.values() if g.type == "timestamp" and not g.nulls)
    first = next((g for g in times if g.name != label), None)
    return first and replace(first, role="event_time")


def _label(label: Guess) -> tuple[Guess, Task, str]:
    """The label's column, the task that it calls for, and why."""
    label = replace(label, role="label")
    seen = f"{label.name} has {label.distinct} different values in {label.rows} rows"
    if label.type == "boolean":
        return replace(label, values=(False, True)), "binary", f"{label.name} is true or false"
    if label.type == "number":
        return label, "regression", f"{label.name} is a number"
    if label.type == "integer":
        if set(label.values) and set(label.values) <= {0, 1}:
            return replace(label, values=(0, 1)), "binary", f"{label.name} is 0 or 1"
        if 1 < len(label.values) <= _MAX_CLASSES <= label.rows / _ROWS_A_CLASS:
            return label, "multiclass", f"{seen}; if they are amounts, use regression"
        return replace(label, values=()), "regression", seen
    if label.type == "category" and label.values:
        return label, "binary" if len(label.values) == 2 else "multiclass", seen
    raise DefinitionError(
        f"{label.name}: expected a number, true or false, or a few classes as the label, "
        f"found {label.type} with {label.distinct} different values in {label.rows} rows"
    )
