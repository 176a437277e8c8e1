"""The registry: immutable versions and history, one head, and the only loop that moves it.

A change is a pure function `Head → Head`. Committing it writes the history entry first
(create-only) and then swaps the head on its generation. A swap that answers "precondition failed"
may have landed before its answer was lost, so the new head *and its ancestors* are searched for
this very commit before anyone is declared the winner.
"""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from perennial.domain import names
from perennial.domain.definitions.definition import Definition, digest, parse
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Commit, Head, read_manifest, verify_manifest
from perennial.errors import (
    DigestMismatch,
    InvariantBroken,
    NotFoundError,
    ObjectNotFound,
    PermissionDenied,
    PreconditionFailed,
    StoreUnavailable,
)
from perennial.ports import Clock, ObjectStore
from perennial.workflows.writing import create_once

ATTEMPTS = 12
"""Bound of the commit loop; with its back-off it gives a contended head about half a minute."""


@lru_cache(maxsize=16)
def _parsed(text: str, pipeline: str) -> Definition:
    """Once for all who ask in a row, as several do about each file."""
    return parse(text, source=f"definition of {pipeline}", stored=True)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """A head and the generation of the object that held it; 0 before the first commit."""

    head: Head
    generation: int


class Registry:
    """Every pipeline's versions, definitions and history, in the models bucket.

    Args:
        models: the models bucket.
        clock: stamps commits and paces the commit loop.
    """

    def __init__(self, models: ObjectStore, clock: Clock) -> None:
        self.models = models
        self._clock = clock

    def pipelines(self) -> list[str]:
        """Names of all pipelines that have a head."""
        found = []
        start: str | None = None
        while (info := next(self.models.list("", start=start, limit=1), None)) is not None:
            pipeline = info.name.split("/", 1)[0]
            if self.head(pipeline) is not None:
                found.append(pipeline)
            start = pipeline + "0"  # the character after "/": skips all that lies in this folder
        return found

    def head(self, pipeline: str) -> Head | None:
        """The current state, or None for a pipeline that was never applied."""
        snapshot = self._snapshot(pipeline)
        return snapshot.head if snapshot.generation else None

    def require(self, pipeline: str) -> Head:
        """The current state.

        Raises:
            NotFoundError: for a pipeline that was never applied, naming those that exist
                to whoever may see them all.
        """
        head = self.head(pipeline)
        if head is None:
            try:
                known = ", ".join(self.pipelines()) or "none yet"
            except PermissionDenied:  # who may see one pipeline need not see the others
                raise NotFoundError(f"no pipeline {pipeline!r} was ever applied") from None
            raise NotFoundError(f"no pipeline {pipeline!r}; there are: {known}")
        return head

    def definition(self, head: Head) -> Definition:
        """The definition in force, parsed."""
        return _parsed(self.definition_text(head), head.pipeline)

    def definition_text(self, head: Head) -> str:
        """The definition in force, as its author wrote it."""
        name = names.definition(head.pipeline, head.definition)
        text = self.models.read(name).data.decode()
        if digest(text) != head.definition:
            raise DigestMismatch(f"{name} does not hold the definition that its name states")
        return text

    def store_definition(self, pipeline: str, text: str) -> str:
        """Keep a definition's text, without putting it in force, and return its digest."""
        name = names.definition(pipeline, digest(text))
        create_once(self.models, name, text.encode())
        return digest(text)

    def store_serving_settings(self, definition: Definition, digest: str) -> None:
        """Keep what a definition says to `predict`, before the head names the definition.

        What an earlier release wrote for the same text stays: its readers know the defaults.
        """
        name = names.serving_settings(definition.name, digest)
        create_once(self.models, name, definition.served.to_json())

    def commit(
        self,
        pipeline: str,
        change: Callable[[Head], Head],
        *,
        action: str | Callable[[Head], str],
        by: str,
        why: str | Callable[[Head], str] = "",
        version: str | Callable[[Head], str | None] | None = None,
        decision: str = "",
    ) -> Head:
        """Change the registry, once, whoever else changes it at the same time.

        Args:
            pipeline: whose registry.
            change: pure; called anew on every head that won a race against this commit, so its
                requirements are checked against the head that it really follows.
            action: what happens, for the history; or what tells it from the head that results.
            by: who does it.
            why: the reason, for the history; or what tells it likewise.
            version: the version that it is about; or what tells it likewise.
            decision: the decision about a file that it follows from.

        Returns:
            The head as this commit left it; later commits may have followed already.

        Raises:
            PerennialError: whatever `change` raises.
            StoreUnavailable: when the store or the race leaves no way through.
        """
        for attempt in range(ATTEMPTS):
            base = self._snapshot(pipeline)
            head = replace(
                change(base.head),
                number=base.head.number + 1,
                commit=secrets.token_hex(8),
                parent=base.head.commit,
            )
            done = action(head) if callable(action) else action
            entry = Commit(
                action=done,
                by=by,
                why=why(head) if callable(why) else why,
                at=self._clock.now(),
                head=head,
                version=version(head) if callable(version) else version,
                decision=decision,
            )
            create_once(
                self.models, names.commit(pipeline, head.number, head.commit), entry.to_json()
            )
            if self._swap(base, head):
                return head
            self._clock.sleep(min(0.05 * 2**attempt, 4.0) * (0.5 + random.random()))  # noqa: S311 (jitter)
        raise StoreUnavailable(
            f"{pipeline}: {done} lost {ATTEMPTS} races for the head in a row; try again",
            bucket=self.models.bucket,
            name=names.head(pipeline),
        )

    def history(self, pipeline: str, *, down_to: int = 1) -> Iterator[Commit]:
        """The commits, latest first: the parent chain, never a listing (which holds orphans)."""
        head = self.head(pipeline)
        if head is None:
            return
        number, commit_id = head.number, head.commit
        while number >= down_to and commit_id:
            entry = self._entry(pipeline, number, commit_id)
            yield entry
            number, commit_id = number - 1, entry.head.parent

    def reserve_version(self, pipeline: str, run: str) -> str:
        """Reserve the next version number for a run; create-only, so gaps are fine.

        A run that asks again after a crash gets a new number.
        """
        latest = 0
        for info in self.models.list(
            names.versions(pipeline), start=self._versions_start(pipeline)
        ):
            version = info.name.removeprefix(names.versions(pipeline)).split("/", 1)[0]
            latest = max(latest, int(version[1:]))
        body = f'{{"format": 1, "run": "{run}", "claim": "{secrets.token_hex(8)}"}}'.encode()
        while True:
            latest += 1
            version = names.version_name(latest)
            name = names.version(pipeline, version, "claim.json")
            if create_once(self.models, name, body, metadata={"run": run}).mine:
                return version

    def write_version(self, manifest: Manifest, files: dict[str, bytes]) -> str:
        """Store a version's files and last its manifest; without one the version does not exist.

        Returns:
            The manifest's SHA-256, in hex, for the head to state.
        """
        for name, data in files.items():
            if hashlib.sha256(data).hexdigest() != manifest.files[name].sha256:
                raise InvariantBroken(f"{name} is not the file that the manifest states")
            self._write_new(names.version(manifest.pipeline, manifest.version, name), data)
        stored = manifest.to_json()
        name = names.version(manifest.pipeline, manifest.version, "manifest.json")
        self._write_new(name, stored)
        return hashlib.sha256(stored).hexdigest()

    def manifest(self, pipeline: str, version: str, *, head: Head | None = None) -> Manifest:
        """What a version is made of.

        Args:
            pipeline: whose.
            version: which.
            head: where given, the manifest must be the one that it states.

        Raises:
            NotFoundError: when there is no such version, or it was never finished.
            DigestMismatch: when the manifest is not the one that the head states.
            ModelError: when it cannot be read, or is another version's.
        """
        _, manifest = self._manifest(pipeline, version, head)
        return manifest

    def manifest_bytes(self, pipeline: str, version: str, *, head: Head | None = None) -> bytes:
        """A version's manifest as it is stored; arguments and errors as those of `manifest`."""
        data, _ = self._manifest(pipeline, version, head)
        return data

    def _manifest(self, pipeline: str, version: str, head: Head | None) -> tuple[bytes, Manifest]:
        try:
            data = self.models.read(names.version(pipeline, version, "manifest.json")).data
        except ObjectNotFound:
            raise NotFoundError(f"{pipeline} has no version {version}") from None
        if head is not None:
            verify_manifest(head, version, data)
        return data, read_manifest(pipeline, version, data)

    def read_version_file(self, manifest: Manifest, name: str) -> bytes:
        """A file of a version, verified.

        Raises:
            DigestMismatch: when the bytes are not those that the manifest states.
        """
        path = names.version(manifest.pipeline, manifest.version, name)
        data = self.models.read(path).data
        if hashlib.sha256(data).hexdigest() != manifest.files[name].sha256:
            raise DigestMismatch(f"{path} does not match the digest in its manifest")
        return data

    def _versions_start(self, pipeline: str) -> str | None:
        head = self.head(pipeline)
        newest = max(head.statuses, default=None) if head else None
        return names.versions(pipeline) + newest if newest else None

    def _write_new(self, name: str, data: bytes) -> None:
        if not create_once(self.models, name, data).mine:
            raise InvariantBroken(f"{name} exists already with other content")

    def _snapshot(self, pipeline: str) -> _Snapshot:
        try:
            stored = self.models.read(names.head(pipeline))
        except ObjectNotFound:
            return _Snapshot(Head(pipeline), 0)
        return _Snapshot(Head.from_json(stored.data), stored.info.generation)

    def _swap(self, base: _Snapshot, head: Head) -> bool:
        """Put `head` in the place of `base`; False when another commit came first."""
        name = names.head(head.pipeline)
        for attempt in range(ATTEMPTS):
            try:
                if base.generation:
                    self.models.replace(name, head.to_json(), generation=base.generation)
                else:
                    self.models.create(name, head.to_json())
            except PreconditionFailed:
                return self._is_mine(head)
            except StoreUnavailable:
                # The write may have landed, or may still land. Sending the very same bytes again
                # is safe: whichever copy comes first carries this commit's id.
                if attempt == ATTEMPTS - 1:
                    raise
                self._clock.sleep(min(0.1 * 2**attempt, 4.0))
            else:
                return True
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _is_mine(self, mine: Head) -> bool:
        """Whether this commit is the head or one of its ancestors."""
        chain = self.history(mine.pipeline, down_to=mine.number)
        return any(entry.head.commit == mine.commit for entry in chain)

    def _entry(self, pipeline: str, number: int, commit_id: str) -> Commit:
        name = names.commit(pipeline, number, commit_id)
        try:
            return Commit.from_json(self.models.read(name).data)
        except ObjectNotFound:
            raise InvariantBroken(f"the history of {pipeline} lacks {name}") from None
