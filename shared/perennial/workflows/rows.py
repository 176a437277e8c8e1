"""Accepted rows, read back as frames for training and scoring."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from perennial.domain.definition import Column, Definition
from perennial.domain.verdict import VerdictSummary
from perennial.errors import NotTrainable
from perennial.ports import ObjectStore

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
        self._tables: dict[str, pd.DataFrame] = {}

    def of(self, file: VerdictSummary) -> pd.DataFrame:
        """A file's labelled rows, in the file's order.

        Raises:
            NotTrainable: when a column's old values do not fit its new type.
        """
        stem = file.file.stem
        if stem not in self._tables:
            data = self._data.read(file.rows_object).data
            table = _in_shape(pq.read_table(io.BytesIO(data)), self._definition, file.file.name)
            frame = table.to_pandas()
            self._tables[stem] = frame[frame[self._definition.label].notna()]
        return self._tables[stem]

    def of_all(self, files: Sequence[VerdictSummary]) -> pd.DataFrame:
        """Several files' rows, in this order, under the index (stem, row)."""
        if not files:
            return pd.DataFrame(columns=list(self._definition.stored_columns))
        return pd.concat({file.file.stem: self.of(file) for file in files})


def _in_shape(table: pa.Table, definition: Definition, file: str) -> pa.Table:
    arrays = {name: table.column(name) for name in table.column_names}
    for name, column in definition.stored_columns.items():
        if name in table.column_names:
            arrays[name] = _cast(table.column(name), column, name, file)
        else:
            arrays[name] = pa.nulls(table.num_rows, _ARROW[column.type])
    return pa.table(arrays)


def _cast(values: pa.ChunkedArray, column: Column, name: str, file: str) -> pa.ChunkedArray:
    try:
        return values.cast(_ARROW[column.type])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise NotTrainable(
            f"{file} was accepted when {name} had another type, and its values do not fit "
            f"{column.type}: {error}"
        ) from None
