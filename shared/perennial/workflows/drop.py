"""Drop files into landing and, where asked, see them through: verdicts, then training."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from perennial.domain import names
from perennial.domain.addresses import near_miss
from perennial.domain.names import FileId
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.registry import Head
from perennial.errors import (
    ClaimLost,
    ObjectNotFound,
    PermissionDenied,
    RefusedError,
    Unfinished,
)
from perennial.ports import Buckets, Clock, JobLauncher, ObjectInfo
from perennial.workflows.batch.queue import unanswered
from perennial.workflows.claims import claim, release
from perennial.workflows.queue import is_at_work, work_is_due
from perennial.workflows.registry import Registry
from perennial.workflows.runs import list_runs
from perennial.workflows.verdicts import list_in_force

POLL_SECONDS = 0.1
RELIST_SECONDS = 1.0
"""How often the whole queue is listed while the registry's head stands still."""

BACKFILL_CLAIM_SECONDS = 600.0
"""How long training stays held back after a backfill that died; a living one renews its claim."""


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
        warn: called with one sentence about what nobody may have meant.
    """

    buckets: Buckets
    registry: Registry
    launcher: JobLauncher
    clock: Clock
    pipeline: str
    patience: float = 120.0
    progress: Callable[[str], None] = lambda _: None
    warn: Callable[[str], None] = lambda _: None

    def drop(
        self, uploads: Sequence[Upload], *, wait: bool = False, backfill: bool = False
    ) -> Dropped:
        """Upload files in order.

        Args:
            uploads: the files.
            wait: until each has its verdict, the training it caused has ended, and those in
                `score/` are predicted, if there is a champion.
            backfill: hold training back until all are judged, then train once.

        Raises:
            RefusedError: when the pipeline's name cannot be one.
            NotFoundError: for a backfill into a pipeline that was never applied.
            Unfinished: when nothing happened for `patience` seconds.
        """
        if not names.PIPELINE_NAME.fullmatch(self.pipeline):
            raise RefusedError(
                f"expected a pipeline's name (a-z, 0-9 and -), found {self.pipeline!r}"
            )
        new_runs = self._watch_runs()
        dropped = Dropped()
        if backfill:
            with self._training_held_back() as still_held:
                self._upload(uploads, dropped, still_held)
                self._await_verdicts(dropped, still_held)
            if self._is_due():
                self.launcher.launch(self.pipeline)
        else:
            self._warn_if_undefined()
            self._upload(uploads, dropped)
        if wait:
            self._await_verdicts(dropped)
            self._await_training(new_runs)
            self._await_predictions(dropped)
            self._look(dropped)  # a run may have set some aside as suspect
        dropped.runs = new_runs()
        return dropped

    def _warn_if_undefined(self) -> None:
        """Tell that the pipeline has no definition: it may come later, or the name be misspelt."""
        head = self.registry.head(self.pipeline)
        if head is not None and head.definition:
            return
        try:
            known = [name for name in self.registry.pipelines() if name != self.pipeline]
        except PermissionDenied:  # who may drop for one pipeline need not see the others
            known = []
        said = f"no pipeline {self.pipeline!r} has a definition"
        if nearest := near_miss(self.pipeline, known):
            self.warn(f"{said}; did you mean {nearest}? What is dropped so near it is quarantined")
        else:
            there_are = f"; there are: {', '.join(known)}" if known else ""
            self.warn(f"{said}{there_are}; its files wait, pending, until `perennial apply`")

    def _upload(
        self,
        uploads: Sequence[Upload],
        dropped: Dropped,
        after_each: Callable[[], None] = lambda: None,
    ) -> None:
        for upload in uploads:
            info = self._send(upload, f"{self.pipeline}/{upload.name}")
            dropped.files.append(FileId(info.generation, info.name))
            self.progress(f"uploaded {upload.name}")
            after_each()

    def _send(self, upload: Upload, name: str) -> ObjectInfo:
        """Write a file into landing, or find that this very file is there already.

        In a deployment nobody may overwrite, so a drop that broke off would stumble over its own
        beginning, and a write whose answer was lost over itself.
        """
        with upload.path.open("rb") as file:
            try:
                return self.buckets.landing.overwrite(name, file)
            except PermissionDenied:
                if (there := self._same(name, file)) is not None:
                    return there
                raise

    def _same(self, name: str, file: BinaryIO) -> ObjectInfo | None:
        """The live object of this name if it holds the bytes of `file`."""
        try:
            with tempfile.TemporaryFile() as held:
                info = self.buckets.landing.download(name, held)
                return info if _digest(held) == _digest(file) else None
        except (ObjectNotFound, PermissionDenied):
            return None

    def _await_verdicts(
        self, dropped: Dropped, after_each: Callable[[], None] = lambda: None
    ) -> None:
        """Wait until every file has a verdict."""

        def missing() -> int:
            after_each()
            self._look(dropped)
            return len(set(dropped.files)) - len(dropped.verdicts)

        self._until_none(
            missing,
            "{} of the dropped files have no verdict: are event delivery and the ingest function "
            "alive? `perennial sweep` judges what they missed",
        )

    def _look(self, dropped: Dropped) -> None:
        """Note the decision in force about each file, as far as there is one."""
        if not dropped.files:
            return
        since = min(dropped.files).generation - 1
        wanted = {file.stem: file for file in dropped.files}
        # A file that came before its pipeline may have been taken for a misspelt one's.
        for home in (self.pipeline, names.UNKNOWN_PIPELINE):
            for found in list_in_force(self.buckets.data, home, since_generation=since):
                if file := wanted.get(found.file.stem):
                    dropped.verdicts[file] = found

    def _await_training(self, new_runs: Callable[[], list[dict[str, Any]]]) -> None:
        """Wait until no run is at work and none is due, or one has failed."""
        listed: tuple[str, datetime, int] | None = None

        def open_work() -> int:
            nonlocal listed
            head = self.registry.head(self.pipeline)
            if head is None or not head.definition:
                return 0
            if is_at_work(head, self.launcher, self.clock):
                return -head.number  # changes with every commit of the run, which is progress
            now = self.clock.now()
            if (
                listed is None
                or listed[0] != head.commit
                or (now - listed[1]).total_seconds() > RELIST_SECONDS
            ):
                failed = any(run["outcome"] == "failed" for run in new_runs())
                listed = head.commit, now, 0 if failed else int(self._is_due())
            return listed[2]

        self._until_none(
            open_work,
            "accepted files wait for a training run that does not start: is the job runner "
            "alive? `perennial status` shows the last runs, `perennial sweep` starts one",
        )

    def _await_predictions(self, dropped: Dropped) -> None:
        """Wait until the files that are to be scored are, if there is who can."""
        files = sorted(dropped.verdicts.values(), key=lambda one: one.file)

        def waiting() -> int:
            if all(file.decision != "to_score" for file in files):
                return 0
            head = self.registry.head(self.pipeline)
            if head is None or head.champion is None:
                return 0
            return len(unanswered(self.buckets.data, self.pipeline, head.champion, files))

        self._until_none(
            waiting,
            "{} of the dropped files wait to be scored: is the job runner alive? `perennial "
            "status` says what came of others, `perennial sweep` starts it again",
        )

    def _until_none(self, left: Callable[[], int], complaint: str) -> None:
        """Poll until `left` gives 0; give up when its number stays the same for too long."""
        last, since = left(), self.clock.now()
        while last != 0:
            self.clock.sleep(POLL_SECONDS)
            now_left = left()
            if now_left != last:
                last, since = now_left, self.clock.now()
            elif now_left > 0 and self._seconds_since(since) > self.patience:
                raise Unfinished(complaint.format(now_left))

    def _is_due(self) -> bool:
        return work_is_due(self.buckets.data, self.registry, self.pipeline)

    @contextmanager
    def _training_held_back(self) -> Iterator[Callable[[], None]]:
        """Hold the pipeline's claim, so that no run starts; gives what renews it in time."""
        holder = f"backfill-{secrets.token_hex(4)}"
        head = self._claim_when_free(holder)
        renewed = self.clock.now()

        def still_held() -> None:
            nonlocal head, renewed
            if self._seconds_since(renewed) > BACKFILL_CLAIM_SECONDS / 4:
                head, renewed = self._claim(holder), self.clock.now()

        try:
            yield still_held
        finally:
            try:
                release(self.registry, head, holder)
            except ClaimLost:
                self.progress("training has begun before the backfill was complete")

    def _claim_when_free(self, holder: str) -> Head:
        start = self.clock.now()
        while True:
            try:
                return self._claim(holder)
            except RefusedError:
                if self._seconds_since(start) > self.patience:
                    raise
                self.clock.sleep(POLL_SECONDS)

    def _claim(self, holder: str) -> Head:
        return claim(
            self.registry, self.launcher, self.clock, self.pipeline, holder,
            seconds=BACKFILL_CLAIM_SECONDS,
        )  # fmt: skip

    def _seconds_since(self, start: datetime) -> float:
        return (self.clock.now() - start).total_seconds()

    def _watch_runs(self) -> Callable[[], list[dict[str, Any]]]:
        """A look at the runs that have ended since now."""
        head = self.registry.head(self.pipeline)
        since = head.last_run if head else ""

        def ended() -> list[dict[str, Any]]:
            return list(list_runs(self.buckets.data, self.pipeline, since=since))

        known = {run["run"] for run in ended()}
        return lambda: [run for run in ended() if run["run"] not in known]


def _digest(file: BinaryIO) -> bytes:
    """SHA-256 of a file, from its beginning."""
    file.seek(0)
    digest = hashlib.sha256()
    while part := file.read(1024 * 1024):
        digest.update(part)
    return digest.digest()
