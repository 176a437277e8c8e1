"""The sweep: whatever events failed to bring about. Listings are the truth, events are hints."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from perennial.domain.addresses import home
from perennial.domain.names import UNKNOWN_PIPELINE, FileId
from perennial.domain.verdict import Decision, Verdict
from perennial.domain.versioning.registry import Head
from perennial.errors import LaunchError, PerennialError, StoreUnavailable
from perennial.ports import Buckets, Clock, JobLauncher, ObjectStore
from perennial.workflows.attempts import begun
from perennial.workflows.batch.queue import launch_scoring, work_waits
from perennial.workflows.deciding import SUCCESSION
from perennial.workflows.judging import SWEEP, judge
from perennial.workflows.queue import is_at_work, work_is_due
from perennial.workflows.registry import Registry
from perennial.workflows.relaunching import Launches
from perennial.workflows.verdicts import list_in_force

log = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=4)
"""What a tick has no time to judge it leaves to the next one: runs must start, and the function
that is called at each tick may take nine minutes for all that it does."""


ALARMING = 3
"""So many runs in a row that died are an error of the sweep, which is an alert."""


@dataclass(slots=True)
class Swept:
    """What a sweep found and did.

    Attributes:
        listed: generations of landing objects that it saw.
        judged: how many it judged, by decision.
        launched: the pipelines for which it started a run.
        scoring: those for which it started an execution that scores files.
        left: how many files wait for the next sweep, because time ran out.
        errors: what went wrong first, by pipeline; the rest was swept all the same.
    """

    listed: int = 0
    judged: dict[str, int] = field(default_factory=dict)
    launched: list[str] = field(default_factory=list)
    scoring: list[str] = field(default_factory=list)
    left: int = 0
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
    patience: timedelta | None = None,
) -> Swept:
    """Judge every landing generation without a verdict, and start the runs that are due.

    Pipelines take turns, file by file, so that a storm in one does not keep another waiting. A file
    whose judging was begun before and did not end may end this process, too: it comes last, after
    the runs have been started.

    Args:
        buckets: the four buckets.
        registry: where the pipelines are.
        launcher: starts runs.
        clock: the time.
        pipeline: sweep only this one; all of them, and files without one, when None.
        tell: called with each verdict that this sweep made, as it is made, and with how each
            pipeline stands that has a champion, or accepted files that wait for one.
        patience: after which no further file is judged; None for as long as it takes.
    """
    parts = _Sweep(buckets, registry, launcher, clock, tell, patience)
    parts.sweep(pipeline)
    return parts.swept


class _Sweep:
    """One sweep under way."""

    def __init__(
        self,
        buckets: Buckets,
        registry: Registry,
        launcher: JobLauncher,
        clock: Clock,
        tell: Callable[[Verdict | Standing], None],
        patience: timedelta | None,
    ) -> None:
        self.swept = Swept()
        self._buckets = buckets
        self._registry = registry
        self._launcher = launcher
        self._clock = clock
        self._tell = tell
        self._until = None if patience is None else clock.now() + patience
        self._decisions = _Decisions(buckets.data)

    def sweep(self, pipeline: str | None) -> None:
        known = set(self._registry.pipelines())
        first, last = self._lacking("" if pipeline is None else f"{pipeline}/", known)
        mine = known if pipeline is None else known & {pipeline}
        self._judge_in_turns(first)
        self._start_runs(mine)
        self._start_runs(mine & self._judge_in_turns(last))
        for name in sorted(mine):
            with _noted(self.swept, name):
                head = self._registry.require(name)
                if head.champion is not None or self._decisions.accepted(name):
                    self._tell(_standing(self._registry, self._clock, head))

    def _lacking(
        self, prefix: str, known: set[str]
    ) -> tuple[dict[str, deque[FileId]], dict[str, deque[FileId]]]:
        """The files to judge, by place, and those of them that come last."""
        files: dict[str, list[FileId]] = {}
        for info in self._buckets.landing.list(prefix, versions=True):
            files.setdefault(home(info.name), []).append(FileId(info.generation, info.name))
            self.swept.listed += 1
        first: dict[str, deque[FileId]] = {}
        last: dict[str, deque[FileId]] = {}
        for place, dropped in sorted(files.items()):
            with _noted(self.swept, place):
                lacking = self._decisions.lacking(sorted(dropped), defined=place in known)
                doubtful = begun(self._buckets.data, place) if lacking else frozenset()
                first[place] = deque(file for file in lacking if file.stem not in doubtful)
                last[place] = deque(file for file in lacking if file.stem in doubtful)
        return first, last

    def _judge_in_turns(self, queues: Mapping[str, deque[FileId]]) -> set[str]:
        """Judge one file of each place after another; the places of which any was judged."""
        judged: set[str] = set()
        while waiting := [place for place, queue in queues.items() if queue]:
            if self._until is not None and self._clock.now() >= self._until:
                self.swept.left += sum(len(queues[place]) for place in waiting)
                break
            for place in waiting:
                with _noted(self.swept, place):
                    try:
                        self._judge(queues[place].popleft())
                    except StoreUnavailable:
                        queues[place].clear()  # each further file would wait in vain, too
                        raise
                    judged.add(place)
        return judged

    def _judge(self, file: FileId) -> None:
        verdict = judge(self._buckets, self._registry, self._clock, file, by=SWEEP)
        self.swept.judged[verdict.decision] = self.swept.judged.get(verdict.decision, 0) + 1
        self._decisions.learn(verdict)
        if verdict.decided_by in (SWEEP, SUCCESSION):
            self._tell(verdict)  # one by another handler is told by that one

    def _start_runs(self, pipelines: set[str]) -> None:
        """Start the runs that are due, and the executions that score."""
        parts = self._buckets, self._registry, self._launcher, self._clock
        for name in sorted(pipelines):
            with _noted(self.swept, name):
                if _launch(*parts, self._registry.require(name)):
                    self.swept.launched.append(name)
            with _noted(self.swept, name):
                if self._decisions.to_score(name) and _score(*parts, name):
                    self.swept.scoring.append(name)


@contextmanager
def _noted(swept: Swept, pipeline: str) -> Iterator[None]:
    """Keep what goes wrong away from whatever is swept next."""
    try:
        yield
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
    """Start a run if accepted files wait for one and none is at work, or died too often.

    Raises:
        LaunchError: when it could not be started, or must wait because others died.
    """
    pipeline = head.pipeline
    if is_at_work(head, launcher, clock) or not work_is_due(buckets.data, registry, pipeline):
        return False
    launches, now = Launches.at(buckets.data, launcher, head), clock.now()
    if launches.on_its_way and not launches.lost(now):
        return False
    deaths = launches.deaths
    if not deaths.must_wait(now):
        launches.start()
        return True
    if deaths.count >= ALARMING:
        raise LaunchError(
            f"the last {deaths.count} runs of {pipeline} ended without a record, so the next one "
            f"starts after {deaths.next_start:%H:%M:%S} UTC: see the logs of their executions; "
            f"`perennial retrain {pipeline}` starts one at once"
        )
    return False


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
