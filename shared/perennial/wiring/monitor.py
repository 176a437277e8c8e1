"""The parts of `functions/monitor`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from perennial.adapters.clock import SystemClock
from perennial.adapters.cloud_run_jobs import CloudRunJobs
from perennial.config import Config
from perennial.wiring import logs
from perennial.wiring.storage import open_buckets
from perennial.workflows.registry import Registry
from perennial.workflows.sweep import Swept, sweep


def connect(variables: Mapping[str, str]) -> Callable[[], Swept]:
    """A sweep of every pipeline in the deployment that the settings name.

    Raises:
        ConfigError: when a setting is missing or wrong.
    """
    logs.configure()
    config = Config.from_mapping(variables)
    buckets = open_buckets(config)
    clock = SystemClock()
    return partial(sweep, buckets, Registry(buckets.models, clock), CloudRunJobs(config), clock)
