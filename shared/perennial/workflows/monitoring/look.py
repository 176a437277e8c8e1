"""A look at one pipeline: gather what it needs, let each part see, keep what is new.

What one part cannot read is noted, and neither opens nor closes findings of its kinds; the others
go on. What time alone changes is looked at each time; all else only where something is new, so that
a look at a quiet pipeline is some ten small requests.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from perennial.domain.monitoring.following import MOST_CLOSED, Part, follow
from perennial.domain.monitoring.report import Distance, Feature, Watch
from perennial.domain.versioning.registry import Head
from perennial.errors import PerennialError
from perennial.ports import Buckets, Clock, JobLauncher, ObjectStore
from perennial.workflows.ledger import Entry
from perennial.workflows.monitoring.exposure import look_at_feedback
from perennial.workflows.monitoring.files import look_at_files
from perennial.workflows.monitoring.logs import Logs
from perennial.workflows.monitoring.scores import look_at_scores, losses_of, read_scores
from perennial.workflows.monitoring.seen import Scene, Seen
from perennial.workflows.monitoring.standing import (
    look_at_champion,
    look_at_jobs,
    look_at_sources,
)
from perennial.workflows.monitoring.traffic import WINDOW, look_at_requests
from perennial.workflows.monitoring.watches import add_watch, latest_watch
from perennial.workflows.registry import Registry
from perennial.workflows.runs import list_runs
from perennial.workflows.verdicts import list_in_force

log = logging.getLogger(__name__)

PAST = timedelta(days=120)
"""Files that came before are not looked at, so that a listing is that of the recent past."""

RUNS = 32
_FRESH = timedelta(days=30)
"""The last look is written again before the rule of the bucket's lifecycle removes it."""

_WHENEVER = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_RUN = "first_run"


@dataclass(frozen=True)
class Lookout:
    """What looks at pipelines.

    Attributes:
        buckets, registry, launcher, clock: the deployment.
        predictions: the bucket of the prediction log; None where there is none to read.
        logs: that log's last day, shared by all pipelines of one tick.
    """

    buckets: Buckets
    registry: Registry
    launcher: JobLauncher
    clock: Clock
    predictions: ObjectStore | None = None
    logs: Logs | None = None

    def reading_logs(self, pipelines: list[str]) -> Lookout:
        """The same for one tick, in which the log is read once for these pipelines."""
        if self.predictions is None:
            return self
        now = self.clock.now()
        return replace(self, logs=Logs(self.predictions, now - WINDOW, now, frozenset(pipelines)))

    def look(self, pipeline: str, *, keep: bool = True) -> Watch:
        """What there is to say of a pipeline now.

        Args:
            pipeline: which one.
            keep: write it down where it says something new.

        Raises:
            NotFoundError: for a pipeline that was never applied.
            StoreError: when not even the registry can be read, or nothing be written.
        """
        head = self.registry.require(pipeline)
        before = latest_watch(self.buckets.data, pipeline)
        scene = self._scene(head, before)
        seen, errors = self._see(scene)
        if not keep:
            return _built(scene, before, seen, errors)
        made: list[Watch] = []

        def build(last: Watch | None) -> Watch | None:
            watch = _built(scene, last, seen, errors)
            if last is not None and not _is_new(last, watch):
                made.append(replace(watch, changes=last.changes))  # it may be that nobody was told
                return None
            return watch

        written = add_watch(self.buckets.data, pipeline, before, build)
        return written or made[-1]

    def _scene(self, head: Head, before: Watch | None) -> Scene:
        now = self.clock.now()
        champion = (
            self.registry.manifest(head.pipeline, head.champion, head=head)
            if head.champion
            else None
        )
        first = before.marks.get(_FIRST_RUN, "") if before else ""
        since = int((now - PAST).timestamp() * 1e6)
        return Scene(
            self.buckets.data,
            head,
            self.registry.definition(head),
            champion,
            list_in_force(self.buckets.data, head.pipeline, since_generation=since),
            list(list_runs(self.buckets.data, head.pipeline, since=first))[-RUNS:],
            before,
            now,
        )

    def _see(self, scene: Scene) -> tuple[dict[Part, Seen], dict[str, str]]:
        """What each part sees, and what went wrong in the others."""
        seen: dict[Part, Seen] = {}
        errors: dict[str, str] = {}
        scores: dict[str, Entry] = {}

        def look_at_progress() -> Seen | None:
            scores.update(read_scores(scene))
            return look_at_scores(scene, scores)

        def on_traffic() -> Seen | None:
            return look_at_requests(scene, self.logs) if self.logs is not None else None

        def on_feedback() -> Seen | None:
            if self.predictions is None:
                return None
            return look_at_feedback(scene, self.predictions, scores)

        parts: Mapping[Part, Callable[[], Seen | None]] = {
            "scores": look_at_progress,
            "files": lambda: look_at_files(scene, losses_of(scene, scores)),
            "sources": lambda: look_at_sources(scene),
            "jobs": lambda: look_at_jobs(scene, self.launcher),
            "champion": lambda: look_at_champion(scene),
            "requests": on_traffic,
            "feedback": on_feedback,
        }
        for part, look in parts.items():
            try:
                found = look()
            except ImportError as error:  # on somebody's own machine
                errors[part] = f"{error.name} is missing: pip install 'perennial[monitor]' has it"
                continue
            except Exception as error:  # one part that breaks must not blind the others
                if not isinstance(error, PerennialError):
                    log.exception("%s: %s could not be looked at", scene.pipeline, part)
                errors[part] = f"{type(error).__name__}: {error}"[:500]
                continue
            if found is not None:
                seen[part] = found
        return seen, errors


