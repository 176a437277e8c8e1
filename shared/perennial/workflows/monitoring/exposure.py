"""Logged predictions beside what came since: whether labels, or rows themselves, follow them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import pyarrow.parquet as pq

from perennial.domain.monitoring.arrivals import prefix_of
from perennial.domain.monitoring.feedback import Pair, Whole, feedback_loop
from perennial.domain.monitoring.findings import Symptom
from perennial.domain.monitoring.pairs import pairs
from perennial.domain.monitoring.requests import Key, Tally
from perennial.domain.monitoring.sampled import number_said
from perennial.domain.monitoring.volume_loop import arrival_loop, volume_loop
from perennial.domain.monitoring.volumes import Came, Said, volumes
from perennial.domain.serving.lookups import key_text
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.manifest import Manifest
from perennial.errors import ObjectNotFound
from perennial.ports import ObjectStore
from perennial.workflows.ledger import Entry
from perennial.workflows.monitoring.logs import MOST_BYTES, Logs
from perennial.workflows.monitoring.seen import Scene, Seen

_FILES = 8
_LONGEST = timedelta(days=31)
_LARGEST = 64 * 2**20  # bytes of a file's rows
_LOG_OBJECT = timedelta(hours=1)


def look_at_feedback(
    scene: Scene, predictions: ObjectStore, scores: Mapping[str, Entry]
) -> Seen | None:
    """Whether labels or rows follow predictions; None where no new file came, or nothing serves.

    Predictions are joined to rows by key columns, which the log holds where `serving.log.keys`
    says so; how many rows sources bring is looked at without.
    """
    champion = scene.champion
    accepted = [file for file in scene.files if file.decision == "accepted"]
    if champion is None or not accepted:
        return None
    mark = accepted[-1].file.stem
    if mark == scene.mark("feedback"):
        return None
    came = _came(scene, accepted)
    since = max(_since(came, scene.now), scene.now - _LONGEST)
    logs = Logs(predictions, since, scene.now, {scene.pipeline}, 2 * MOST_BYTES)
    tally = logs.tallies.get(scene.pipeline, Tally())
    if logs.partial:
        since = (tally.since or scene.now) + _LOG_OBJECT  # what came before it may not be whole
    known = volumes(
        scene.before.volumes if scene.before else (), came, _said(tally, champion), since
    )
    symptoms = [
        *volume_loop(scene.pipeline, known, scene.definition.monitoring.volume, mark),
        *_by_row(scene, champion, accepted, tally, scores),
    ]
    return Seen(symptoms, mark, {"volumes": known})


def _came(scene: Scene, accepted: Sequence[VerdictSummary]) -> list[Came]:
    return [
        Came(one.file.stem, prefix_of(scene.pipeline, one.file.name), one.file.arrived, one.rows)
        for one in accepted
        if one.file.name  # else it is too long to be listed
    ]


def _since(came: Sequence[Came], now: datetime) -> datetime:
    """When the file before the newest ones came, and before each of them that of its source."""
    since, last = now, dict[str, datetime]()
    for place, one in enumerate(came, start=-len(came)):
        if place >= -_FILES - 1:
            since = min(since, one.at, last.get(one.prefix, since))
        last[one.prefix] = one.at
    return since


def _said(tally: Tally, champion: Manifest) -> list[Said]:
    found = []
    for prediction, at in zip(tally.predictions, tally.used, strict=True):
        value = number_said(prediction, champion)
        if at is not None and value is not None:
            found.append(Said(at, value))
    return found


def _by_row(
    scene: Scene,
    champion: Manifest,
    accepted: Sequence[VerdictSummary],
    tally: Tally,
    scores: Mapping[str, Entry],
) -> Iterator[Symptom]:
    """What keys tell: labels, and which rows came at all."""
    keys = sorted(scene.definition.names("key"))
    answers = tally.keyed
    if not keys or not scene.definition.serving.log.keys or not answers:
        return
    metric = scene.definition.metric
    files = accepted[-_FILES:]
    mark = files[-1].file.stem
    rows = [
        (row, label) for file in files for row, label in _rows(scene, file, keys) if row in answers
    ]
    measured = [scores[file.file.stem].measured for file in files if file.file.stem in scores]
    whole = Whole(
        sum(one.score.rows for one in measured),
        sum(one.score.sums.get(metric, 0.0) for one in measured),
        [block.loss / block.rows for one in measured for block in one.blocks if block.rows],
    )
    joined = pairs(rows, answers, champion, metric)
    yield from feedback_loop(scene.pipeline, joined, whole, mark)
    there = {row for row, _ in rows}
    began, ended = accepted[-_FILES - 1 :][0].file.arrived, files[-1].file.arrived
    arrivals = [
        Pair(value, float(key in there), 0.0, answer.holdout)
        for key, answer in answers.items()
        if began <= answer.at < ended  # the row of another came before, or is still to come
        and (value := number_said(answer.prediction, champion)) is not None
    ]
    yield from arrival_loop(scene.pipeline, arrivals, mark)


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
