"""The model codec: scikit-learn in training, ONNX everywhere else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.adapters import onnx_export, onnx_import, parity, smoke
from perennial.adapters.graph import Graph
from perennial.domain.definitions.definition import Definition
from perennial.domain.modelling.frames import instances_of
from perennial.domain.modelling.training import Model
from perennial.domain.serving.instances import read_instances
from perennial.domain.versioning.manifest import Manifest
from perennial.errors import GateFailed
from perennial.ports import Artefact


class OnnxCodec:
    """A `perennial.ports.ModelCodec`.

    Args:
        threads: cores that scoring may use.
    """

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads

    def export(self, model: Model) -> Artefact:
        """The model as a graph. Raises `ModelError`."""
        return onnx_export.export(model)

    def admit(self, graph: bytes, definition: Definition) -> Artefact:
        """A graph from elsewhere (see `perennial.adapters.onnx_import`). Raises `ModelError`."""
        return onnx_import.admit(graph, definition)

    def load(self, graph: bytes, manifest: Manifest) -> Graph:
        """A scorer for verified bytes. Raises `ModelError`."""
        return Graph(graph, manifest, self._threads)

    def check_parity(
        self, model: Model, artefact: Artefact, rows: pd.DataFrame
    ) -> Mapping[str, float]:
        """The parity gate (see `perennial.adapters.parity`). Raises `GateFailed`."""
        return parity.check_parity(model, artefact, rows)

    def check_smoke(
        self,
        graph: bytes,
        manifest: Manifest,
        instances: pd.DataFrame,
        expected: NDArray[np.float64],
    ) -> None:
        """The smoke gate (see `perennial.adapters.smoke`), on the rows that a request can carry.

        Raises:
            GateFailed: with what the fresh process said, or when no request can carry any row.
        """
        requests = instances_of(manifest.inputs, instances)
        refusals = [read_instances(manifest.inputs, [one]).errors for one in requests]
        usable = [place for place, errors in enumerate(refusals) if not errors]
        if not usable:
            raise GateFailed(f"no request could carry any of these rows: {refusals[:1]}")
        chosen = np.asarray(expected, dtype=np.float64)[usable]
        smoke.smoke_test(graph, manifest, [requests[i] for i in usable], chosen)
