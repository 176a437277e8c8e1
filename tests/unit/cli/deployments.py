"""A deployment in a project, as Terraform leaves it: its descriptor in a bucket of the emulator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from localdev.settings import TABLE
from perennial.adapters.cloud_storage import CloudStorageStore, connect
from perennial.config import Config
from perennial.domain.descriptor import OBJECT, ROLES, SERVICES, Descriptor

PROJECT = "garden-1"
CALLER = "perennial-caller@garden-1.iam.gserviceaccount.com"


def descriptor(deployment: str = "perennial", **changes: Any) -> Descriptor:
    """What a deployment in `PROJECT` says of itself."""
    return replace(
        Descriptor(
            project=PROJECT,
            region="europe-west1",
            deployment=deployment,
            buckets={role: f"{PROJECT}-{deployment}-{role}" for role in ROLES},
            train_job=f"{deployment}-train",
            predict="https://predict.test",
            caller=CALLER,
            services={name: f"{deployment}-{name}" for name in SERVICES},
            trigger=f"{deployment}-ingest",
            subscription=f"projects/{PROJECT}/subscriptions/eventarc-ingest-sub-1",
            dead_letter_topic=f"projects/{PROJECT}/topics/{deployment}-dead-letters",
            scheduler_job=f"{deployment}-sweep",
            predict_public=False,
            table=TABLE,
        ),
        **changes,
    )


def leave(storage_url: str, bucket: str, data: bytes) -> None:
    """Put a descriptor's bytes where command lines look for them."""
    client = connect(Config("", "", "", "", storage_endpoint=storage_url))
    CloudStorageStore(client, bucket).overwrite(OBJECT, data)
