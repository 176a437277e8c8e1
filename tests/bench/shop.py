"""One model in two forms: a version as `predict` serves it, and a joblib file for the rival."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import UTC, datetime

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from perennial.adapters.onnx_export import export
from perennial.domain import names
from perennial.domain.definition import Column, Definition
from perennial.domain.manifest import FileDigest, Manifest
from perennial.domain.registry import Head
from perennial.domain.training import fit
from perennial.ports import ObjectStore

PIPELINE = "shop"
VERSION = "v000001"
JOBLIB = "model.joblib"

_NUMBERS = [f"n{place}" for place in range(9)]
_CATEGORIES = ["channel", "weekday", "region"]
_FLAGS = ["returning", "newsletter"]
_ROWS = 4000


def publish(models: ObjectStore) -> bytes:
    """Write both forms into a bucket, and return a request with one instance of 14 columns."""
    rows = _rows()
    definition = _definition()
    artefact = export(fit(definition, rows))
    manifest = Manifest(
        pipeline=PIPELINE,
        version=VERSION,
        task="binary",
        label="bought",
        classes=artefact.classes,
        inputs=artefact.inputs,
        text=artefact.text,
        files={
            "model.onnx": FileDigest(
                hashlib.sha256(artefact.graph).hexdigest(), len(artefact.graph)
            )
        },
        run="bench",
        champion=None,
        definition="0" * 64,
        trained_rows=_ROWS,
        trained_through=datetime.now(UTC),
        created=datetime.now(UTC),
        seed=0,
    )
    head = Head(PIPELINE, number=1, champion=VERSION, statuses={VERSION: "approved"})
    models.create(names.version(PIPELINE, VERSION, "model.onnx"), artefact.graph)
    models.create(names.version(PIPELINE, VERSION, "manifest.json"), manifest.to_json())
    models.create(names.head(PIPELINE), head.to_json())
    models.create(JOBLIB, _joblib(_rival(rows)))
    instance = rows.drop(columns="bought").iloc[0].to_dict()
    return json.dumps({"instances": [instance]}, default=lambda value: value.item()).encode()


def _rows() -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(random.normal(size=(_ROWS, len(_NUMBERS))).round(3), columns=_NUMBERS)
    for name in _CATEGORIES:
        rows[name] = random.choice(["red", "green", "blue", "white"], _ROWS)
    for name in _FLAGS:
        rows[name] = random.random(_ROWS) < 0.5
    odds = rows["n0"] + (rows["channel"] == "red") + random.normal(size=_ROWS)
    rows["bought"] = np.where(odds > 0.5, "yes", "no")
    return rows


def _definition() -> Definition:
    columns = {name: Column(type="number") for name in _NUMBERS}
    columns |= {name: Column(type="category") for name in _CATEGORIES}
    columns |= {name: Column(type="boolean") for name in _FLAGS}
    columns["bought"] = Column(type="category", role="label")
    return Definition(name=PIPELINE, task="binary", columns=columns)


def _rival(rows: pd.DataFrame) -> Pipeline:
    """The same estimator, as one would write it on a DataFrame."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    pipeline = make_pipeline(
        make_column_transformer((encoder, _CATEGORIES), remainder="passthrough"),
        HistGradientBoostingClassifier(random_state=0),
    )
    return pipeline.fit(rows.drop(columns="bought"), rows["bought"])


def _joblib(model: Pipeline) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()
