"""The parts of `functions/predict`."""

from __future__ import annotations

from collections.abc import Mapping

from perennial.adapters.clock import SystemClock
from perennial.adapters.graph import Graph
from perennial.adapters.storage_reader import CloudStorageReader, connect
from perennial.config import Config
from perennial.wiring import logs
from perennial.workflows.serve import Server
from perennial.workflows.serving.lookups import Lookups
from perennial.workflows.serving.recording import Recorder
from perennial.workflows.serving.shadow import Shadows


def server(variables: Mapping[str, str]) -> Server:
    """A server of the models bucket that the settings name.

    Raises:
        ConfigError: when a setting is missing or wrong.
    """
    logs.configure()
    config = Config.from_mapping(variables)
    models = CloudStorageReader(connect(config, variables), config.models_bucket)
    return Server(models, SystemClock(), Graph, recorder=Recorder(logs.write, Shadows()))


def lookups(variables: Mapping[str, str]) -> Lookups:
    """What finds predictions for files in the models bucket that the settings name.

    Raises:
        ConfigError: when a setting is missing or wrong.
    """
    config = Config.from_mapping(variables)
    return Lookups(
        CloudStorageReader(connect(config, variables), config.models_bucket), SystemClock()
    )
