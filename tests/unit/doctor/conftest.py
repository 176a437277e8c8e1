"""A deployment's descriptor, as Terraform writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from perennial.domain.descriptor import Descriptor

from .documents import Google, deployment

TABLE = Path(__file__).resolve().parents[3] / "infra" / "deployment.yaml"


def stored(project: str = "acme-1", deployment: str = "perennial") -> dict[str, Any]:
    """The document, with the table that is really deployed."""
    return {
        "format": 1,
        "project": project,
        "region": "europe-west1",
        "deployment": deployment,
        "buckets": {
            role: f"{project}-{deployment}-{role}"
            for role in ("landing", "quarantine", "data", "models", "predictions")
        },
        "train_job": f"{deployment}-train",
        "predict": f"https://{deployment}-predict-abc123-ew.a.run.app",
        "caller": f"{deployment}-caller@{project}.iam.gserviceaccount.com",
        "services": {name: f"{deployment}-{name}" for name in ("ingest", "predict", "monitor")},
        "trigger": f"{deployment}-ingest",
        "subscription": f"projects/{project}/subscriptions/eventarc-europe-west1-ingest-sub-042",
        "dead_letter_topic": f"projects/{project}/topics/{deployment}-dead-letters",
        "scheduler_job": f"{deployment}-sweep",
        "predict_public": False,
        "table": yaml.safe_load(TABLE.read_text()),
    }


@pytest.fixture
def document() -> dict[str, Any]:
    return stored()


@pytest.fixture
def descriptor() -> Descriptor:
    document = stored()
    del document["format"]
    return Descriptor(**document)


@pytest.fixture
def google(descriptor: Descriptor) -> Google:
    return Google(deployment(descriptor))
