"""Which versions learned from a file, by what each keeps on record of its rows."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from perennial.domain.versioning.lineage import Lineage
from perennial.domain.versioning.recalling import learned_rows
from perennial.domain.versioning.registry import Head
from perennial.workflows.at_once import at_once
from perennial.workflows.registry import Registry

LINEAGE = "lineage.json"


class Learners:
    """The versions of a pipeline that learned from one file.

    A version never changes, so each is read once, however often a lost race makes one ask again.

    Args:
        registry: where the versions are.
        pipeline: whose.
        stem: the file.
    """

    def __init__(self, registry: Registry, pipeline: str, stem: str) -> None:
        self._registry = registry
        self._pipeline = pipeline
        self._stem = stem
        self._lineages: dict[str, Lineage] = {}

    def among(self, versions: Collection[str]) -> dict[str, int]:
        """Those of these versions that learned from the file, and how many rows, oldest first.

        Raises:
            NotFoundError: when one of them does not exist.
            DigestMismatch: when a lineage is not what its manifest states, or that is not the one
                that the head states.
        """
        lacking = sorted(set(versions) - self._lineages.keys())
        if lacking:
            read = partial(self._read, self._registry.require(self._pipeline))
            self._lineages |= zip(lacking, at_once(read, lacking), strict=True)
        rows = {v: learned_rows(self._lineages[v], self._stem) for v in sorted(versions)}
        return {version: number for version, number in rows.items() if number}

    def knows(self, version: str | None) -> bool:
        """Whether a version has taken the file into account, learned from it or not."""
        if version is None:
            return False
        self.among([version])
        return self._stem in self._lineages[version].stems

    def _read(self, head: Head, version: str) -> Lineage:
        manifest = self._registry.manifest(self._pipeline, version, head=head)
        if LINEAGE not in manifest.files:
            return Lineage()  # it was trained elsewhere, on none of our files
        return Lineage.from_json(self._registry.read_version_file(manifest, LINEAGE))
