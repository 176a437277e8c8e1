"""The versions of a pipeline, and why each was promoted or not."""

from __future__ import annotations

import json
from typing import Any

from perennial.domain.lineage import Lineage
from perennial.domain.registry import Head
from perennial.errors import DigestMismatch, NotFoundError
from perennial.workflows.registry import Registry


def list_versions(registry: Registry, pipeline: str) -> list[dict[str, Any]]:
    """Every version that a run brought in, oldest first: status, rows, dates, and the rule.

    Raises:
        NotFoundError: for a pipeline that was never applied.
    """
    head = registry.require(pipeline)
    return [_version(registry, head, version) for version in sorted(head.statuses)]


def explain(registry: Registry, pipeline: str, version: str) -> dict[str, Any]:
    """A version's decision with every number behind it, its lineage and its history.

    Raises:
        NotFoundError: for a pipeline or version that does not exist.
        DigestMismatch: when a stored file is not the one that the manifest states.
    """
    head = registry.require(pipeline)
    if version not in head.statuses:
        known = ", ".join(sorted(head.statuses)) or "none yet"
        raise NotFoundError(f"{pipeline} has no version {version}; there are: {known}")
    manifest = registry.manifest(pipeline, version)
    lineage = Lineage.from_json(registry.read_version_file(manifest, "lineage.json"))
    return {
        **_version(registry, head, version),
        "evaluation": json.loads(registry.read_version_file(manifest, "evaluation.json")),
        "manifest": json.loads(manifest.to_json()),
        "files": [
            {"name": f.name, "sha256": f.sha256, "rows": f.rows, "used": f.used}
            for f in lineage.files
        ],
        "history": [
            {"action": c.action, "by": c.by, "why": c.why, "at": c.at.isoformat()}
            for c in registry.history(pipeline)
            if c.version == version
        ][::-1],
    }


def _version(registry: Registry, head: Head, version: str) -> dict[str, Any]:
    manifest = registry.manifest(head.pipeline, version)
    evaluation = json.loads(registry.read_version_file(manifest, "evaluation.json"))
    if evaluation["version"] != version:
        raise DigestMismatch(f"the evaluation of {version} is that of {evaluation['version']}")
    return {
        "version": version,
        "status": head.statuses[version],
        "serving": version == head.champion,
        "created": manifest.created.isoformat(),
        "trained_rows": manifest.trained_rows,
        "trained_through": manifest.trained_through.isoformat(),
        "against": manifest.champion,
        "outcome": evaluation["duel"]["outcome"],
        "reason": evaluation["reason"],
        "run": manifest.run,
        "digest": manifest.files["model.onnx"].sha256,
    }
