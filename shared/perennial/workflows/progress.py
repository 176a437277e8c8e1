"""Progressive validation: what is new is predicted first, and learned from afterwards.

The champion predicts, and on the same rows the earlier champions that it is compared with on
probation, and the version that waits. Late files are left out: the champion knows their future.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from perennial.domain.definition import Definition
from perennial.domain.lineage import Batch, Learned, Lineage
from perennial.domain.probation import LAGS
from perennial.domain.registry import Head
from perennial.domain.repeats import row_hashes, seen_before, tells_rows_apart
from perennial.domain.surprise import NEWEST_FILES
from perennial.ports import Clock, ModelCodec, ObjectStore
from perennial.workflows.challenge import NOTHING_LEARNED, Champion
from perennial.workflows.ledger import Entry, Part, entries, record
from perennial.workflows.registry import Registry
from perennial.workflows.rows import Rows
from perennial.workflows.stopwatch import Stopwatch

Contender = tuple[Part, Champion]


def load(registry: Registry, codec: ModelCodec, pipeline: str, version: str) -> Champion:
    """A version, verified and ready to predict."""
    manifest = registry.manifest(pipeline, version)
    graph = registry.read_version_file(manifest, "model.onnx")
    known = registry.read_version_file(manifest, "lineage.json")
    return Champion(manifest, Lineage.from_json(known), codec.load(graph, manifest))


def contenders(
    registry: Registry, codec: ModelCodec, head: Head, champion: Champion
) -> list[Contender]:
    """The versions that predict what is new: the champion first."""
    parts: dict[str, Part] = {}
    for lag in LAGS:
        if lag <= len(head.predecessors):
            parts[head.predecessors[lag - 1]] = "predecessor"
    parts |= dict.fromkeys(head.waiting[-1:], "waiting")
    others = [
        (part, load(registry, codec, head.pipeline, version)) for version, part in parts.items()
    ]
    return [("champion", champion), *others]


def learned_rows(
    definition: Definition, rows: Rows, models: Sequence[Contender]
) -> NDArray[np.uint64]:
    """Hashes of the rows that any of these models has learned; none where rows have no name."""
    if not tells_rows_apart(definition):
        return NOTHING_LEARNED
    files: dict[str, Learned] = {}
    for _, model in models:
        files |= {file.stem: file for file in model.lineage.used}
    hashes = [row_hashes(definition, rows.of(file.as_accepted())) for file in files.values()]
    return np.unique(np.concatenate(hashes)) if hashes else NOTHING_LEARNED


def score_first(
    data: ObjectStore,
    clock: Clock,
    definition: Definition,
    batch: Batch,
    rows: Rows,
    models: Sequence[Contender],
    learned: NDArray[np.uint64],
    watch: Stopwatch,
) -> list[Entry]:
    """Let every model predict the new files, and enter in the ledger how it did.

    Args:
        data: the data bucket.
        clock: stamps the entries.
        definition: the recipe in force, for metrics and slices.
        batch: the accepted files, sorted by what the champion knows of them.
        rows: their rows.
        models: the champion first.
        learned: hashes of rows that any of the models has learned; they are left out for all of
            them, so that all are measured on the same rows.
        watch: times the steps.

    Returns:
        The ledger of the new files and of the `NEWEST_FILES` before them.
    """
    recent = [file.file.stem for file in batch.history[-(NEWEST_FILES + len(batch.fresh)) :]]
    ledger = list(entries(data, definition.name, since=min(recent)))
    done = {(entry.stem, entry.version) for entry in ledger}
    for file in batch.proof:
        missing = [one for one in models if (file.file.stem, _version(one)) not in done]
        if not missing:
            continue
        with watch("read"):
            frame = rows.of(file)
            repeated = seen_before(definition, frame, learned)
            frame = frame[~repeated]
        with watch("score"):
            for part, model in missing:
                entry = Entry(
                    stem=file.file.stem,
                    version=model.manifest.version,
                    scored=clock.now(),
                    measured=model.measure(definition, frame),
                    part=part,
                    repeated=int(repeated.sum()),
                )
                record(data, definition.name, entry)
                ledger.append(entry)
    return ledger


def _version(contender: Contender) -> str:
    return contender[1].manifest.version
