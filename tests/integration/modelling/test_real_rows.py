"""On real rows, words of many scripts among them, graph and model agree to the last digit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from perennial.adapters.graph import Graph
from perennial.adapters.onnx_export import export
from perennial.adapters.parity import check_parity
from perennial.domain.definitions.definition import Definition
from perennial.domain.modelling.frames import columns_of
from perennial.domain.modelling.training import fit

REAL_DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def read(stream: str) -> pd.DataFrame:
    files = sorted((REAL_DATA / stream / "files").glob("*.csv"))
    if not files:
        pytest.skip(f"the real stream {stream} is not at {REAL_DATA}")
    rows = pd.concat([pd.read_csv(f, keep_default_na=False) for f in files], ignore_index=True)
    return rows.assign(event_time=pd.to_datetime(rows["event_time"], utc=True))


def test_comments_of_many_scripts() -> None:
    rows = read("ytspam")
    numbers = rows.select_dtypes("number").columns.drop("spam")
    definition = Definition.model_validate({
        "name": "ytspam",
        "task": "binary",
        "columns": {
            "event_time": {"type": "timestamp", "role": "event_time"},
            "comment_id": {"type": "category", "role": "key"},
            "video": {"type": "category"},
            "content": {"type": "text"},
            **{name: {"type": "integer"} for name in numbers},
            "spam": {"type": "integer", "role": "label"},
        },
        "training": {"model": "linear"},
    })  # fmt: skip
    model = fit(definition, rows.head(1200))
    assert not rows["content"].str.isascii().all(), "or this test shows nothing"
    report = check_parity(model, export(model), rows)
    assert report["rows"] == len(rows)
    assert report["largest_difference"] < 1e-6


def test_hourly_rentals() -> None:
    rows = read("bike")
    features = {name: {"type": "number"} for name in rows.columns.drop(["event_time", "cnt"])}
    definition = Definition.model_validate({
        "name": "bike",
        "task": "regression",
        "columns": {
            "event_time": {"type": "timestamp", "role": "event_time"},
            **features,
            "cnt": {"type": "integer", "role": "label", "rules": [{"range": [0, None]}]},
        },
    })  # fmt: skip
    model = fit(definition, rows.head(4000))
    artefact = export(model)
    report = check_parity(model, artefact, rows)
    assert report["probes"] > 5000
    assert report["largest_difference"] < 1e-3, "of hundreds of rentals"
    answers = Graph(artefact.graph, artefact).predict(columns_of(artefact.inputs, rows))
    assert answers.min() == 0
    assert np.isfinite(answers).all()
