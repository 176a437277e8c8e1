"""The parts of `functions/monitor`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from perennial.adapters.clock import SystemClock
from perennial.adapters.cloud_run_jobs import CloudRunJobs
from perennial.config import Config
from perennial.domain.verdict import Verdict
from perennial.ports import Buckets, Clock, JobLauncher
from perennial.wiring import logs
from perennial.wiring.storage import open_buckets
from perennial.workflows.registry import Registry
from perennial.workflows.sweep import Standing, Swept, sweep


@dataclass(frozen=True, slots=True)
class Monitor:
    """The workflow with its parts in place."""

    buckets: Buckets
    registry: Registry
    launcher: JobLauncher
    clock: Clock

    def __call__(self, tell: Callable[[Verdict | Standing], None]) -> Swept:
        """Sweep every pipeline, and tell each verdict and each champion's standing."""
        return sweep(self.buckets, self.registry, self.launcher, self.clock, tell=tell)


def connect(variables: Mapping[str, str]) -> Monitor:
    """Wire the sweep to the deployment that the settings name.

    Raises:
        ConfigError: when a setting is missing or wrong.
    """
    logs.configure()
    config = Config.from_mapping(variables)
    buckets = open_buckets(config)
    clock = SystemClock()
    return Monitor(buckets, Registry(buckets.models, clock), CloudRunJobs(config), clock)
