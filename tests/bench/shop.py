"""One model in several forms: a version as `predict` serves it, and files for its rivals."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import UTC, datetime

import joblib
import numpy as np
import pandas as pd

from perennial.adapters.onnx_export import export
from perennial.domain import names
from perennial.domain.definitions.definition import Column, Definition
from perennial.domain.modelling.training import fit
from perennial.domain.versioning.manifest import FileDigest, Manifest
from perennial.domain.versioning.registry import Head
from perennial.ports import ObjectStore
from tests.bench.rivals.serving.pipeline import CATEGORIES, by_hand, fitted

PIPELINE = "shop"
VERSION = "v000001"
JOBLIB = "model.joblib"
HAND_ENCODED = "hand-encoded.joblib"

_NUMBERS = [f"n{place}" for place in range(9)]
_FLAGS = ["returning", "newsletter"]
_ROWS = 4000


def publish(models: ObjectStore) -> pd.DataFrame:
    """Write all forms into a bucket; the rows that they were fitted on, with their label."""
    rows = sample()
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
    head = Head(
        PIPELINE,
        number=1,
        definition=manifest.definition,
        champion=VERSION,
        statuses={VERSION: "approved"},
    )
    settings = names.serving_settings(PIPELINE, head.definition)
    models.create(settings, definition.served.to_json())
    models.create(names.version(PIPELINE, VERSION, "model.onnx"), artefact.graph)
    models.create(names.version(PIPELINE, VERSION, "manifest.json"), manifest.to_json())
    models.create(names.head(PIPELINE), head.to_json())
    rival = fitted(rows)
    models.create(JOBLIB, _joblib(rival))
    models.create(HAND_ENCODED, _joblib(by_hand(rival)))
    return rows


def body(rows: pd.DataFrame, instances: str = "instances") -> bytes:
    """A request with these rows, under the key that a server's format wants."""
    found = rows.drop(columns="bought").to_dict("records")
    return json.dumps({instances: found}, default=lambda value: value.item()).encode()


def sample(count: int = _ROWS) -> pd.DataFrame:
    """Labelled rows, the same every time."""
    random = np.random.default_rng(0)
    rows = pd.DataFrame(random.normal(size=(count, len(_NUMBERS))).round(3), columns=_NUMBERS)
    for name in CATEGORIES:
        rows[name] = random.choice(["red", "green", "blue", "white"], count)
    for name in _FLAGS:
        rows[name] = random.random(count) < 0.5
    odds = rows["n0"] + (rows["channel"] == "red") + random.normal(size=count)
    rows["bought"] = np.where(odds > 0.5, "yes", "no")
    return rows


def _definition() -> Definition:
    columns = {name: Column(type="number") for name in _NUMBERS}
    columns |= {name: Column(type="category") for name in CATEGORIES}
    columns |= {name: Column(type="boolean") for name in _FLAGS}
    columns["bought"] = Column(type="category", role="label")
    return Definition(name=PIPELINE, task="binary", columns=columns)


def _joblib(model: object) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()
