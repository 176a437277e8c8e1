"""Write the look-up of a file's predictions: shards, then the entry that tells of them.

They lie in the models bucket, the only one that `predict` may read.
"""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from perennial.domain.modelling.predictions import predictions
from perennial.domain.names import FileId
from perennial.domain.serving.lookups import Entry, shards_of
from perennial.domain.versioning.manifest import Manifest
from perennial.ports import ObjectStore
from perennial.workflows.at_once import at_once
from perennial.workflows.writing import create_once


def write_lookup(
    models: ObjectStore,
    manifest: Manifest,
    file: FileId,
    keys: pa.Table,
    output: NDArray[np.float64],
) -> None:
    """Make the predictions for a file's rows findable by their keys.

    Args:
        models: the models bucket.
        manifest: of the version that predicted.
        file: whose rows they are.
        keys: their key columns, at least one.
        output: as of `answers`.
    """
    entry = Entry.of(manifest.pipeline, file, manifest.version, keys.column_names, len(output))
    rows = list(zip(*(column.to_pylist() for column in keys.columns), strict=True))
    shards = shards_of(entry, rows, predictions(manifest, output.astype(np.float32)))

    def write(name: str) -> None:
        create_once(models, name, json.dumps(shards[name], ensure_ascii=False).encode())

    at_once(write, shards)
    create_once(models, entry.name, b"", metadata=entry.metadata)
