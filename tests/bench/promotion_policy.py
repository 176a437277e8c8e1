"""What the tail duel costs on real streams: its policy file by file, beside no gate at all.

    python -m tests.bench.promotion_policy bike --window 26
    python -m tests.bench.promotion_policy ytspam --graph

Each file is predicted by the champion, then held out in part, then learned, as a training run does
it; `--graph` predicts with the exported graph. Prints one line for each policy.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from numpy.typing import NDArray

from perennial.adapters.graph import Graph
from perennial.adapters.onnx_export import export
from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.duel import duel, tail_length
from perennial.domain.evaluation.scoring import Constant, Score, row_losses, score
from perennial.domain.modelling.frames import columns_of
from perennial.domain.modelling.training import Model, fit

_TYPES = {
    "int": "integer", "float": "number", "category": "category", "text": "text",
    "datetime": "timestamp",
}  # fmt: skip
_ROLES = {"id": "key", "event_time": "event_time", "feature": "feature", "label": "label"}

Predict = Callable[[pd.DataFrame], NDArray]


def load(folder: Path) -> tuple[Definition, list[pd.DataFrame], int]:
    """A stream's definition, its files' rows, and how many files are for training only."""
    schema = json.loads((folder / "schema.json").read_text())
    columns = {
        column["name"]: {"type": _TYPES[column["dtype"]], "role": _ROLES[column["role"]]}
        for column in schema["columns"]
    }
    if schema["task"] == "regression":
        columns[schema["label"]]["rules"] = [{"range": [0, None]}]
    text = any(c["type"] == "text" and c["role"] == "feature" for c in columns.values())
    definition = Definition.model_validate({
        "name": schema["name"],
        "task": schema["task"],
        "columns": columns,
        "training": {"model": "linear" if text else "hist_gradient_boosting"},
    })  # fmt: skip
    return (
        definition,
        [_read(file) for file in sorted((folder / "files").iterdir())],
        schema["reference_initial_files"],
    )


def _read(file: Path) -> pd.DataFrame:
    frame = pd.read_csv(file, keep_default_na=False)
    return frame.assign(event_time=pd.to_datetime(frame["event_time"], utc=True))


def follow(
    definition: Definition,
    files: list[pd.DataFrame],
    *,
    start: int,
    window: int | None,
    gate: bool,
    graph: bool,
) -> tuple[Score, int]:
    """The champions' progressive score from file `start` on, and how many were promoted."""
    total, promotions, fresh = Score(), 0, 0
    champion: Model | None = None
    predict: Predict | None = None
    for number, file in enumerate(files):
        if champion and predict and number >= start:
            truth = file[definition.label]
            total += score(definition.task, truth, predict(file), champion.classes)
        fresh += len(file)
        history = files[: number + 1][-(window or len(files)) :]
        rows = pd.concat(history, ignore_index=True)
        if gate and not _passes(definition, champion, predict, rows, fresh):
            continue
        champion, fresh = fit(definition, rows), 0
        promotions += 1
        predict = _graph(champion) if graph else champion.predict
    return total, promotions


def _passes(
    definition: Definition,
    champion: Model | None,
    predict: Predict | None,
    rows: pd.DataFrame,
    fresh: int,
) -> bool:
    held_out = tail_length(fresh, definition.promotion.min_duel_rows)
    if champion is None:  # a first version holds out the last fifth of an only file
        held_out = fresh // 5
    learned, tail = rows.iloc[:-held_out], rows.iloc[-held_out:]
    challenger = fit(definition, learned)
    truth = tail[definition.label]
    if champion is None or predict is None:
        constant = Constant.fit(definition, learned[definition.label])
        theirs, classes = constant.predict(held_out), constant.classes
    else:
        theirs, classes = predict(tail), champion.classes
    metric = definition.metric
    return duel(
        row_losses(metric, truth, theirs, classes),
        row_losses(metric, truth, challenger.predict(tail), challenger.classes),
        opponent="the champion",
        tolerance=definition.promotion.tolerance,
        seed=definition.training.seed,
        min_rows=definition.promotion.min_duel_rows,
        squared=metric == "rmse",
    ).promotes


def _graph(model: Model) -> Predict:
    artefact = export(model)
    graph = Graph(artefact.graph, artefact)
    return lambda frame: graph.predict(columns_of(artefact.inputs, frame))


def main() -> None:
    """Follow one stream under both policies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stream", choices=["bike", "ytspam"])
    parser.add_argument("--window", type=int, help="files to learn from; all when absent")
    parser.add_argument("--graph", action="store_true", help="predict with the exported graph")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    options = parser.parse_args()
    definition, files, start = load(options.data / options.stream)
    for gate in (True, False):
        began = time.perf_counter()
        total, promotions = follow(
            definition, files, start=start, window=options.window, gate=gate, graph=options.graph
        )
        metrics = ", ".join(f"{name} {value:.4g}" for name, value in total.metrics().items())
        print(
            f"{options.stream}, window {options.window or 'all'}, "
            f"{'tail duel' if gate else 'no gate'}: {metrics}; {promotions} of {len(files)} "
            f"promoted; {time.perf_counter() - began:.0f} s"
        )


if __name__ == "__main__":
    main()
