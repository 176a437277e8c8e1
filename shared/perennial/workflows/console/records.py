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
        self._manifests: Callable[[str, str, str], Manifest] = lru_cache(KEPT)(self._manifest)
        self._evaluations: Callable[[str, str, str], dict[str, Any]] = lru_cache(KEPT)(
            self._evaluation
        )
        self._definitions: Callable[[str, str], Definition] = lru_cache(256)(self._definition)

    def definition(self, head: Head) -> Definition:
        """The definition in force."""
        return self._definitions(head.pipeline, head.definition)

    def manifest(self, head: Head, version: str) -> Manifest:
        """What a version is made of: the manifest that the head states, where it states one."""
        return self._manifests(head.pipeline, version, head.manifests.get(version, ""))

    def evaluation(self, head: Head, version: str) -> dict[str, Any]:
        """Every number behind a version's decision."""
        return self._evaluations(head.pipeline, version, head.manifests.get(version, ""))

    def fetch(self, head: Head, versions: Sequence[str]) -> None:
        """Read many versions' manifests and evaluations at once, so that they are known."""
        at_once(lambda version: self.evaluation(head, version), versions)

    def lineage(self, head: Head, version: str) -> Lineage:
        """The files that a version learned, or passed by."""
        manifest = self.manifest(head, version)
        return Lineage.from_json(self._registry.read_version_file(manifest, "lineage.json"))

    def card(self, head: Head, version: str) -> str:
        """A version's card, in Markdown."""
        manifest = self.manifest(head, version)
        return self._registry.read_version_file(manifest, "card.md").decode()

    def _manifest(self, pipeline: str, version: str, stated: str) -> Manifest:
        head = Head(pipeline, manifests={version: stated})
        return self._registry.manifest(pipeline, version, head=head)

    def _evaluation(self, pipeline: str, version: str, stated: str) -> dict[str, Any]:
        manifest = self._manifests(pipeline, version, stated)
        found: dict[str, Any] = json.loads(
            self._registry.read_version_file(manifest, "evaluation.json")
        )
        return found

    def _definition(self, pipeline: str, digest: str) -> Definition:
        return self._registry.definition(Head(pipeline, definition=digest))
