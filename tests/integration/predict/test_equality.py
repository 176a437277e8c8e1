"""What HTTP answers is what the scikit-learn pipeline answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from perennial.adapters.onnx_export import export
from perennial.domain.definitions.definition import Column, Definition
from perennial.domain.definitions.recipe import Task, Training
from perennial.domain.modelling.training import Model, fit
from perennial.ports import ObjectStore
from tests.unit.predict.versions import crown, manifest_of, write_version

ROWS = 400


def rows() -> pd.DataFrame:
    """Every type of column, with missing values where they are allowed."""
    random = np.random.default_rng(7)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    frame = pd.DataFrame({
        "amount": random.normal(50, 20, ROWS).round(2),
        "visits": random.integers(0, 30, ROWS).astype(float),
        "member": random.random(ROWS) < 0.5,
        "channel": random.choice(["web", "shop", "märkt"], ROWS),
        "note": random.choice(["Great FLOWERS, thanks!", "late again", "ökologisch und gut"], ROWS),
        "at": [start + timedelta(minutes=int(m)) for m in random.integers(0, 500_000, ROWS)],
    })  # fmt: skip
    score = frame["amount"] / 20 + (frame["channel"] == "web") + random.normal(size=ROWS)
    frame["bought"] = np.where(score > 3, "yes", "no")
    frame["spent"] = score.round(3)
    frame.loc[::9, "amount"] = np.nan
    frame["channel"] = frame["channel"].where(frame.index % 11 != 0, None)
    return frame


def train(frame: pd.DataFrame, task: Task, kind: str) -> Model:
    label = "spent" if task == "regression" else "bought"
    columns = {
        "amount": Column(type="number", nullable=True),
        "visits": Column(type="integer"),
        "member": Column(type="boolean"),
        "channel": Column(type="category", nullable=True),
        "at": Column(type="timestamp", role="event_time"),
        label: Column(type="number" if task == "regression" else "category", role="label"),
    }
    if kind == "linear":
        columns["note"] = Column(type="text")
    training = Training(model=kind)
    return fit(Definition(name="shop", task=task, columns=columns, training=training), frame)


@pytest.mark.parametrize(
    ("task", "kind"),
    [
        ("regression", "hist_gradient_boosting"),
        ("binary", "hist_gradient_boosting"),
        ("binary", "linear"),
    ],
)
def test_http_and_scikit_learn_agree(models: ObjectStore, call, task: Task, kind: str) -> None:
    frame = rows()
    model = train(frame, task, kind)
    artefact = export(model)
    manifest = manifest_of(
        artefact.graph,
        "v000001",
        classes=artefact.classes,
        inputs=artefact.inputs,
        text=artefact.text,
    )
    write_version(models, manifest, artefact.graph)
    crown(models, "v000001")

    document = frame.astype({"visits": int}).astype(object).where(frame.notna(), None)
    instances = [
        {**instance, "at": instance["at"].isoformat()}
        for instance in document.to_dict(orient="records")
    ]
    status, _, answer = call.predict(*instances)
    assert status == 200, answer
    assert answered(answer["predictions"], artefact.classes) == pytest.approx(
        model.predict(frame), rel=1e-4, abs=1e-5
    )


def answered(predictions: list, classes: tuple) -> np.ndarray:
    """An answer as the array that it was made of."""
    if not classes:
        return np.array(predictions)
    return np.array([[one["probabilities"][c] for c in classes] for one in predictions])
