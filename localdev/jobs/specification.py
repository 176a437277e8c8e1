"""A job as it is deployed: what an execution of it runs, and within which limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Job:
    """One deployed job.

    Attributes:
        name: the last part of its resource name.
        command: program and fixed arguments; overridden arguments follow them.
        folder: the working directory.
        environment: the whole environment, before overrides.
        memory_mib: the limit of the process and its descendants together.
        timeout_seconds: how long one task may take.
    """

    name: str
    command: list[str]
    folder: str
    environment: Mapping[str, str]
    memory_mib: int
    timeout_seconds: float


def write_jobs(path: Path, jobs: list[Job]) -> None:
    """Write what `read_jobs` reads."""
    path.write_text(json.dumps([asdict(job) for job in jobs], indent=2) + "\n")


def read_jobs(path: Path) -> dict[str, Job]:
    """Deployed jobs by name.

    Raises:
        OSError: the file cannot be read.
        ValueError, TypeError: it is not a list of jobs.
    """
    jobs = [Job(**entry) for entry in json.loads(path.read_text())]
    return {job.name: job for job in jobs}
