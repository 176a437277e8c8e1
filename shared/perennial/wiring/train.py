"""Parts of the training job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from perennial.adapters.clock import SystemClock
from perennial.adapters.cloud_run_jobs import CloudRunJobs
from perennial.adapters.model_packages import ModelPackages
from perennial.adapters.onnx_codec import OnnxCodec
from perennial.adapters.processors import pin_threads, processors
from perennial.adapters.surroundings import surroundings
from perennial.config import Config, model_packages
from perennial.domain.definitions.own_models import look_up_with
from perennial.wiring.storage import open_buckets
from perennial.workflows.registry import Registry
from perennial.workflows.trainer import Trainer

MODELS = Path(__file__).parents[2] / "models"
"""Where the job's bundle holds packages of models: beside `perennial`."""


def trainer(variables: Mapping[str, str]) -> Trainer:
    """Wire a run from environment variables, for the thread that calls. Raises `ConfigError`.

    This process imports models from now on, from the packages that the variables allow.
    """
    pin_threads(processors())  # before anything notes how many there are
    config = Config.from_mapping(variables)
    packages = ModelPackages(MODELS, model_packages(variables))
    look_up_with(packages)
    buckets = open_buckets(config)
    clock = SystemClock()
    return Trainer(
        buckets=buckets,
        registry=Registry(buckets.models, clock),
        codec=OnnxCodec(),
        launcher=CloudRunJobs(config),
        clock=clock,
        execution=variables.get("CLOUD_RUN_EXECUTION", ""),
        claim_seconds=config.claim_seconds,
        environment=surroundings(packages.digests()),
    )
