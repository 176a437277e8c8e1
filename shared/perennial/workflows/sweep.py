"""The sweep: whatever events failed to bring about. Listings are the truth, events are hints."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from perennial.domain.addresses import home
from perennial.domain.names import UNKNOWN_PIPELINE, FileId
from perennial.domain.verdict import Decision, Verdict
from perennial.domain.versioning.registry import Head
from perennial.errors import PerennialError, StoreUnavailable
from perennial.ports import Buckets, Clock, JobLauncher, ObjectStore
from perennial.workflows.batch.queue import launch_scoring, work_waits
from perennial.workflows.deciding import SUCCESSION
from perennial.workflows.judging import judge
from perennial.workflows.queue import is_at_work, work_is_due
from perennial.workflows.registry import Registry
from perennial.workflows.verdicts import list_in_force

log = logging.getLogger(__name__)

SWEEP = "sweep"
"""Who decides, in the verdicts that a sweep makes."""


@dataclass(slots=True)
class Swept:
    """What a sweep found and did.

    Attributes:
        listed: generations of landing objects that it saw.
        judged: how many it judged, by decision.
        launched: the pipelines for which it started a run.
        scoring: those for which it started an execution that scores files.
        errors: what went wrong first, by pipeline; the rest was swept all the same.
    """

    listed: int = 0
    judged: dict[str, int] = field(default_factory=dict)
    launched: list[str] = field(default_factory=list)
    scoring: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """What serves for a pipeline.

    Attributes:
        champion: the version; None while accepted files wait for a first one.
        champion_age_seconds: since the version was made, by its manifest; None without one. Going
            back to an old version therefore makes the champion old at once, which it is.
    """

    pipeline: str
    champion: str | None
    champion_age_seconds: float | None


def sweep(
    buckets: Buckets,
    registry: Registry,
    launcher: JobLauncher,
    clock: Clock,
    pipeline: str | None = None,
    *,
    tell: Callable[[Verdict | Standing], None] = lambda _: None,
) -> Swept:
    """Judge every landing generation without a verdict, and start the runs that are due.

    Args:
        buckets: the four buckets.
        registry: where the pipelines are.
        launcher: starts runs.
        clock: the time.
        pipeline: sweep only this one; all of them, and files without one, when None.
        tell: called with each verdict that this sweep made, as it is made, and with how each
            pipeline stands that has a champion, or accepted files that wait for one.
    """
    swept = Swept()
    prefix = "" if pipeline is None else f"{pipeline}/"
    files: dict[str, list[FileId]] = {}
    for info in buckets.landing.list(prefix, versions=True):
        files.setdefault(home(info.name), []).append(FileId(info.generation, info.name))
        swept.listed += 1
    known = set(registry.pipelines())
    decisions = _Decisions(buckets.data)
    for place, dropped in sorted(files.items()):
        with _noted(swept, place):
            for file in decisions.lacking(sorted(dropped), defined=place in known):
                with _noted(swept, place, but=(StoreUnavailable,)):  # ends this pipeline
                    verdict = judge(buckets, registry, clock, file, by=SWEEP)
                    swept.judged[verdict.decision] = swept.judged.get(verdict.decision, 0) + 1
                    decisions.learn(verdict)
                    if verdict.decided_by in (SWEEP, SUCCESSION):
                        tell(verdict)  # one by another handler is told by that one
    for name in sorted(known if pipeline is None else known & {pipeline}):
        with _noted(swept, name):
            head = registry.require(name)
            with _noted(swept, name):
                if _launch(buckets, registry, launcher, clock, head):
                    swept.launched.append(name)
            with _noted(swept, name):
                if decisions.to_score(name) and _score(buckets, registry, launcher, clock, name):
                    swept.scoring.append(name)
            if head.champion is not None or decisions.accepted(name):
                tell(_standing(registry, clock, head))
    return swept


@contextmanager
def _noted(swept: Swept, pipeline: str, *, but: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Keep what goes wrong away from whatever is swept next, except for some errors."""
    try:
        yield
    except but:
        raise
    except Exception as error:  # one file that breaks us must not starve all others
        if not isinstance(error, PerennialError):
            log.exception("%s: the sweep goes on after an unforeseen error", pipeline)
        swept.errors.setdefault(pipeline, f"{type(error).__name__}: {error}")


class _Decisions:
    """The decisions in force, each pipeline listed when it is first asked for."""

    def __init__(self, data: ObjectStore) -> None:
        self._data = data
        self._known: dict[str, dict[str, Decision]] = {}

    def lacking(self, files: Sequence[FileId], *, defined: bool) -> list[FileId]:
        """The files to judge: those without a decision, or pending though there is a definition."""
        wanted = (None, "pending") if defined else (None,)
        return [file for file in files if self._about(file) in wanted]

    def learn(self, verdict: Verdict) -> None:
        """Remember a decision that was made since."""
        self._of(verdict.pipeline)[verdict.file.stem] = verdict.decision

    def accepted(self, pipeline: str) -> bool:
        """Whether any file of a pipeline is accepted."""
        return "accepted" in self._of(pipeline).values()

    def to_score(self, pipeline: str) -> bool:
        """Whether any file of a pipeline is there to be scored."""
        return "to_score" in self._of(pipeline).values()

    def _about(self, file: FileId) -> Decision | None:
        """The decision about a file, under its own pipeline or under `_unknown`."""
        own = self._of(home(file.name)).get(file.stem)
        return own or self._of(UNKNOWN_PIPELINE).get(file.stem)

    def _of(self, pipeline: str) -> dict[str, Decision]:
        if pipeline not in self._known:
            listed = list_in_force(self._data, pipeline)
            self._known[pipeline] = {found.file.stem: found.decision for found in listed}
        return self._known[pipeline]


def _launch(
    buckets: Buckets, registry: Registry, launcher: JobLauncher, clock: Clock, head: Head
) -> bool:
    """Start a run if accepted files wait for one and none is at work."""
    pipeline = head.pipeline
    if is_at_work(head, launcher, clock) or not work_is_due(buckets.data, registry, pipeline):
        return False
    launcher.launch(pipeline)
    return True


def _score(
    buckets: Buckets, registry: Registry, launcher: JobLauncher, clock: Clock, pipeline: str
) -> bool:
    """Start an execution that scores if files wait for one and none is at work."""
    if not work_waits(buckets.data, registry, pipeline):
        return False
    launched = launch_scoring(buckets.data, registry, launcher, clock, pipeline, patiently=True)
    return launched is not None


def _standing(registry: Registry, clock: Clock, head: Head) -> Standing:
    """One small read, of the champion's manifest."""
    if head.champion is None:
        return Standing(head.pipeline, None, None)
    created = registry.manifest(head.pipeline, head.champion, head=head).created
    age = (clock.now() - created).total_seconds()
    return Standing(head.pipeline, head.champion, round(age, 1))
