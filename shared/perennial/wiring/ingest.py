"""The parts of `functions/ingest`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from perennial.adapters.clock import SystemClock
from perennial.adapters.cloud_run_jobs import CloudRunJobs
from perennial.config import Config
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.ports import Buckets, Clock, JobLauncher
from perennial.wiring import logs
from perennial.wiring.storage import open_buckets
from perennial.workflows.ingest import ingest
from perennial.workflows.registry import Registry


@dataclass(frozen=True, slots=True)
class Ingest:
    """The workflow with its parts in place."""

    buckets: Buckets
    registry: Registry
    clock: Clock
    launcher: JobLauncher

    def __call__(self, file: FileId) -> Verdict:
        """Judge a file, and launch a run if one is due."""
        return ingest(self.buckets, self.registry, self.clock, file, self.launcher)


def connect(variables: Mapping[str, str]) -> Ingest:
    """Wire ingest to the buckets and the job that the settings name.

    Raises:
        ConfigError: when a setting is missing or wrong.
    """
    logs.configure()
    config = Config.from_mapping(variables)
    buckets = open_buckets(config)
    clock = SystemClock()
    return Ingest(buckets, Registry(buckets.models, clock), clock, CloudRunJobs(config))