def _built(
    scene: Scene, last: Watch | None, seen: Mapping[Part, Seen], errors: Mapping[str, str]
) -> Watch:
    """The next look, on top of the last one, which may be another than when it began."""
    base = last or Watch(scene.pipeline, 1, scene.now)
    symptoms = [symptom for one in seen.values() for symptom in one.symptoms]
    findings, closed, changes = follow(
        base.findings, symptoms, seen.keys(), scene.now, ignore=scene.definition.monitoring.ignore
    )
    marks: dict[str, str] = {part: one.mark for part, one in seen.items() if one.mark}
    if scene.runs:
        marks[_FIRST_RUN] = scene.runs[0]["run"]
    figures: dict[str, Any] = {}
    for one in seen.values():
        figures |= one.figures
    features = figures.pop("features", base.features)
    features = _features(
        base, features, figures.pop("skews", None), figures.pop("prediction", None)
    )
    return replace(
        base,
        at=scene.now,
        findings=tuple(findings),
        closed=(*reversed(closed), *base.closed)[:MOST_CLOSED],
        changes=tuple(changes),
        features=features,
        errors=dict(errors),
        marks={**base.marks, **marks},
        **figures,
    )


def _features(
    base: Watch,
    measured: tuple[Feature, ...],
    skews: Mapping[str, Distance] | None,
    prediction: Feature | None,
) -> tuple[Feature, ...]:
    """What files say and what requests say of the same columns, each as of its last look."""
    known = {one.name: one.skew for one in base.features} if skews is None else skews
    kept = [one for one in base.features if one.part == "prediction"]
    columns = [
        replace(one, skew=known.get(one.name, Distance()))
        for one in measured
        if one.part != "prediction"
    ]
    return (*columns, *([prediction] if prediction else kept))


def _is_new(last: Watch, watch: Watch) -> bool:
    """Whether a look says anything that the last one did not."""
    if watch.changes or watch.at - last.at >= _FRESH:
        return True
    return _lasting(last) != _lasting(watch)


def _lasting(watch: Watch) -> Watch:
    """Without what differs from tick to tick."""
    jobs = replace(watch.jobs, at_work_seconds=None)
    marks = {part: mark for part, mark in watch.marks.items() if part != "requests"}
    return replace(
        watch,
        number=0,
        at=_WHENEVER,
        changes=(),
        jobs=jobs,
        marks=marks,
    )
