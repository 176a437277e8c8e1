"""Parquet as a table of text cells, decoded in batches of a bounded size.

Values become text as a CSV file would hold them, except times, which stay times: a column's format
says how they are written, and they are not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from perennial.domain.formats.tables import MAX_FIELDS, PARQUET, Misfit, Row, UnreadableError
from perennial.domain.judging.findings import file_finding
from perennial.domain.verdict import Finding

_SHOWN = 200
_BATCH_CELLS = 1 << 20
_BATCH_ROWS = 1 << 16
_BATCH_BYTES = 1 << 24
_ERRORS = (pa.ArrowException, OSError, ValueError, KeyError, pl.exceptions.PolarsError)
_TEXTS = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_binary,
    pa.types.is_large_binary,
)
_ACCEPTED = (
    *_TEXTS,
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_timestamp,
)
"""What may stand in a column that is read. All of it becomes text or times in Arrow, which answers
what it cannot do with an error and never with the end of the process."""


class ParquetTable:
    """The rows of a Parquet file; see `open_parquet`.

    Attributes:
        columns: the names that the file has, in its order.
        fields: how many they are.
        rows: how many rows it has.
        ends_open: whether it may be cut off: a Parquet file ends with what tells.
    """

    wording = PARQUET
    misfits: Sequence[Misfit] = ()
    misfit_records: Sequence[int] = ()
    faults: Sequence[Finding] = ()
    unterminated: int | None = None
    ends_open = False

    def __init__(self, file: pq.ParquetFile, max_bytes: int) -> None:
        self.columns: tuple[str, ...] = tuple(file.schema_arrow.names)
        self.fields = len(self.columns)
        self.rows = 0
        self._file = file
        self._max_bytes = max_bytes
        self._wanted: tuple[str, ...] = self.columns

    def reading(self, wanted: Sequence[str]) -> ParquetTable:
        """Of these columns, each of which occurs once; the others are not decoded."""
        self._wanted = tuple(wanted)
        return self

    def batches(self) -> Iterator[pl.DataFrame]:
        """The cells, as text, or as times in UTC.

        Raises:
            UnreadableError: naming the column that cannot be read, or that there is too much.
        """
        self._refuse_types()
        self._refuse_size(self._stated_bytes())
        decoded = 0
        for batch in self._encoded():
            # Before a word that stands once is written out for each of its million rows.
            size = sum(_decoded_bytes(name, batch.column(name)) for name in self._wanted)
            decoded += size
            self._refuse_size(decoded)
            rows = max(1, batch.num_rows * _BATCH_BYTES // max(size, _BATCH_BYTES))
            for start in range(0, max(batch.num_rows, 1), rows):
                part = batch.slice(start, rows)
                yield pl.DataFrame([_cells(name, part.column(name)) for name in self._wanted])
            self.rows += batch.num_rows

    def record_of(self, row: int) -> int:
        """The number of a row of the batches, from 1."""
        return row + 1

    def records_of(self, rows: Iterable[int]) -> Iterator[int]:
        """The numbers of several rows of the batches."""
        return map(self.record_of, rows)

    @property
    def shown(self) -> Sequence[str]:
        """The names of the cells that `rows_at` gives: the columns that are read."""
        return self._wanted

    @property
    def lines(self) -> int:
        """As many as rows."""
        return self.rows

    def rows_at(self, records: Collection[int]) -> Iterator[Row]:
        """These rows, times in ISO 8601 and UTC. Reads the row groups that hold them again."""
        wanted = sorted(records)
        rows, before = max(1, min(_BATCH_ROWS, _BATCH_CELLS // len(self._wanted))), 0
        for group in range(self._file.metadata.num_row_groups):
            end = before + int(self._file.metadata.row_group(group).num_rows)
            if bisect_right(wanted, end) > bisect_right(wanted, before):
                columns = list(self._wanted)
                for batch in self._file.iter_batches(rows, row_groups=[group], columns=columns):
                    within = slice(
                        bisect_right(wanted, before), bisect_right(wanted, before + batch.num_rows)
                    )
                    yield from self._taken(batch, wanted[within], before)
                    before += batch.num_rows
            before = end

    def _taken(self, batch: pa.RecordBatch, records: Sequence[int], before: int) -> Iterator[Row]:
        """Some rows of a batch, before which the file has so many others."""
        some = batch.take(pa.array([record - 1 - before for record in records], pa.int64()))
        cells = pl.DataFrame([_cells(name, some.column(name)) for name in self._wanted])
        times = cells.select(pl.col(pl.Datetime).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
        for record, row in zip(records, cells.with_columns(times).iter_rows(), strict=True):
            yield Row(record, record, row)

    @property
    def last_record(self) -> int:
        """The number of the last row."""
        return self.rows

    def lines_of(self, records: Iterable[int]) -> dict[int, int]:
        """The numbers themselves: there are no lines."""
        return {record: record for record in records}

    def _encoded(self) -> Iterator[pa.RecordBatch]:
        """Rows as the file has them, text still by dictionary; at least one batch."""
        rows = max(1, min(_BATCH_ROWS, _BATCH_CELLS // len(self._wanted)))
        try:
            batch = None
            for batch in self._file.iter_batches(rows, columns=list(self._wanted)):
                yield batch
            if batch is None:
                empty = self._file.schema_arrow.empty_table().select(self._wanted)
                yield from empty.to_batches() or [pa.RecordBatch.from_pylist([], empty.schema)]
        except _ERRORS as error:
            raise self._blame(rows) or _no_parquet(error) from error

    def _blame(self, rows: int) -> UnreadableError | None:
        """The first column that cannot be decoded by itself."""
        for name in self._wanted:
            try:
                for _ in self._file.iter_batches(rows, columns=[name]):
                    pass
            except _ERRORS as error:
                return _damaged(name, self._file.schema_arrow.field(name).type, error)
        return None

    def _refuse_types(self) -> None:
        schema = self._file.schema_arrow
        for name in self._wanted:
            kind = schema.field(name).type
            plain = kind.value_type if pa.types.is_dictionary(kind) else kind
            if not any(accepts(plain) for accepts in _ACCEPTED):
                found = "lists or structures" if pa.types.is_nested(plain) else "another type"
                raise UnreadableError(
                    file_finding(
                        "type",
                        "expected text, numbers, true and false, dates or times, found "
                        f"{found}: {str(kind)[:_SHOWN]}",
                        column=name,
                    )
                )

    def _stated_bytes(self) -> int:
        """The columns' size once unpacked, as the file states it; a cell is a byte at least."""
        metadata = self._file.metadata
        size = 0
        try:
            for group in map(metadata.row_group, range(metadata.num_row_groups)):
                for chunk in map(group.column, range(group.num_columns)):
                    if chunk.path_in_schema in self._wanted:
                        size += int(chunk.total_uncompressed_size)
        except _ERRORS as error:  # a name there that is no text, though the schema's own is
            raise _no_parquet(error) from error
        return max(size, int(metadata.num_rows) * len(self._wanted))

    def _refuse_size(self, size: int) -> None:
        if size > self._max_bytes:
            raise UnreadableError(
                file_finding(
                    "too_large",
                    f"expected at most {self._max_bytes:,} bytes once unpacked (files.max_bytes), "
                    f"found {size:,} or more",
                )
            )


