"""Logged predictions beside the labels that came since: whether labels follow predictions."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pyarrow.parquet as pq

from perennial.domain.monitoring.feedback import Whole, feedback_loop
from perennial.domain.monitoring.pairs import pairs
from perennial.domain.monitoring.requests import Key, Tally
from perennial.domain.serving.lookups import key_text
from perennial.domain.verdict import VerdictSummary
from perennial.errors import ObjectNotFound
from perennial.ports import ObjectStore
from perennial.workflows.ledger import Entry
from perennial.workflows.monitoring.logs import MOST_BYTES, Logs
from perennial.workflows.monitoring.seen import Scene, Seen

_FILES = 8
_LONGEST = timedelta(days=31)
_LARGEST = 64 * 2**20  # bytes of a file's rows


def look_at_feedback(
    scene: Scene, predictions: ObjectStore, scores: Mapping[str, Entry]
) -> Seen | None:
    """Whether labels follow predictions; None where no new labels came, or nothing joins them.

    Predictions are joined to labels by key columns, which the log holds where `serving.log.keys`
    says so.
    """
    keys = sorted(scene.definition.names("key"))
    accepted = [file for file in scene.files if file.decision == "accepted"][-_FILES - 1 :]
    if not keys or not scene.definition.serving.log.keys or scene.champion is None or not accepted:
        return None
    mark = accepted[-1].file.stem
    if mark == scene.mark("feedback"):
        return None
    since = max(accepted[0].file.arrived, scene.now - _LONGEST)
    logs = Logs(predictions, since, scene.now, {scene.pipeline}, 2 * MOST_BYTES)
    answers = logs.tallies.get(scene.pipeline, Tally()).keyed
    if not answers:
        return Seen(mark=mark)
    metric = scene.definition.metric
    files = accepted[-_FILES:]
    rows = (row for file in files for row in _rows(scene, file, keys))
    joined = pairs(rows, answers, scene.champion, metric)
    known = [scores[file.file.stem].measured for file in files if file.file.stem in scores]
    whole = Whole(
        sum(one.score.rows for one in known),
        sum(one.score.sums.get(metric, 0.0) for one in known),
        [block.loss / block.rows for one in known for block in one.blocks if block.rows],
    )
    return Seen(list(feedback_loop(scene.pipeline, joined, whole, mark)), mark)


def _rows(scene: Scene, file: VerdictSummary, keys: list[str]) -> Iterator[tuple[Key, object]]:
    """Key and label of each row; none of a file that is too large, or whose rows are gone."""
    try:
        if scene.data.stat(file.rows_object).size > _LARGEST:
            return
        stored = scene.data.read(file.rows_object).data
    except ObjectNotFound:
        return
    label = scene.definition.label
    parquet = pq.ParquetFile(io.BytesIO(stored))
    if not {*keys, label} <= set(parquet.schema_arrow.names):
        return  # it was typed by an earlier definition
    for row in parquet.read(columns=[*keys, label]).to_pylist():
        texts = [key_text(row[key]) for key in keys]
        if None not in texts:
            yield tuple(map(str, texts)), row[label]
