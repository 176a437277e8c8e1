"""Stored files that never change, read once: manifests, evaluations, definitions."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from perennial.domain.definitions.definition import Definition
from perennial.domain.versioning.lineage import Lineage
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Head
from perennial.workflows.at_once import at_once
from perennial.workflows.registry import Registry

KEPT = 4096


class Records:
    """Of all pipelines. Safe for many threads.

    Args:
        registry: where they are.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.manifest: Callable[[str, str], Manifest] = lru_cache(KEPT)(registry.manifest)
        self.evaluation: Callable[[str, str], dict[str, Any]] = lru_cache(KEPT)(self._evaluation)
        self._definitions: Callable[[str, str], Definition] = lru_cache(256)(self._definition)

    def definition(self, head: Head) -> Definition:
        """The definition in force."""
        return self._definitions(head.pipeline, head.definition)

    def fetch(self, pipeline: str, versions: Sequence[str]) -> None:
        """Read many versions' manifests and evaluations at once, so that they are known."""
        at_once(lambda version: self.evaluation(pipeline, version), versions)

    def lineage(self, pipeline: str, version: str) -> Lineage:
        """The files that a version learned, or passed by."""
        manifest = self.manifest(pipeline, version)
        return Lineage.from_json(self._registry.read_version_file(manifest, "lineage.json"))

    def card(self, pipeline: str, version: str) -> str:
        """A version's card, in Markdown."""
        manifest = self.manifest(pipeline, version)
        return self._registry.read_version_file(manifest, "card.md").decode()

    def _evaluation(self, pipeline: str, version: str) -> dict[str, Any]:
        manifest = self.manifest(pipeline, version)
        found: dict[str, Any] = json.loads(
            self._registry.read_version_file(manifest, "evaluation.json")
        )
        return found

    def _definition(self, pipeline: str, digest: str) -> Definition:
        return self._registry.definition(Head(pipeline, definition=digest))
