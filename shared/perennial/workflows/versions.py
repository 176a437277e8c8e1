"""The versions of a pipeline, and why each was promoted or not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from perennial.domain.evaluation.measuring import told
from perennial.domain.evaluation.scoring import Score
from perennial.domain.judging.redelivery import superseded
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.lineage import Lineage
from perennial.domain.versioning.registry import Commit, Head
from perennial.errors import DigestMismatch, NotFoundError
from perennial.ports import ObjectStore
from perennial.workflows.ledger import Entry, entries
from perennial.workflows.queue import accepted_files
from perennial.workflows.registry import Registry

_BRINGING_IN = ("judge", "promote", "import")


def list_versions(
    registry: Registry,
    pipeline: str,
    data: ObjectStore | None = None,
    newest: int | None = None,
) -> list[dict[str, Any]]:
    """Every version that a run brought in, oldest first: status, rows, dates, and the rule.

    Args:
        registry: where versions are.
        pipeline: whose.
        data: the data bucket, where the progressive ledger is; without it scores are left out.
        newest: how many of the latest to tell of; all where None.

    Raises:
        NotFoundError: for a pipeline that was never applied.
    """
    head = registry.require(pipeline)
    scored: dict[str, list[Entry]] = {}
    for entry in _counting(registry, head, data):
        scored.setdefault(entry.version, []).append(entry)
    return [
        _version(registry, head, version) | {"progressive": _progressive(scored.get(version, ()))}
        for version in sorted(head.statuses)[-newest if newest else None :]
    ]


def explain(
    registry: Registry, pipeline: str, version: str, data: ObjectStore | None = None
) -> dict[str, Any]:
    """A version's decision with every number behind it, its lineage and its history.

    Args:
        registry: where versions are.
        pipeline: whose.
        version: which.
        data: the data bucket, where the progressive ledger is; without it scores are left out.

    Raises:
        NotFoundError: for a pipeline or version that does not exist.
        DigestMismatch: when a stored file is not the one that the manifest states.
    """
    head = registry.require(pipeline)
    if version not in head.statuses:
        known = ", ".join(sorted(head.statuses)) or "none yet"
        raise NotFoundError(f"{pipeline} has no version {version}; there are: {known}")
    manifest = registry.manifest(pipeline, version, head=head)
    lineage = Lineage.from_json(registry.read_version_file(manifest, "lineage.json"))
    names = {file.stem: file.name for file in lineage.files}
    ledger = _counting(registry, head, data)
    scored = [entry for entry in ledger if entry.version == version]
    return {
        **_version(registry, head, version),
        "progressive": _progressive(scored),
        "scored": [_scored(entry) for entry in scored],
        "evaluation": json.loads(registry.read_version_file(manifest, "evaluation.json")),
        "manifest": json.loads(manifest.to_json()),
        "files": [
            {
                "name": f.name,
                "sha256": f.sha256,
                "rows": f.rows,
                "used": f.used,
                "superseded_by": names.get(f.superseded_by),
            }
            for f in lineage.files
        ],
        "history": _history(registry, head, version),
    }


def _counting(registry: Registry, head: Head, data: ObjectStore | None) -> Iterator[Entry]:
    """The ledger, without what a version scored on a file once it has on the successor."""
    if data is None:
        return
    definition = registry.definition(head)
    replaced: Mapping[str, VerdictSummary] = {}
    if definition.files.redelivery == "supersede":
        replaced = superseded(definition, accepted_files(data, head.pipeline))
    ledger = list(entries(data, head.pipeline))
    scored = {(entry.stem, entry.version) for entry in ledger}
    for entry in ledger:
        by = replaced.get(entry.stem)
        if by is None or (by.file.stem, entry.version) not in scored:
            yield entry


def _progressive(scored: Sequence[Entry]) -> dict[str, Any] | None:
    """A version's score over all files that it predicted, whatever it was then."""
    if not scored:
        return None
    total = sum((entry.score for entry in scored), Score())
    return {"files": len(scored), "rows": total.rows, "metrics": total.metrics()}


def _scored(entry: Entry) -> dict[str, Any]:
    return {
        "file": entry.stem,
        "part": entry.part,
        "rows": entry.score.rows,
        "repeated": entry.repeated,
        "metrics": entry.score.metrics(),
        "slices": told(entry.measured.slices),
    }


def _history(registry: Registry, head: Head, version: str) -> list[dict[str, Any]]:
    """What was decided about a version, oldest first.

    A run's release of its claim is left out: it says of the run that it ended, and nothing of the
    version.
    """
    successor = head.superseded.get(version)
    told = []
    commits = list(registry.history(head.pipeline))
    for commit, earlier in zip_longest(commits, commits[1:]):
        if earlier and (action := _taken_back(version, earlier, commit)):
            told.append(_entry(commit, action, commit.why, version))
        elif commit.version == version and commit.action != "release":
            told.append(_entry(commit, commit.action, commit.why, version))
        elif successor and commit.version == successor and commit.action in _BRINGING_IN:
            why = f"{successor} passed its duel while {version} waited"
            told.append(_entry(commit, "supersede", why, version))
    return told[::-1]


def _taken_back(version: str, earlier: Commit, commit: Commit) -> str:
    """What a commit, which is about the champion that came of it, did to another version."""
    before, after = (entry.head.statuses.get(version) for entry in (earlier, commit))
    if before == after:
        return ""
    return {("recall", "recalled"): "take back", ("return", "withdrawn"): "withdraw"}.get(
        (commit.action, after or ""), ""
    )


def _entry(commit: Commit, action: str, why: str, version: str) -> dict[str, Any]:
    return {
        "action": action,
        "by": commit.by,
        "why": why,
        "at": commit.at.isoformat(),
        "status": commit.head.statuses[version],
    }


def _version(registry: Registry, head: Head, version: str) -> dict[str, Any]:
    manifest = registry.manifest(head.pipeline, version, head=head)
    evaluation = json.loads(registry.read_version_file(manifest, "evaluation.json"))
    if evaluation["version"] != version:
        raise DigestMismatch(f"the evaluation of {version} is that of {evaluation['version']}")
    return {
        "version": version,
        "status": head.statuses[version],
        "superseded_by": head.superseded.get(version),
        "serving": version == head.champion,
        "created": manifest.created.isoformat(),
        "trained_rows": manifest.trained_rows,
        "trained_through": manifest.trained_through.isoformat(),
        "against": manifest.champion,
        "outcome": evaluation["duel"]["outcome"],
        "metric": evaluation["metric"],
        "reason": evaluation["reason"],
        "run": manifest.run,
        "digest": manifest.files["model.onnx"].sha256,
    }
