"""A version's answers to the rows of a file, as a table that stands beside it."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from perennial.domain.modelling.predictions import class_key, likeliest
from perennial.domain.versioning.manifest import Manifest
from perennial.errors import ModelError


def answers(manifest: Manifest, keys: pa.Table, output: NDArray[np.float64]) -> pa.Table:
    """The predictions of N rows, each after the place and the key of its row.

    Args:
        manifest: names the task and, in order, the classes.
        keys: the key columns, N rows; a key whose name is one of ours is called `key NAME`.
        output: shape [N] for regression; probabilities, [N, classes], otherwise.

    Returns:
        `row`, counted from 1; the keys; `prediction`: the number, or the likeliest class (see
        `likeliest`); and of classes `probability CLASS` for each.

    Raises:
        ModelError: when the model gave something that is not a number.
    """
    if not np.isfinite(output).all():
        row = int(np.argwhere(~np.isfinite(output))[0][0]) + 1
        raise ModelError(f"{manifest.version} has no finite answer to row {row:,}")
    ours: dict[str, pa.Array] = {}
    if manifest.task == "regression":
        ours["prediction"] = pa.array(output)
    else:
        places = pa.array(likeliest(output.astype(np.float32)))  # as HTTP answers, ties included
        ours["prediction"] = pa.array(list(manifest.classes)).take(places)
        for place, one in enumerate(manifest.classes):
            ours[f"probability {class_key(one)}"] = pa.array(output[:, place])
    taken = {"row", *ours}
    columns: dict[str, pa.Array | pa.ChunkedArray] = {"row": pa.array(range(1, len(output) + 1))}
    for name in keys.column_names:
        called = name
        while called in taken:
            called = f"key {called}"
        taken.add(called)
        columns[called] = keys[name]
    return pa.table(columns | ours)


def to_bytes(table: pa.Table) -> bytes:
    """The stored form: the same bytes for the same table."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()
