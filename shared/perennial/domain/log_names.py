"""Loggers whose lines others read: the deployment's log sink and metrics, the local cloud, monitor.

Standard library only, because `predict` ships with it.
"""

from __future__ import annotations

PREDICTIONS = "perennial.predictions"
"""What was asked and answered; the log's sink keeps these lines."""

LOOK_UPS = "perennial.workflows.serving.pipeline"
"""Whether `predict` can follow the registry: lines with `failed_lookup` are kept, too."""
