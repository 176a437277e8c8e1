"""The four buckets of a deployment, on Cloud Storage or on the local cloud's emulator."""

from __future__ import annotations

from perennial.adapters.cloud_storage import CloudStorageStore, connect
from perennial.config import Config
from perennial.ports import Buckets, ObjectStore


def open_buckets(config: Config) -> Buckets:
    """Connect to the buckets that the settings name; they share one client."""
    client = connect(config)
    return Buckets(
        landing=CloudStorageStore(client, config.landing_bucket),
        quarantine=CloudStorageStore(client, config.quarantine_bucket),
        data=CloudStorageStore(client, config.data_bucket),
        models=CloudStorageStore(client, config.models_bucket),
    )


def open_predictions(config: Config) -> ObjectStore | None:
    """The bucket of the prediction log; None where the settings name none."""
    if not config.predictions_bucket:
        return None
    return CloudStorageStore(connect(config), config.predictions_bucket)
