"""What a training run works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from perennial.ports import Buckets, Clock, JobLauncher, ModelCodec
from perennial.workflows.registry import Registry


@dataclass(frozen=True, slots=True)
class Trainer:
    """What a run works with.

    Attributes:
        execution: the platform's name of this process, so that others can tell when it is over.
        claim_seconds: how long a claim lives; beyond the job's own timeout.
        environment: versions of Python and of the libraries that decide the result.
    """

    buckets: Buckets
    registry: Registry
    codec: ModelCodec
    launcher: JobLauncher
    clock: Clock
    execution: str = ""
    claim_seconds: float = 7200.0
    environment: Mapping[str, str] = field(default_factory=dict)
