"""What `perennial check` runs graphs with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.adapters import smoke
from perennial.adapters.graph import Graph
from perennial.domain.versioning.manifest import Manifest
from perennial.ports import Graphs


class _OnnxGraphs:
    """Runs graphs as `predict` does: no scikit-learn, and nothing that exports."""

    def load(self, graph: bytes, manifest: Manifest) -> Graph:
        return Graph(graph, manifest)

    def smoke(
        self,
        graph: bytes,
        manifest: Manifest,
        instances: Sequence[Mapping[str, Any]],
        expected: NDArray[np.float64],
    ) -> None:
        smoke.smoke_test(graph, manifest, instances, expected)


def graphs() -> Graphs:
    """What runs graphs; importing this module raises `ImportError` without onnxruntime."""
    return _OnnxGraphs()
