"""The parts of `functions/predict`."""

from __future__ import annotations

from collections.abc import Mapping

from perennial.adapters.clock import SystemClock
from perennial.adapters.cloud_storage import CloudStorageStore, connect
from perennial.adapters.graph import Graph
from perennial.config import Config
from perennial.wiring import logs
from perennial.workflows.serve import Server


def server(variables: Mapping[str, str]) -> Server:
    """A server of the models bucket that the settings name.

    Raises:
        ConfigError: when a setting is missing or wrong.
    """
    logs.configure()
    config = Config.from_mapping(variables)
    models = CloudStorageStore(connect(config), config.models_bucket)
    return Server(models, SystemClock(), Graph)
