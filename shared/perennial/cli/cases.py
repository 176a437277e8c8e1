"""What the commands about files in quarantine have in common."""

from __future__ import annotations

from typing import Any

from perennial.cli.context import Deployment
from perennial.domain import names
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.workflows.quarantine import Hospital


def hospital_of(deployment: Deployment, name: str) -> Hospital:
    """The hospital of a pipeline that exists, or of the files that belong to none."""
    if name != names.UNKNOWN_PIPELINE:
        deployment.registry.require(name)
    return Hospital(
        deployment.buckets, deployment.registry, deployment.launcher, deployment.clock, name
    )


def told(verdict: Verdict) -> dict[str, Any]:
    """What became of a file, ready for JSON."""
    return row(verdict.file, verdict.decision, verdict.rows, verdict.reason)


def row(file: FileId, verdict: str | None, rows: int, reason: str) -> dict[str, Any]:
    """What is told of one file in every document about decisions."""
    return {
        "name": file.name,
        "generation": file.generation,
        "verdict": verdict,
        "rows": rows,
        "reason": reason,
    }
