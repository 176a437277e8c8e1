"""The newest files against what the champion of their time had learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from perennial.domain.judging.redelivery import in_effect
from perennial.domain.judging.reference import NO_HISTORY, Reference
from perennial.domain.monitoring.columns import Course, File, learned_values, values_of
from perennial.domain.monitoring.distances import distance
from perennial.domain.monitoring.drift import drift
from perennial.domain.monitoring.jumps import jumps
from perennial.domain.monitoring.nulls import nulls
from perennial.domain.monitoring.report import FilePoint
from perennial.domain.monitoring.unseen import new_values, unseen
from perennial.domain.monitoring.vanished import missing, vanished
from perennial.domain.verdict import VerdictSummary
from perennial.ports import ObjectStore
from perennial.workflows.at_once import at_once
from perennial.workflows.monitoring.seen import Scene, Seen
from perennial.workflows.references import reference_of
from perennial.workflows.verdicts import read_verdict

RECENT = 32
"""Files whose statistics are read, and only when there is a new one."""


def look_at_files(scene: Scene, losses: Mapping[str, float]) -> Seen | None:
    """What the newest files say; None where that was looked at before.

    Args:
        scene: the pipeline.
        losses: of the champion of its time on each file, by the file's stem.
    """
    accepted = [file for file in scene.files if file.decision == "accepted"]
    counting = sorted(in_effect(scene.definition, accepted), key=lambda file: file.order)[-RECENT:]
    mark = _mark(scene, counting, losses)
    if mark == scene.mark("files"):
        return None
    course = read_course(scene, counting)
    gone = missing(course, scene.open)
    new = {name: frozenset(values) for name, values in new_values(course).items()}
    apart = {
        name: gone.get(name, frozenset()) | new.get(name, frozenset()) for name in {*gone, *new}
    }
    features, drifting = drift(course, apart)
    symptoms = [
        *drifting,
        *jumps(course),
        *nulls(course),
        *unseen(course),
        *vanished(course, scene.open),
    ]
    points = [_point(course, file, losses) for file in [*course.older, *course.newest]]
    figures = {"features": tuple(features), "files": tuple(points)}
    return Seen(symptoms, mark, figures)


def read_course(scene: Scene, files: Sequence[VerdictSummary]) -> Course:
    """The statistics of files, and what had been learned before the newest of them.

    That is the reference of the last run that ended before they came; where they all came at once,
    as in a backfill, the older of them stand for it.
    """
    read = _read(scene.data, scene.pipeline, files)
    size = min(scene.definition.monitoring.files, len(read))
    older, newest = read[: len(read) - size], read[len(read) - size :]
    learned = _learned_before(scene, newest) if newest else NO_HISTORY
    if not learned.files:
        learned = NO_HISTORY.folding(file.statistics for file in older)
    return Course(scene.definition, older, newest, learned)


def _learned_before(scene: Scene, newest: Sequence[File]) -> Reference:
    first = min(file.summary.file.arrived for file in newest)
    before = [
        run["run"]
        for run in scene.runs
        if datetime.fromisoformat(run["ended"]) <= first and run["outcome"] != "failed"
    ]
    champion = scene.champion
    if champion is not None and champion.created <= first:
        return reference_of(scene.data, scene.pipeline, champion.run)
    return reference_of(scene.data, scene.pipeline, before[-1]) if before else NO_HISTORY


def _read(data: ObjectStore, pipeline: str, files: Sequence[VerdictSummary]) -> list[File]:
    return at_once(lambda file: File(file, read_verdict(data, pipeline, file).statistics), files)


def _mark(scene: Scene, files: Sequence[VerdictSummary], losses: Mapping[str, float]) -> str:
    last = files[-1].file.stem if files else ""
    scored = sum(file.file.stem in losses for file in files)
    return f"{scene.head.definition[:16]} {len(files)} {last} {scored}"


def _point(course: Course, file: File, losses: Mapping[str, float]) -> FilePoint:
    distances = {}
    for name in course.watched:
        values, learned = values_of(file.statistics.get(name)), learned_values(course, name)
        gap = distance(learned, values) if values and learned else None
        if gap is not None:
            distances[name] = round(gap, 4)
    summary = file.summary
    loss = losses.get(summary.file.stem)
    return FilePoint(
        summary.file.stem, file.name, summary.order[0], summary.rows,
        None if loss is None else float(f"{loss:.6g}"), distances,
    )  # fmt: skip
