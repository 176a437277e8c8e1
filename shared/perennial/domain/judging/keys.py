"""Which accepted file brought which key: a compact index, and what it says of a new file.

A key is known by its 64-bit hash. Among a million keys, two share one with a chance of 1 in 37
million; such a row would be left out of a proof, and learned all the same.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.repeated_keys import Example, RepeatedKeys
from perennial.domain.evaluation.repeats import row_hashes
from perennial.domain.judging.findings import shorten
from perennial.domain.verdict import VerdictSummary

Source = tuple[str, str]
"""A file's stem and the object of its typed rows: a file that was released in part has another."""

MOST_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class KeyIndex:
    """The keys of some files' labelled rows.

    Attributes:
        sources: the files.
        hashes: of the keys of all their rows, ascending: shape [N].
        places: for each the number of its file among `sources`: shape [N].
    """

    sources: tuple[Source, ...]
    hashes: NDArray[np.uint64]
    places: NDArray[np.int32]

    @classmethod
    def of(cls, source: Source, hashes: NDArray[np.uint64]) -> Self:
        """The index of one file."""
        return cls((source,), np.sort(hashes), np.zeros(len(hashes), dtype=np.int32))

    @classmethod
    def merged(cls, parts: Sequence[KeyIndex]) -> Self:
        """The index of the files of several."""
        sources = tuple(source for part in parts for source in part.sources)
        starts = np.cumsum([0, *(len(part.sources) for part in parts)])
        hashes = np.concatenate([part.hashes for part in parts] or [np.empty(0, np.uint64)])
        places = np.concatenate(
            [p.places + start for p, start in zip(parts, starts[:-1], strict=True)]
            or [np.empty(0, np.int32)]
        ).astype(np.int32)
        order = np.argsort(hashes, kind="stable")
        return cls(sources, hashes[order], places[order])

    def hashes_of(self, files: Mapping[str, str]) -> NDArray[np.uint64]:
        """The distinct keys of some files, ascending.

        Args:
            files: the object of a file's typed rows, by its stem.
        """
        wanted = np.array([files.get(stem) == rows for stem, rows in self.sources], dtype=np.bool_)
        if not wanted.any():
            return np.empty(0, dtype=np.uint64)
        return np.unique(self.hashes[wanted[self.places]])

    def to_parquet(self) -> bytes:
        """The stored form: the same bytes for the same index."""
        table = pa.table({"hash": self.hashes, "file": self.places})
        table = table.replace_schema_metadata({"sources": json.dumps(self.sources)})
        buffer = io.BytesIO()
        pq.write_table(table, buffer, use_dictionary=["file"], compression="zstd")
        return buffer.getvalue()

    @classmethod
    def from_parquet(cls, data: bytes) -> Self:
        """Read the stored form.

        Raises:
            ValueError: when it is none; `pyarrow.ArrowInvalid` is such an error.
        """
        table = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
        metadata = table.schema.metadata or {}
        if b"sources" not in metadata or table.column_names != ["hash", "file"]:
            raise ValueError(f"expected an index of keys, found columns {table.column_names}")
        return cls(
            tuple((stem, rows) for stem, rows in json.loads(metadata[b"sources"])),
            table.column("hash").to_numpy(),
            table.column("file").to_numpy(),
        )


class KeysBefore:
    """For every key, the first accepted file that brought it.

    Args:
        definition: which has key columns.
        index: of the accepted files.
        accepted: those that count.
    """

    def __init__(
        self, definition: Definition, index: KeyIndex, accepted: Collection[VerdictSummary]
    ) -> None:
        self._definition = definition
        self._files = sorted(accepted, key=lambda file: file.file)
        self._numbers = {file.file.stem: number for number, file in enumerate(self._files)}
        none = len(self._files)
        sources = {(f.file.stem, f.rows_object): n for n, f in enumerate(self._files)}
        numbers = np.array([sources.get(source, none) for source in index.sources], dtype=np.int64)
        drops = numbers[index.places] if len(numbers) else np.empty(0, dtype=np.int64)
        hashes, drops = index.hashes[drops < none], drops[drops < none]
        order = np.lexsort((drops, hashes))
        hashes, drops = hashes[order], drops[order]
        self._hashes, starts, lengths = np.unique(hashes, return_index=True, return_counts=True)
        self._first = drops[starts]
        again = drops > np.repeat(self._first, lengths)
        self._again = np.bincount(drops[again], minlength=none)
        self._rows = np.bincount(drops, minlength=none)

    def repeated(self, file: VerdictSummary, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Which of a file's N rows bring a key that a file dropped before it had: shape [N]."""
        return self._firsts(frame) < self._numbers[file.file.stem]

    def again(self, file: VerdictSummary) -> RepeatedKeys | None:
        """How many rows of a file bring such keys; None where none does."""
        number = self._numbers[file.file.stem]
        if not self._again[number]:
            return None
        rows, of = int(self._again[number]), int(self._rows[number])
        return RepeatedKeys(file.file.stem, file.file.name, rows, of)

    def examples(self, file: VerdictSummary, frame: pd.DataFrame) -> tuple[Example, ...]:
        """The first few of these keys, each with the first file that brought it.

        Args:
            file: which one.
            frame: its rows.
        """
        places = np.flatnonzero(self.repeated(file, frame))[:MOST_EXAMPLES]
        firsts = self._firsts(frame)[places].tolist()
        keys = frame[self._definition.names("key")].iloc[places].astype(str)
        return tuple(
            Example(shorten(", ".join(key)), self._files[first].file.name)
            for key, first in zip(keys.itertuples(index=False), firsts, strict=True)
        )

    def _firsts(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """For each of N rows the number of the first file that brought its key: shape [N]."""
        nobody = np.full(len(frame), len(self._files), dtype=np.int64)
        if not len(frame) or not len(self._hashes):
            return nobody
        hashes = row_hashes(self._definition, frame)
        places = np.searchsorted(self._hashes, hashes).clip(max=len(self._hashes) - 1)
        return np.where(self._hashes[places] == hashes, self._first[places], nobody)


def keys_digest(definition: Definition) -> str:
    """What names the index that a definition needs: its key columns, and what a labelled row is."""
    columns = [(name, definition.columns[name].type) for name in definition.names("key")]
    return hashlib.sha256(repr((columns, definition.label)).encode()).hexdigest()[:16]
