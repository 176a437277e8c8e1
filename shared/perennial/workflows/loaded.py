"""Versions that are ready to predict what is new."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.measuring import Measurement, measure
from perennial.domain.modelling.frames import columns_of
from perennial.domain.versioning.lineage import Lineage
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Head
from perennial.ports import ModelCodec, Scorer
from perennial.workflows.registry import Registry


@dataclass(frozen=True, slots=True)
class LoadedVersion:
    """A version that is ready to predict: the champion, one that it is compared with, an import."""

    manifest: Manifest
    lineage: Lineage
    scorer: Scorer

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Its answers for these rows; a column that its successor's recipe dropped is missing."""
        names = [one.name for one in self.manifest.inputs]
        columns = columns_of(self.manifest.inputs, frame.reindex(columns=names))
        return np.asarray(self.scorer.predict(columns), dtype=np.float64)

    def measure(self, definition: Definition, frame: pd.DataFrame) -> Measurement:
        """How it predicts labelled rows that it has not learned."""
        answers = self.predict(frame) if len(frame) else self.nothing
        return measure(definition, frame, answers, self.manifest.classes)

    @property
    def nothing(self) -> NDArray[np.float64]:
        """Its answers for no rows."""
        return np.empty((0, len(self.manifest.classes)) if self.manifest.classes else 0)


def load(registry: Registry, codec: ModelCodec, head: Head, version: str) -> LoadedVersion:
    """A version, verified and ready to predict."""
    manifest = registry.manifest(head.pipeline, version, head=head)
    graph = registry.read_version_file(manifest, "model.onnx")
    known = registry.read_version_file(manifest, "lineage.json")
    return LoadedVersion(manifest, Lineage.from_json(known), codec.load(graph, manifest))
