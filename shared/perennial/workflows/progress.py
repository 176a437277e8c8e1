"""Progressive validation: what is new is predicted first, and learned from afterwards.

The champion predicts, and on the same rows the earlier champions that it is compared with on
probation, and the version that waits. Late files are left out: the champion knows their future.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.probation import LAGS
from perennial.domain.evaluation.repeats import row_hashes, seen_before, tells_rows_apart
from perennial.domain.evaluation.surprise import NEWEST_FILES
from perennial.domain.judging.keys import KeyIndex, KeysBefore
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.lineage import Batch, Learned
from perennial.domain.versioning.registry import Head
from perennial.ports import Clock, ModelCodec, ObjectStore
from perennial.workflows.challenge import NOTHING_LEARNED
from perennial.workflows.ledger import Entry, Part, entries, record
from perennial.workflows.loaded import LoadedVersion, load
from perennial.workflows.registry import Registry
from perennial.workflows.rows import Rows
from perennial.workflows.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class Contender:
    """A version that predicts what is new.

    Attributes:
        part: what it is.
        model: ready to predict.
        learned: hashes of the rows that it has learned, or another that is compared with it: they
            are left out.
    """

    part: Part
    model: LoadedVersion
    learned: NDArray[np.uint64]

    @property
    def version(self) -> str:
        """Its name."""
        return self.model.manifest.version

    def may_predict(self, file: VerdictSummary, replaced: Collection[str] = ()) -> bool:
        """Whether a file comes after all that it knows, of the same period too.

        Args:
            file: which one.
            replaced: stems of the files that it replaces.
        """
        known = self.model.lineage
        if not known.stems.isdisjoint(replaced):
            return False
        return known.newest is None or file.order > known.newest


def contenders(
    registry: Registry,
    codec: ModelCodec,
    head: Head,
    champion: LoadedVersion,
    definition: Definition,
    rows: Rows,
    index: KeyIndex | None = None,
) -> list[Contender]:
    """The versions that predict what is new: the champion first, and what it is compared with.

    A predecessor that knows more than the champion, as one that was left by a rollback does, is
    no comparison.

    Args:
        registry: where the versions are.
        codec: loads them.
        head: says which they are.
        champion: the one that serves.
        definition: the recipe in force.
        rows: those of accepted files.
        index: of their keys, where the definition has key columns.
    """
    get = partial(load, registry, codec, head)
    lags = [lag for lag in LAGS if lag <= len(head.predecessors)]
    if definition.promotion.probation is None or definition.training.mode == "static":
        lags = []
    past = [get(head.predecessors[lag - 1]) for lag in lags]
    line = [champion, *(one for one in past if _knows_no_more(one, champion))]
    learned = _learned_rows(definition, rows, line, index)
    found = [Contender("champion", champion, learned)]
    found += [Contender("predecessor", model, learned) for model in line[1:]]
    for version in head.waiting[-1:]:
        model = get(version)
        theirs = _learned_rows(definition, rows, [*line, model], index)
        found.append(Contender("waiting", model, theirs))
    return found


def _knows_no_more(model: LoadedVersion, champion: LoadedVersion) -> bool:
    theirs, most = model.lineage.newest, champion.lineage.newest
    return theirs is None or (most is not None and theirs <= most)


def _learned_rows(
    definition: Definition,
    rows: Rows,
    models: Sequence[LoadedVersion],
    index: KeyIndex | None,
) -> NDArray[np.uint64]:
    """Hashes of the rows that any of these models has learned; none where rows have no name.

    Where rows have keys, also of those that its window had passed by, and no row need be read.
    """
    if index is not None:
        known = (file for model in models for file in model.lineage.in_effect)
        return index.hashes_of({file.stem: file.rows_object for file in known})
    if not tells_rows_apart(definition):
        return NOTHING_LEARNED
    files: dict[str, Learned] = {}
    for model in models:
        files |= {file.stem: file for file in model.lineage.learned}
    if not files:
        return NOTHING_LEARNED
    return np.unique(row_hashes(definition, rows.of_all([file.summary for file in files.values()])))


def score_first(
    data: ObjectStore,
    clock: Clock,
    definition: Definition,
    batch: Batch,
    rows: Rows,
    models: Sequence[Contender],
    watch: Stopwatch,
    before: KeysBefore | None = None,
) -> tuple[list[Entry], list[Entry]]:
    """Let every model predict the new files, and enter in the ledger how it did.

    Args:
        data: the data bucket.
        clock: stamps the entries.
        definition: the recipe in force, for metrics and slices.
        batch: the accepted files, sorted by what the champion knows of them.
        rows: their rows.
        models: the champion first.
        watch: times the steps.
        before: which keys came in earlier files, where the definition has key columns.

    Returns:
        The ledger of the new files and of the `NEWEST_FILES` before them; and of it the champion's
        entries that are new.
    """
    recent = [file.file.stem for file in batch.history[-(NEWEST_FILES + len(batch.fresh)) :]]
    ledger = list(entries(data, definition.name, since=min(recent)))
    made: list[Entry] = []
    done = {(entry.stem, entry.version) for entry in ledger}
    for file in batch.proof:
        replaced = batch.replaced_by(file)
        for one in models:
            if (file.file.stem, one.version) in done or not one.may_predict(file, replaced):
                continue
            with watch("read"):
                frame = rows.of(file)
                repeated = seen_before(definition, frame, one.learned)
                if before is not None:
                    repeated |= before.repeated(file, frame)
            with watch("score"):
                entry = Entry(
                    stem=file.file.stem,
                    version=one.version,
                    scored=clock.now(),
                    measured=one.model.measure(definition, frame[~repeated]),
                    part=one.part,
                    repeated=int(repeated.sum()),
                )
                record(data, definition.name, entry)
                made.append(entry)
    return [*ledger, *made], [entry for entry in made if entry.part == "champion"]
