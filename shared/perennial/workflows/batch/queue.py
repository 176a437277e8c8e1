"""The queue of scoring: decisions `to_score` without predictions. Nothing claims it.

Whoever scores a file writes the same names create-only, so two at once do no harm, and a crash
leaves nothing that the next does not complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from perennial.domain import names
from perennial.domain.definitions.definition import Definition
from perennial.domain.names import FileId
from perennial.domain.serving.batch import WAITING, Outcome, Scored, ScoredSummary, to_score
from perennial.domain.verdict import VerdictSummary
from perennial.errors import ObjectNotFound
from perennial.ports import Clock, JobLauncher, ObjectStore
from perennial.workflows.registry import Registry
from perennial.workflows.verdicts import list_in_force
from perennial.workflows.writing import create_once

_TAKEN = ".taken"


def list_scored(
    data: ObjectStore, pipeline: str, *, since: str = "", only: str = ""
) -> Iterator[ScoredSummary]:
    """What came of scoring, file by file in the order of their drops; one listing and no read.

    Args:
        data: the data bucket.
        pipeline: whose.
        since: leave out the files whose stems sort before it.
        only: of the file with this stem alone.
    """
    prefix = names.predictions(pipeline, only)
    start = names.predictions(pipeline) + since if since else None
    for info in data.list(prefix, start=start):
        if info.name.endswith(".json"):
            yield ScoredSummary.from_metadata(info.name, info.metadata)


def read_scored(data: ObjectStore, pipeline: str, file: FileId, version: str) -> Scored | None:
    """What a version made of a file; None while it made nothing."""
    try:
        name = names.prediction_manifest(pipeline, file.stem, version)
        return Scored.from_json(data.read(name).data)
    except ObjectNotFound:
        return None


def waiting_files(
    data: ObjectStore, definition: Definition, champion: str, files: Iterable[VerdictSummary]
) -> list[VerdictSummary]:
    """Of these files, those that the champion has to predict, in the order of their drops.

    Args:
        data: the data bucket.
        definition: says whether files are scored again when the champion moves.
        champion: who predicts.
        files: decisions in force, whatever they are. Without one `to_score` nothing is listed.
    """
    serving = definition.serving
    again = serving.rescore_files if serving.rescore == "latest" else 0
    return _waiting(data, definition.name, champion, files, again=again)


def unanswered(
    data: ObjectStore, pipeline: str, champion: str, files: Iterable[VerdictSummary]
) -> list[VerdictSummary]:
    """Of these files, those that the champion has to predict because no version has done it.

    Args:
        data: the data bucket.
        pipeline: whose.
        champion: who predicts; a file on which it failed is answered.
        files: decisions in force, in the order of their drops. Without one `to_score` nothing is
            listed.
    """
    return _waiting(data, pipeline, champion, files, again=0)


def _waiting(
    data: ObjectStore,
    pipeline: str,
    champion: str,
    files: Iterable[VerdictSummary],
    *,
    again: int,
) -> list[VerdictSummary]:
    live = [file for file in files if file.decision == "to_score"]
    if not live:
        return []
    done: dict[str, dict[str, Outcome]] = {}
    for one in list_scored(data, pipeline, since=live[0].file.stem):
        done.setdefault(one.file.stem, {})[one.version] = one.outcome
    return to_score(live, done, champion, again=again)


def work_waits(data: ObjectStore, registry: Registry, pipeline: str) -> bool:
    """Whether any file of a pipeline waits to be scored and there is who can, by full listings."""
    head = registry.require(pipeline)
    if head.champion is None:
        return False
    files = [f for f in list_in_force(data, pipeline) if f.decision == "to_score"]
    return bool(files) and bool(
        waiting_files(data, registry.definition(head), head.champion, files)
    )


def launch_scoring(
    data: ObjectStore,
    registry: Registry,
    launcher: JobLauncher,
    clock: Clock,
    pipeline: str,
    *,
    patiently: bool = False,
) -> str | None:
    """Launch an execution that scores, unless one that was launched has yet to look.

    An execution marks the launches before it lists the queue. So one whose launch bears no mark
    will see every decision that was written by now. Without a champion nothing is launched: the
    run that makes the first one scores what waits.

    Args:
        data: the data bucket.
        registry: where the head is.
        launcher: starts the execution.
        clock: names the hour in which launches are looked for.
        pipeline: which one.
        patiently: launch none either while one works that has looked.

    Returns:
        The execution that was started.

    Raises:
        LaunchError: when it could not be started.
    """
    head = registry.head(pipeline)
    if head is None or head.champion is None:
        return None
    now = clock.now()
    for hour in _hours(now) if patiently else (now,):
        number, taken = _last_launch(data, pipeline, hour)
        if number and (patiently or not taken):
            launch = data.read(names.score_launch(pipeline, hour, number)).data.decode()
            if not launcher.has_ended(launch):
                return None
    execution = launcher.launch_task("score", pipeline, WAITING)
    number, _ = _last_launch(data, pipeline, now)
    create_once(data, names.score_launch(pipeline, now, number + 1), execution.encode())
    return execution


def mark_launches(data: ObjectStore, clock: Clock, pipeline: str) -> None:
    """Tell that the queue is about to be listed: decisions that come later need a new launch."""
    for hour in _hours(clock.now()):
        number, taken = _last_launch(data, pipeline, hour)
        if number and not taken:
            create_once(data, names.score_launch(pipeline, hour, number) + _TAKEN, b"")


def _hours(now: datetime) -> Sequence[datetime]:
    """This hour and the one before: an execution may begin in another than it was launched in."""
    return now, now - timedelta(hours=1)


def _last_launch(data: ObjectStore, pipeline: str, hour: datetime) -> tuple[int, bool]:
    """The number of the hour's last launch, 0 without one, and whether it bears the mark."""
    prefix = names.score_launch(pipeline, hour)
    entries = {info.name.removeprefix(prefix) for info in data.list(prefix)}
    numbers = [int(entry) for entry in entries if not entry.endswith(_TAKEN)]
    last = max(numbers, default=0)
    return last, f"{last:04d}{_TAKEN}" in entries
