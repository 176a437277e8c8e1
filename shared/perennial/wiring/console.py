"""The parts of `functions/console`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from perennial.adapters.clock import SystemClock
from perennial.adapters.cloud_run_jobs import CloudRunJobs
from perennial.adapters.iap import IapVerifier
from perennial.adapters.predict_client import PredictClient
from perennial.config import Config, variable
from perennial.domain import names
from perennial.ports import Buckets, Clock, JobLauncher
from perennial.wiring import logs
from perennial.wiring.storage import open_buckets
from perennial.workflows.console.callers import Gate
from perennial.workflows.console.pipeline import Gatherer
from perennial.workflows.console.records import Records
from perennial.workflows.console.snapshots import Snapshots
from perennial.workflows.quarantine import Hospital
from perennial.workflows.registry import Registry

AUDIENCE = variable("console_audience")
OPERATORS = variable("console_operators")
LOCAL = variable("console_local_operator")


@dataclass(frozen=True)
class Console:
    """What pages and actions work with.

    Attributes:
        buckets: the four buckets.
        registry: pipelines and versions.
        launcher: starts runs.
        clock: the time.
        gate: who may look, and act.
        predict: asks for predictions; None where it is not known where.
    """

    buckets: Buckets
    registry: Registry
    launcher: JobLauncher
    clock: Clock
    gate: Gate
    predict: PredictClient | None = None

    def __post_init__(self) -> None:
        """Make the parts now: of two first requests at once each would make its own."""
        _ = self.gatherer

    @cached_property
    def records(self) -> Records:
        """What never changes."""
        return Records(self.registry)

    @cached_property
    def snapshots(self) -> Snapshots:
        """Listings."""
        return Snapshots(self.buckets.data, self.clock)

    @cached_property
    def gatherer(self) -> Gatherer:
        """What pages show."""
        return Gatherer(
            self.buckets.data,
            self.registry,
            self.launcher,
            self.clock,
            self.snapshots,
            self.records,
        )

    def hospital(self, pipeline: str) -> Hospital:
        """A pipeline's, or that of the files that belong to none.

        Raises:
            NotFoundError: naming the pipelines that exist.
        """
        if pipeline != names.UNKNOWN_PIPELINE:
            self.registry.require(pipeline)
        return Hospital(self.buckets, self.registry, self.launcher, self.clock, pipeline)


def connect(variables: Mapping[str, str]) -> Console:
    """Wire the console to the deployment that the settings name.

    Raises:
        ConfigError: when a setting is missing or wrong.
    """
    logs.configure()
    config = Config.from_mapping(variables)
    buckets = open_buckets(config)
    clock = SystemClock()
    return Console(
        buckets,
        Registry(buckets.models, clock),
        CloudRunJobs(config),
        clock,
        gate(variables),
        PredictClient(config.predict_url) if config.predict_url else None,
    )


def gate(variables: Mapping[str, str]) -> Gate:
    """Who may look, and act, as the settings say; with none of them nobody may."""
    audience = variables.get(AUDIENCE, "")
    operators = variables.get(OPERATORS, "").lower().split(",")
    return Gate(
        IapVerifier(audience) if audience else None,
        frozenset(one.strip() for one in operators if one.strip()),
        # With an audience there is a proxy, and then nobody is let in without it.
        "" if audience else variables.get(LOCAL, ""),
    )
