"""Accepted rows, read back as frames for training and scoring."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from perennial.domain.definitions.definition import Column, Definition
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.lineage import Portion
from perennial.errors import NotTrainable
from perennial.ports import ObjectStore
from perennial.workflows.at_once import at_once

_ARROW = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "category": pa.string(),
    "text": pa.string(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


class Rows:
    """The typed rows of accepted files, each read from the store once.

    Args:
        data: the data bucket.
        definition: the definition in force. Files that were accepted under an earlier one are
            brought into its shape: new columns are null. Dropped ones stay, because an earlier
            champion still reads them.
    """

    def __init__(self, data: ObjectStore, definition: Definition) -> None:
        self._data = data
        self._definition = definition
        self._tables: dict[str, pa.Table] = {}
        self._frames: dict[str, pd.DataFrame] = {}
        self._digests: dict[str, str] = {}

    def of(self, file: VerdictSummary) -> pd.DataFrame:
        """A file's labelled rows, in the file's order, under their places in it.

        Raises:
            NotTrainable: when a column's old values do not fit its new type.
        """
        stem = file.file.stem
        if stem not in self._frames:
            self.load([file])
            self._frames[stem] = self._labelled(self._tables[stem].to_pandas())
        return self._frames[stem]

    def of_all(self, files: Sequence[VerdictSummary]) -> pd.DataFrame:
        """Several files' rows, in this order, under the index (stem, row).

        Raises:
            NotTrainable: when a column's old values do not fit its new type.
        """
        if not files:
            return pd.DataFrame(columns=list(self._definition.stored_columns))
        self.load(files)
        tables = [self._tables[file.file.stem] for file in files]
        try:
            whole = pa.concat_tables(tables, promote_options="default")
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            # A column that was dropped had two types in its time; pandas holds both.
            return pd.concat({file.file.stem: self.of(file) for file in files})
        # One frame out of one table: a frame for each of a thousand files takes seconds.
        frame = whole.to_pandas()
        frame.index = _places_of(files, [table.num_rows for table in tables])
        return self._labelled(frame)

    def load(self, files: Sequence[VerdictSummary]) -> None:
        """Read those that have not been read, many at a time, for whoever wants each by itself.

        Raises:
            ObjectNotFound: when a file's rows are gone; some of the others may be read.
            NotTrainable: when a column's old values do not fit its new type.
        """
        missing = [file for file in files if file.file.stem not in self._tables]
        for file, (table, digest) in zip(missing, at_once(self._read, missing), strict=True):
            self._tables[file.file.stem] = table
            self._digests[file.file.stem] = digest

    def _read(self, file: VerdictSummary) -> tuple[pa.Table, str]:
        data = self._data.read(file.rows_object).data
        # Files are small: threads of Parquet's own would cost more than they bring.
        table = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
        shaped = in_shape(table, self._definition, file.file.name)
        return shaped, hashlib.sha256(data).hexdigest()

    def _labelled(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame[self._definition.label].notna()]

    def portions(self, frame: pd.DataFrame) -> tuple[Portion, ...]:
        """Which rows of which files a frame from `of_all`, or a part of one, holds, in order."""
        return portions(frame, self._digests)

    def take(self, files: Mapping[str, VerdictSummary], wanted: Sequence[Portion]) -> pd.DataFrame:
        """The rows that `portions` told, in the same order and under the same index.

        Args:
            files: by stem.
            wanted: which rows.

        Raises:
            ObjectNotFound: when a file's rows are gone.
            NotTrainable: when a file does not have these rows, or when a column's old values do not
                fit its new type.
        """
        parts = [_places(self.of(files[one.stem]), one, files[one.stem]) for one in wanted]
        return pd.concat(parts, keys=[one.stem for one in wanted])

    def digest(self, file: VerdictSummary) -> str:
        """SHA-256 of a file's typed rows as they lie in the store."""
        self.load([file])
        return self._digests[file.file.stem]


def _places_of(files: Sequence[VerdictSummary], lengths: Sequence[int]) -> pd.MultiIndex:
    """The index (stem, row) of several files' rows, one after the other."""
    stems = np.repeat(np.arange(len(files)), lengths)
    places = np.concatenate([np.arange(length) for length in lengths])
    return pd.MultiIndex(
        levels=[[file.file.stem for file in files], pd.RangeIndex(max(lengths))],
        codes=[stems, places],
        verify_integrity=False,
    )


def portions(frame: pd.DataFrame, digests: Mapping[str, str]) -> tuple[Portion, ...]:
    """Which rows of which files a frame under the index (stem, row) holds, in order.

    Args:
        frame: its rows.
        digests: of the files' typed rows, by stem, where they are known.
    """
    if not len(frame):
        return ()
    stems = frame.index.get_level_values(0).to_numpy()
    places = frame.index.get_level_values(1).to_numpy()
    breaks = (stems[1:] != stems[:-1]) | (places[1:] != places[:-1] + 1)
    starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    ends = np.concatenate([starts[1:], [len(frame)]]) - 1
    found: list[Portion] = []
    spans: list[tuple[int, int]] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if start and stems[start] != stems[start - 1]:
            found.append(_portion(stems[start - 1], spans, digests))
            spans = []
        spans.append((int(places[start]), int(places[end]) + 1))
    return (*found, _portion(stems[-1], spans, digests))


def _portion(stem: str, spans: list[tuple[int, int]], digests: Mapping[str, str]) -> Portion:
    return Portion(str(stem), tuple(spans), digests.get(stem, ""))


def _places(frame: pd.DataFrame, wanted: Portion, file: VerdictSummary) -> pd.DataFrame:
    places = np.concatenate([np.arange(start, end) for start, end in wanted.spans])
    lacking = int((~np.isin(places, frame.index)).sum())
    if lacking:
        raise NotTrainable(
            f"{file.file.name} has {len(frame)} labelled rows now, and lacks {lacking} of the "
            f"{wanted.rows} that were learned"
        )
    return frame.loc[places]


def in_shape(table: pa.Table, definition: Definition, file: str) -> pa.Table:
    """Typed rows as a definition has them: columns that they lack are null, others stay.

    Raises:
        NotTrainable: when a column's values do not fit its type.
    """
    arrays = {name: table.column(name) for name in table.column_names}
    for name, column in definition.stored_columns.items():
        if name in table.column_names:
            arrays[name] = _cast(table.column(name), column, name, file)
        else:
            arrays[name] = pa.nulls(table.num_rows, _ARROW[column.type])
    return pa.table(arrays)


def _cast(values: pa.ChunkedArray, column: Column, name: str, file: str) -> pa.ChunkedArray:
    if values.type == _ARROW[column.type]:
        return values
    try:
        return values.cast(_ARROW[column.type])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise NotTrainable(
            f"{file} was accepted when {name} had another type, and its values do not fit "
            f"{column.type}: {error}"
        ) from None
