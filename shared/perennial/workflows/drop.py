"""Drop files into landing and, where asked, see them through: verdicts, then training."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from perennial.domain import names
from perennial.domain import registry as state
from perennial.domain.names import FileId
from perennial.domain.registry import Head
from perennial.domain.verdict import VerdictSummary
from perennial.errors import Unfinished
from perennial.ports import Buckets, Clock, JobLauncher
from perennial.workflows.queue import is_at_work, work_is_due
from perennial.workflows.registry import Registry
from perennial.workflows.runs import list_runs
from perennial.workflows.verdicts import list_in_force

POLL_SECONDS = 0.1
BACKFILL_CLAIM = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Upload:
    """A local file and the name it gets in landing, below the pipeline's folder."""

    path: Path
    name: str


@dataclass(slots=True)
class Dropped:
    """What became of a drop.

    Attributes:
        files: what was uploaded, in order.
        verdicts: the decision in force about each, as far as they are known.
        runs: summaries of the training runs that ended since.
    """

    files: list[FileId] = field(default_factory=list)
    verdicts: dict[FileId, VerdictSummary] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Dropper:
    """Drops files for one pipeline.

    Attributes:
        patience: seconds without any progress after which a wait is given up.
        progress: called with one sentence whenever something happened.
    """

    buckets: Buckets
    registry: Registry
    launcher: JobLauncher
    clock: Clock
    pipeline: str
    patience: float = 120.0
    progress: Callable[[str], None] = lambda _: None

    def drop(
        self, uploads: Sequence[Upload], *, wait: bool = False, backfill: bool = False
    ) -> Dropped:
        """Upload files in order.

        Args:
            uploads: the files.
            wait: until each has its verdict and the training it caused has ended.
            backfill: hold training back until all are judged, then train once.

        Raises:
            NotFoundError: for a backfill into a pipeline that was never applied.
            Unfinished: when nothing happened for `patience` seconds.
        """
        known_runs = self._runs()
        if backfill:
            with self._training_held_back():
                dropped = self._upload(uploads)
                self._await_verdicts(dropped)
            if self._is_due():
                self.launcher.launch(self.pipeline)
        else:
            dropped = self._upload(uploads)
        if wait:
            self._await_verdicts(dropped)
            self._await_training()
        dropped.runs = [run for run_id, run in self._runs().items() if run_id not in known_runs]
        return dropped

    def _upload(self, uploads: Sequence[Upload]) -> Dropped:
        dropped = Dropped()
        for upload in uploads:
            with upload.path.open("rb") as file:
                info = self.buckets.landing.overwrite(f"{self.pipeline}/{upload.name}", file)
            dropped.files.append(FileId(info.generation, info.name))
            self.progress(f"uploaded {upload.name}")
        return dropped

    def _await_verdicts(self, dropped: Dropped) -> None:
        """Wait until every file has a verdict."""
        if not dropped.files:
            return
        since = min(dropped.files).generation - 1
        homes = [self.pipeline]
        if self.registry.head(self.pipeline) is None:
            homes.append(names.UNKNOWN_PIPELINE)  # where files of a misspelt pipeline end
        wanted = {file.stem: file for file in dropped.files}

        def missing() -> int:
            for home in homes:
                for found in list_in_force(self.buckets.data, home, since_generation=since):
                    if file := wanted.get(found.file.stem):
                        dropped.verdicts[file] = found
            return len(wanted) - len(dropped.verdicts)

        self._until_none(
            missing,
            "{} of the dropped files have no verdict: are event delivery and the ingest function "
            "alive? `perennial sweep` judges what they missed",
        )

    def _await_training(self) -> None:
        """Wait until no run is at work and none is due."""

        def open_work() -> int:
            head = self.registry.head(self.pipeline)
            if head is None or not head.definition:
                return 0
            if is_at_work(head, self.launcher, self.clock):
                return -head.number  # changes with every commit of the run, which is progress
            return int(self._is_due())

        self._until_none(
            open_work,
            "accepted files wait for a training run that does not start or end: is the job runner "
            "alive? `perennial status` shows the last runs, `perennial sweep` starts one",
        )

    def _until_none(self, left: Callable[[], int], complaint: str) -> None:
        """Poll until `left` gives 0; give up when its number stays the same for too long."""
        last, since = left(), self.clock.now()
        while last != 0:
            self.clock.sleep(POLL_SECONDS)
            now_left = left()
            if now_left != last:
                last, since = now_left, self.clock.now()
            elif now_left > 0 and (self.clock.now() - since).total_seconds() > self.patience:
                raise Unfinished(complaint.format(now_left))

    def _is_due(self) -> bool:
        return work_is_due(self.buckets.data, self.registry, self.pipeline)

    @contextmanager
    def _training_held_back(self) -> Iterator[None]:
        """Hold the pipeline's claim, so that no run starts meanwhile."""
        self.registry.require(self.pipeline)
        holder = f"backfill-{secrets.token_hex(4)}"

        def claim(head: Head) -> Head:
            seconds = BACKFILL_CLAIM.total_seconds()
            return state.take_claim(head, run=holder, now=self.clock.now(), seconds=seconds)

        head = self.registry.commit(self.pipeline, claim, action="claim", by=holder)
        try:
            yield
        finally:
            release = partial(state.release_claim, epoch=head.epoch)
            self.registry.commit(self.pipeline, release, action="release", by=holder)

    def _runs(self) -> dict[str, dict[str, Any]]:
        head = self.registry.head(self.pipeline)
        since = head.last_run if head else ""
        return {run["run"]: run for run in list_runs(self.buckets.data, self.pipeline, since=since)}
