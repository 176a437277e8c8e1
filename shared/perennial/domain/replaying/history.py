"""A history to replay: the labelled rows of every accepted file, one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.repeats import row_hashes, tells_rows_apart


@dataclass(frozen=True, slots=True)
class History:
    """Files in the order in which they are learned; rows are known by their place in all of them.

    Attributes:
        names: the files' names.
        digests: of each file's typed rows.
        frame: the rows of all files, in this order, numbered from 0.
        starts: each file's first row, and the number of all rows at the end.
        repeated: rows that an earlier file had already, which therefore prove nothing.
        order: the rows' numbers in time order within each file.
    """

    names: tuple[str, ...]
    digests: tuple[str, ...]
    frame: pd.DataFrame
    starts: tuple[int, ...]
    repeated: NDArray[np.bool_]
    order: NDArray[np.int64]

    @classmethod
    def of(cls, definition: Definition, files: Iterable[tuple[str, str, pd.DataFrame]]) -> Self:
        """Put files together.

        Args:
            definition: says which columns name a row and when it happened.
            files: name, digest and labelled rows of each, in order; files without rows are left
                out.
        """
        kept = [file for file in files if len(file[2])]
        lengths = [len(frame) for _, _, frame in kept]
        starts = tuple(int(start) for start in np.cumsum([0, *lengths]))
        frame = (
            pd.concat([frame for _, _, frame in kept], ignore_index=True)
            if kept
            else pd.DataFrame(columns=list(definition.stored_columns))
        )
        file_of = np.repeat(np.arange(len(kept)), lengths)
        return cls(
            names=tuple(name for name, _, _ in kept),
            digests=tuple(digest for _, digest, _ in kept),
            frame=frame,
            starts=starts,
            repeated=_repeated(definition, frame, file_of),
            order=_in_time_order(definition, frame, file_of),
        )

    @property
    def files(self) -> int:
        """How many files there are."""
        return len(self.names)

    @property
    def lengths(self) -> list[int]:
        """How many rows each file has."""
        return [end - start for start, end in pairwise(self.starts)]

    def rows_of(self, files: Sequence[int]) -> NDArray[np.int64]:
        """The rows of some files, in the order given."""
        if not len(files):
            return np.empty(0, dtype=np.int64)
        return np.concatenate([np.arange(*self.starts[file : file + 2]) for file in files])

    def proof(self, files: Sequence[int]) -> NDArray[np.int64]:
        """The rows of some files that no earlier file had, in time order."""
        if not len(files):
            return np.empty(0, dtype=np.int64)
        rows = np.concatenate([self.order[slice(*self.starts[f : f + 2])] for f in files])
        proving: NDArray[np.int64] = rows[~self.repeated[rows]]
        return proving

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums over each file of a value for each row: shape [files]."""
        ends = np.concatenate([[0.0], np.cumsum(values)])
        places = np.array(self.starts)
        totals: NDArray[np.float64] = ends[places[1:]] - ends[places[:-1]]
        return totals


def digest_of(rows_object: str, schema_digest: str) -> str:
    """What names a file's typed rows wherever they lie: their content and their shape."""
    content = rows_object.rsplit("/", 1)[-1]
    return hashlib.sha256(f"{content} {schema_digest}".encode()).hexdigest()


def _repeated(
    definition: Definition, frame: pd.DataFrame, file_of: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Rows whose key, or whose whole content where there is no key, came in an earlier file."""
    if not len(frame) or not tells_rows_apart(definition):
        return np.zeros(len(frame), dtype=np.bool_)
    first = pd.Series(file_of).groupby(row_hashes(definition, frame)).transform("min").to_numpy()
    found: NDArray[np.bool_] = first < file_of
    return found


def _in_time_order(
    definition: Definition, frame: pd.DataFrame, file_of: NDArray[np.int64]
) -> NDArray[np.int64]:
    if definition.event_time is None or not len(frame):
        return np.arange(len(frame))
    times = pd.to_datetime(frame[definition.event_time], utc=True).dt.tz_localize(None)
    ordered: NDArray[np.int64] = np.lexsort((times.to_numpy(), file_of)).astype(np.int64)
    return ordered
