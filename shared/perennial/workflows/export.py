"""Hand out a version for devices and other servers: its graph, and what it takes to run it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass

from perennial.domain.graphs.graph_file import check_graph
from perennial.domain.modelling import text
from perennial.domain.versioning.exported import CLIENT, README, TOKENISER, client, readme
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import read_manifest
from perennial.errors import ModelError, NotFoundError, RefusedError
from perennial.workflows.registry import Registry

GRAPH, MANIFEST = "model.onnx", "manifest.json"


@dataclass(frozen=True, slots=True)
class Exported:
    """A version, ready to be written into a folder.

    Attributes:
        manifest: of the version.
        files: the bytes of each file, by name.
    """

    manifest: Manifest
    files: Mapping[str, bytes]


def export(registry: Registry, pipeline: str, version: str | None = None) -> Exported:
    """Everything that it takes to answer as a version does, verified.

    Args:
        registry: where versions are.
        pipeline: whose.
        version: which; None for the champion.

    Raises:
        NotFoundError: when there is no such pipeline or version, or no champion yet.
        RefusedError: when the version may not serve.
        ModelError: when it is not what the registry states, or needs another release than this.
        StoreError: when the store does not answer.
    """
    head = registry.require(pipeline)
    version = version or head.champion
    if version is None:
        raise NotFoundError(f"{pipeline} has no champion yet")
    if version not in head.statuses:
        known = ", ".join(sorted(head.statuses)) or "none yet"
        raise NotFoundError(f"{pipeline} has no version {version}; there are: {known}")
    if version not in head.approved:
        raise RefusedError(
            f"{pipeline} {version} may not serve: it is {head.standing(version)}; those that may: "
            f"{', '.join(sorted(head.approved)) or 'none yet'}"
        )
    stored = registry.manifest_bytes(pipeline, version, head=head)
    manifest = read_manifest(pipeline, version, stored)
    if manifest.text not in ("", text.TEXT_V1):
        raise ModelError(
            f"the model reads text normalised by {manifest.text!r}, and this code knows only "
            f"{text.TEXT_V1!r}: export it with the release that trained it"
        )
    graph = registry.read_version_file(manifest, GRAPH)
    name, width = (
        ("probabilities", len(manifest.classes)) if manifest.classes else ("prediction", 1)
    )
    check_graph(graph, manifest.inputs, name, width)
    files = {
        GRAPH: graph,
        MANIFEST: stored,
        CLIENT: client(manifest).encode(),
        README: readme(manifest).encode(),
    }
    if manifest.text:
        files[TOKENISER] = inspect.getsource(text).encode()
    return Exported(manifest, files)
