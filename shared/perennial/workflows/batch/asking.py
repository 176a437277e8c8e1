"""Have files scored, and see it through: upload, verdict, predictions.

The command line does not predict: the training job does, as for files that arrive by themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perennial.domain import names
from perennial.domain.addresses import SCORE
from perennial.domain.names import FileId
from perennial.domain.serving.batch import Request, Scored
from perennial.domain.verdict import Verdict
from perennial.domain.versioning.registry import Head
from perennial.errors import (
    DigestMismatch,
    InvariantBroken,
    NotFoundError,
    ObjectNotFound,
    PermissionDenied,
    RefusedError,
    Unfinished,
)
from perennial.ports import Buckets, Clock, JobLauncher
from perennial.workflows.batch.queue import list_scored, read_scored
from perennial.workflows.drop import Upload
from perennial.workflows.registry import Registry
from perennial.workflows.verdicts import verdict_in_force
from perennial.workflows.writing import create_once

POLL_SECONDS = 0.2
_SHORT = 16  # characters of a digest in a folder's name


@dataclass(slots=True)
class Answered:
    """What became of one file.

    Attributes:
        path: the local file.
        name: as it was given.
        file: what lies in landing.
        fresh: whether it was uploaded just now, and not before.
        verdict: the decision in force; None until there is one.
        scored: what a version made of it; None unless it is there to be scored.
    """

    path: Path
    name: str
    file: FileId
    fresh: bool
    verdict: Verdict | None = None
    scored: Scored | None = None

    @property
    def to_score(self) -> bool:
        """Whether it was judged and may be scored."""
        return self.verdict is not None and self.verdict.decision == "to_score"


@dataclass(frozen=True, slots=True)
class Asker:
    """Has files of one pipeline scored.

    Attributes:
        patience: seconds without any progress after which a wait is given up.
        progress: called with one sentence whenever something happened.
    """

    buckets: Buckets
    registry: Registry
    launcher: JobLauncher
    clock: Clock
    pipeline: str
    patience: float = 600.0
    progress: Callable[[str], None] = field(default=lambda _: None)

    def score(self, uploads: Sequence[Upload], version: str | None = None) -> list[Answered]:
        """Upload files, and wait until each is scored, or its verdict says why it is not.

        The same file is uploaded once and scored once by a version, however often it is given.

        Args:
            uploads: the files.
            version: an approved one; the champion when None.

        Raises:
            NotFoundError: for a pipeline that was never applied, or a version it has not approved.
            RefusedError: when nothing is approved yet.
            LaunchError: when the platform does not start the job.
            Unfinished: when the job ended without scoring, or nothing happened for `patience`.
        """
        head = self.registry.require(self.pipeline)
        wanted = _choose(head, version)
        files = [self._upload(upload) for upload in uploads]
        self._await(
            files,
            self._judge,
            lambda answered: answered.verdict is not None,
            "{} of the files have no verdict: are event delivery and the ingest function alive? "
            "`perennial sweep` judges what they missed",
        )
        # What just arrived is scored by the champion already: its verdict launched the job.
        launched = [f for f in files if f.to_score and f.fresh and version is None]
        named = [f for f in files if f.to_score and f not in launched]
        self._score_named(named, wanted)
        self._await(
            launched,
            self._look_for_any,
            lambda answered: answered.scored is not None,
            "{} of the files are not scored yet: see the log of the training job; "
            f"`perennial sweep {self.pipeline}` starts it again",
        )
        return files

    def download(self, scored: Scored) -> bytes:
        """The predictions of a file, verified. Raises `DigestMismatch`."""
        data = self.buckets.data.read(scored.predictions).data
        if hashlib.sha256(data).hexdigest() != scored.predictions_sha256:
            raise DigestMismatch(f"{scored.predictions} is not what its manifest states")
        return data

    def _upload(self, upload: Upload) -> Answered:
        """Write a file under a name that its content decides, or find it there."""
        data = upload.path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        name = f"{self.pipeline}/{SCORE}/{digest[:_SHORT]}/{upload.name}"
        there = self._there(name)
        fresh = there is None
        if there is None:
            try:
                info = self.buckets.landing.overwrite(name, data)
                there = FileId(info.generation, name)
            except PermissionDenied:  # to overwrite: the answer to an earlier attempt was lost
                there = self._there(name)
                if there is None:
                    raise
            self.progress(f"uploaded {upload.name}")
        return Answered(upload.path, upload.name, there, fresh)

    def _there(self, name: str) -> FileId | None:
        try:
            return FileId(self.buckets.landing.stat(name).generation, name)
        except ObjectNotFound:
            return None

    def _judge(self, answered: Answered) -> None:
        found = verdict_in_force(self.buckets.data, self.pipeline, answered.file)
        if found is not None and found.decision != "pending":
            answered.verdict = found

    def _score_named(self, files: Sequence[Answered], version: str) -> None:
        """Have a certain version score files, those that it has not scored."""
        for answered in files:
            answered.scored = self._read(answered.file, version)
        lacking = [answered for answered in files if answered.scored is None]
        if not lacking:
            return
        request = Request(self.pipeline, version, tuple(sorted({a.file for a in lacking})))
        name = names.score_request(self.pipeline, request.digest)
        if not create_once(self.buckets.data, name, request.to_json()).mine:
            raise InvariantBroken(f"{name} does not hold what its name states")
        execution = self.launcher.launch_task("score", self.pipeline, request.digest)
        self.progress(f"started {execution}")
        short = execution.rsplit("/", 1)[-1]

        def look(answered: Answered) -> None:
            # Ask first, then look: a result written just before the end is not missed.
            ended = self.launcher.has_ended(execution)
            answered.scored = self._read(answered.file, version)
            if ended and answered.scored is None:
                raise Unfinished(f"execution {short} ended without a result; see its log")

        self._await(
            lacking,
            look,
            lambda answered: answered.scored is not None,
            f"execution {short} has not scored {{}} of the files; see its log",
        )

    def _look_for_any(self, answered: Answered) -> None:
        """By whichever version was the champion when the job came to it, the latest of several."""
        stem = answered.file.stem
        found = list(list_scored(self.buckets.data, self.pipeline, only=stem))
        if found:
            latest = max(found, key=lambda one: (one.outcome == "scored", one.version))
            answered.scored = self._read(answered.file, latest.version)

    def _read(self, file: FileId, version: str) -> Scored | None:
        return read_scored(self.buckets.data, self.pipeline, file, version)

    def _await(
        self,
        files: Iterable[Answered],
        look: Callable[[Answered], None],
        done: Callable[[Answered], bool],
        else_: str,
    ) -> None:
        """Look at each file until it is done; the one that waits longest is asked first."""
        waiting = list(files)
        moved = self.clock.now()
        while waiting:
            before = len(waiting)
            for answered in waiting:
                look(answered)
            waiting = [answered for answered in waiting if not done(answered)]
            now = self.clock.now()
            if len(waiting) < before:
                moved = now
            elif (now - moved).total_seconds() > self.patience:
                raise Unfinished(else_.format(len(waiting)))
            if waiting:
                self.clock.sleep(POLL_SECONDS)


def _choose(head: Head, version: str | None) -> str:
    if version is None:
        if head.champion is None:
            raise RefusedError(f"no version of {head.pipeline} is approved yet")
        return head.champion
    if version not in head.approved:
        approved = ", ".join(sorted(head.approved)) or "none yet"
        raise NotFoundError(
            f"{head.pipeline} has no approved version {version!r}; there are: {approved}"
        )
    return version