def open_parquet(data: bytes, max_bytes: int) -> ParquetTable:
    """Open a Parquet file.

    Args:
        data: the file's bytes.
        max_bytes: most bytes of what is decoded.

    Raises:
        UnreadableError: when it is none.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        schema = file.schema_arrow
        texts = [field.name for field in schema if _is_text(field.type)]
        if texts:
            file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=texts)
    except _ERRORS as error:
        raise _no_parquet(error) from error
    if len(schema.names) > MAX_FIELDS:
        found = f"expected at most {MAX_FIELDS:,} columns, found {len(schema.names):,}"
        raise UnreadableError(file_finding("header", found))
    return ParquetTable(file, max_bytes)


def _no_parquet(error: Exception) -> UnreadableError:
    reason = str(error).split("\n", 1)[0][:_SHOWN]
    return UnreadableError(
        file_finding("content", f"expected a Parquet file, found none ({reason})")
    )


def _decoded_bytes(name: str, values: pa.Array) -> int:
    """The size of a column once its dictionary is written out."""
    if not isinstance(values, pa.DictionaryArray):
        return int(values.nbytes)
    if not _is_text(values.type.value_type):
        return 8 * len(values)
    try:
        values.validate(full=True)
        lengths = pc.binary_length(values.dictionary).cast(pa.int64())
        return 4 * len(values) + int(pc.sum(lengths.take(values.indices)).as_py() or 0)
    except _ERRORS as error:
        raise _damaged(name, values.type, error) from error


def _is_text(kind: pa.DataType) -> bool:
    return any(is_a(kind) for is_a in _TEXTS)


def _cells(name: str, values: pa.Array) -> pl.Series:
    """A column's cells."""
    try:
        values.validate(full=True)
        return pl.Series(name, _written(values))
    except _ERRORS as error:
        raise _damaged(name, values.type, error) from error


def _damaged(name: str, kind: pa.DataType, error: Exception) -> UnreadableError:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    reason = str(error).split("\n", 1)[0][:_SHOWN]
    found = f"expected sound values, found {kind} that is damaged ({reason})"
    return UnreadableError(file_finding("type", found, column=name))


def _written(values: pa.Array) -> pl.Series:
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _written(values.dictionary_decode())
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        # A time without a zone is UTC; what is finer than a microsecond is cut off.
        options = pc.CastOptions(pa.timestamp("us", "UTC"), allow_time_truncate=True)
        return _series(pc.cast(values, options=options))
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_time(kind):
        return _series(pc.cast(values, pa.large_string()))
    if pa.types.is_decimal(kind):
        return _series(pc.cast(values, pa.large_string())).str.replace(r"\.0*$", "")
    if pa.types.is_floating(kind):
        return _of_floats(
            _series(pc.cast(values, pa.float64() if kind == pa.float64() else pa.float32()))
        )
    # Text, or bytes that have to be text.
    return _series(pc.cast(values, pa.large_string()))


def _series(values: pa.Array) -> pl.Series:
    return pl.Series(pl.from_arrow(values))


def _of_floats(values: pl.Series) -> pl.Series:
    # 3.0 is as whole as 3: pandas keeps whole numbers with gaps so.
    whole = values.is_not_null() & values.is_between(-(2.0**53), 2.0**53)
    whole &= values == values.floor()
    integers = values.set(~whole, None).cast(pl.Int64).cast(pl.String)
    return integers.zip_with(whole, values.cast(pl.String))
