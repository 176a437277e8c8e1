"""The values of a file, gathered batch by batch in memory that is bounded."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pyarrow as pa

from perennial.domain.formats.tables import UnreadableError
from perennial.domain.judging.findings import file_finding

LEAST_BYTES = 512 * 1024 * 1024
"""Values may take this much, or twice `files.max_bytes` where that is more."""

_VIEW_BYTES = 16
"""What text takes beside its characters, which is all that Polars counts."""


class Kept:
    """The columns of batches, each in pieces until all have come.

    Args:
        max_bytes: `files.max_bytes`, which bounds the text; short cells take more as values.
    """

    def __init__(self, max_bytes: int) -> None:
        self._limit = max(LEAST_BYTES, 2 * max_bytes)
        self._size = 0
        self._rows = 0
        self._pieces: dict[str, list[pl.Series]] = {}

    def add(self, values: Mapping[str, pl.Series]) -> None:
        """Keep a batch.

        Raises:
            UnreadableError: when there is more than fits.
        """
        for name, series in values.items():
            self._pieces.setdefault(name, []).append(series)
            self._size += int(series.estimated_size())
            if series.dtype == pl.String:
                self._size += _VIEW_BYTES * len(series)
        self._rows += len(series)
        if self._size > self._limit:
            raise UnreadableError(
                file_finding(
                    "too_large",
                    f"expected values that take at most {self._limit:,} bytes of memory (twice "
                    f"files.max_bytes), found more in the first {self._rows:,} rows: split the "
                    "file",
                )
            )

    def frame(self) -> pl.DataFrame:
        """All batches, given away: column after column becomes one piece, so none lies twice."""
        pa.default_memory_pool().release_unused()
        names = list(self._pieces)
        return pl.DataFrame([pl.concat(self._pieces.pop(name), rechunk=True) for name in names])
