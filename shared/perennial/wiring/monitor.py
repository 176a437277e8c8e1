"""The parts of `functions/monitor`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from perennial.adapters.clock import SystemClock
from perennial.adapters.cloud_run_jobs import CloudRunJobs
from perennial.adapters.webhook import HttpWebhook
from perennial.config import Config
from perennial.domain.monitoring.alert import document
from perennial.domain.monitoring.report import Change
from perennial.domain.verdict import Verdict
from perennial.ports import Webhook
from perennial.wiring import logs
from perennial.wiring.storage import open_buckets, open_predictions
from perennial.workflows.monitoring.look import Lookout
from perennial.workflows.monitoring.telling import Channel
from perennial.workflows.monitoring.tick import Watched, watch
from perennial.workflows.registry import Registry
from perennial.workflows.sweep import PATIENCE, Standing, Swept, sweep


@dataclass(frozen=True, slots=True)
class Monitor:
    """The workflows with their parts in place."""

    lookout: Lookout
    webhook: Webhook | None = None

    def sweep(self, tell: Callable[[Verdict | Standing], None]) -> Swept:
        """Sweep every pipeline, and tell each verdict and each champion's standing."""
        parts = self.lookout
        return sweep(
            parts.buckets, parts.registry, parts.launcher, parts.clock, tell=tell, patience=PATIENCE
        )

    def watch(self, tell: Channel) -> Watched:
        """Look at every pipeline, and tell what changed, the webhook too."""
        channels = {"log": tell}
        if self.webhook is not None:
            channels["webhook"] = _posting(self.webhook)
        return watch(self.lookout, self.lookout.registry.pipelines(), channels)


def connect(variables: Mapping[str, str]) -> Monitor:
    """Wire the monitor to the deployment that the settings name.

    Raises:
        ConfigError: when a setting is missing or wrong.
    """
    logs.configure()
    config = Config.from_mapping(variables)
    buckets, clock = open_buckets(config), SystemClock()
    lookout = Lookout(
        buckets,
        Registry(buckets.models, clock),
        CloudRunJobs(config),
        clock,
        open_predictions(config),
    )
    return Monitor(lookout, HttpWebhook(config.alert_webhook) if config.alert_webhook else None)


def _posting(webhook: Webhook) -> Channel:
    def post(pipeline: str, change: Change) -> None:
        if change.finding.severity != "info":  # which alarms nobody
            webhook.post(document(pipeline, change))

    return post
