"""The key index of a pipeline: written by training runs, each of which adds what is new to it.

Segments form a Fenwick tree (Fenwick, 1994): the n-th holds the files of the batches from
n - lowbit(n) + 1 to n, lowbit(n) being the lowest bit that is set in n. So a run writes one object,
the whole index lies in as many as n has bits set, and a key is written log2(n) times at most.
Segments are written once and have no authority: the rows of what none of them holds, because it is
new, or a segment is lost or damaged, are read, and go into the next one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.domain import names
from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.repeated_keys import RepeatedKeys
from perennial.domain.evaluation.repeats import row_hashes
from perennial.domain.judging.keys import KeyIndex, KeysBefore, keys_digest
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.lineage import Batch, within
from perennial.errors import NotTrainable, ObjectNotFound
from perennial.ports import ObjectStore
from perennial.workflows.at_once import AT_ONCE, at_once
from perennial.workflows.rows import Rows
from perennial.workflows.writing import create_once

MOST_TOLD = 5
"""New files with repeated keys of which examples are shown: their rows are read for them."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What a run knows of keys; nothing where the definition has no key columns.

    Attributes:
        index: of all accepted files.
        before: for every key, the file that brought it first.
        repeated: what there is to say of the files that are new to the champion.
    """

    index: KeyIndex | None = None
    before: KeysBefore | None = None
    repeated: tuple[RepeatedKeys, ...] = ()


def keys_of(data: ObjectStore, definition: Definition, batch: Batch, rows: Rows) -> Keys:
    """What there is to know of the keys of accepted files.

    Args:
        data: the data bucket.
        definition: the one in force.
        batch: the accepted files, sorted by what the champion knows of them.
        rows: their rows.
    """
    if not definition.names("key"):
        return Keys()
    window = within(definition.training.window, batch.history)
    needed = {file.file.stem for file in (*window, *batch.proof)}
    index = key_index(data, definition, batch.history, rows, needed)
    before = KeysBefore(definition, index, batch.history)
    found = ((file, before.again(file)) for file in batch.fresh)
    repeated = [(file, one) for file, one in found if one is not None]
    return Keys(
        index,
        before,
        tuple(
            replace(one, examples=before.examples(file, rows.of(file)) if n < MOST_TOLD else ())
            for n, (file, one) in enumerate(repeated)
        ),
    )


def key_index(
    data: ObjectStore,
    definition: Definition,
    accepted: Sequence[VerdictSummary],
    rows: Rows,
    needed: Collection[str],
) -> KeyIndex:
    """The index of all accepted files; what it lacks is added, and kept for the next run.

    Args:
        data: the data bucket.
        definition: which has key columns.
        accepted: the files.
        rows: their rows.
        needed: stems of those whose rows the run reads in any case; others are read and let go.
    """
    prefix = names.keys(definition.name, keys_digest(definition))
    last = max((names.parse_keys(info.name) for info in data.list(prefix)), default=0)
    parts = _read(data, prefix, list(_segments(last)))
    known = {source for part in parts.values() for source in part.sources}
    lacking = [file for file in accepted if (file.file.stem, file.rows_object) not in known]
    new = _indexed(data, definition, lacking, rows, needed)
    if new.sources:
        number = last + 1
        absorbed = [part for n, part in parts.items() if n > number - _lowbit(number)]
        segment = KeyIndex.merged([*absorbed, new])
        create_once(data, prefix + names.keys_segment(number), segment.to_parquet())
    return KeyIndex.merged([*parts.values(), new])


def _lowbit(number: int) -> int:
    return number & -number


def _segments(last: int) -> Iterator[int]:
    """The numbers of the segments that hold all batches from 1 to `last`."""
    while last:
        yield last
        last -= _lowbit(last)


def _read(data: ObjectStore, prefix: str, numbers: Sequence[int]) -> dict[int, KeyIndex]:
    """The segments that are there and whole, by number."""

    def read(number: int) -> KeyIndex | None:
        try:
            return KeyIndex.from_parquet(data.read(prefix + names.keys_segment(number)).data)
        except (ObjectNotFound, ValueError, OSError):
            return None

    found = zip(numbers, at_once(read, numbers), strict=True)
    return {number: part for number, part in found if part is not None}


def _indexed(
    data: ObjectStore,
    definition: Definition,
    files: Sequence[VerdictSummary],
    rows: Rows,
    needed: Collection[str],
) -> KeyIndex:
    """The index of files that no segment holds; without those whose rows cannot be had."""
    parts: list[KeyIndex] = []
    for start in range(0, len(files), AT_ONCE):
        some = files[start : start + AT_ONCE]
        passing = Rows(data, definition)  # a long history need not fit into memory for its keys
        parts += _of(definition, rows, [file for file in some if file.file.stem in needed])
        parts += _of(definition, passing, [file for file in some if file.file.stem not in needed])
    return KeyIndex.merged(parts)


def _of(definition: Definition, rows: Rows, files: Sequence[VerdictSummary]) -> list[KeyIndex]:
    if not files:
        return []
    try:
        frame = rows.of_all(files)
    except (ObjectNotFound, NotTrainable):
        if len(files) == 1:
            return []
        return [part for file in files for part in _of(definition, rows, [file])]
    codes: NDArray[np.integer[Any]] = frame.index.codes[0]
    stems = list(frame.index.levels[0])
    hashes = row_hashes(definition, frame) if len(frame) else np.empty(0, dtype=np.uint64)
    return [
        KeyIndex.of(
            (file.file.stem, file.rows_object), hashes[codes == stems.index(file.file.stem)]
        )
        for file in files
    ]
