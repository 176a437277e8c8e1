"""The set of keys that a file brings, as one digest: two files with the same set are told by it."""

from __future__ import annotations

import hashlib

import polars as pl

from perennial.domain.definitions.definition import Definition


def key_set(definition: Definition, frame: pl.DataFrame) -> str:
    """Digest of a file's keys, in whatever order; empty where no key columns are declared.

    Args:
        definition: which columns make up a key.
        frame: the file's typed rows.
    """
    keys = definition.names("key")
    if not keys or frame.is_empty():
        return ""
    cells = [pl.col(key).cast(pl.String) for key in keys]
    # Lengths stand before the cells, so that no two keys are spelt alike; none before a null.
    spelt = [
        pl.when(cell.is_null()).then(pl.lit(";")).otherwise(
            pl.concat_str(cell.str.len_chars().cast(pl.String), pl.lit(":"), cell)
        )
        for cell in cells
    ]  # fmt: skip
    lines = frame.select(pl.concat_str(spelt).alias("key"))["key"].unique().sort()
    digest = hashlib.sha256(repr(keys).encode())
    digest.update("\n".join(lines).encode())
    return digest.hexdigest()
