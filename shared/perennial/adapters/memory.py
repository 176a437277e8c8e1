"""A bucket in memory, for tests and trials, which keeps every promise of the port."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import BinaryIO

from perennial.adapters.clock import SystemClock
from perennial.errors import ObjectNotFound, PreconditionFailed, StoreError
from perennial.ports import Clock, ObjectInfo, ObjectStore, StoredObject

PAGE = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_NAME_BYTES = 1024


@dataclass(frozen=True, slots=True)
class _Generation:
    info: ObjectInfo
    data: bytes

    @property
    def live(self) -> bool:
        return self.info.deleted is None


class MemoryStore:
    """One bucket, gone with the process. Safe for use by many threads.

    Args:
        bucket: its name.
        clock: the source of generations and times.
        versioned: whether what was replaced or deleted stays, noncurrent.
    """

    def __init__(self, bucket: str, clock: Clock | None = None, *, versioned: bool = False) -> None:
        self._bucket = bucket
        self._clock = clock or SystemClock()
        self._versioned = versioned
        self._lock = RLock()
        self._objects: dict[str, Sequence[_Generation]] = {}  # oldest first; only the last may live
        self._names: list[str] = []  # sorted; code points sort as their UTF-8 bytes do
        self._last = 0

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket

    def stat(self, name: str, *, generation: int | None = None) -> ObjectInfo:
        """Facts of the live object, or of one generation. Raises `ObjectNotFound`."""
        return self._find(name, generation).info

    def read(self, name: str, *, generation: int | None = None) -> StoredObject:
        """Bytes and facts of one and the same generation. Raises `ObjectNotFound`."""
        found = self._find(name, generation)
        # As Cloud Storage does: an answer that carries the bytes carries no metadata.
        return StoredObject(replace(found.info, metadata={}), found.data)

    def download(self, name: str, file: BinaryIO, *, generation: int | None = None) -> ObjectInfo:
        """Write the bytes into `file`. Raises `ObjectNotFound`."""
        found = self.read(name, generation=generation)
        file.write(found.data)
        return found.info

    def create(
        self,
        name: str,
        data: bytes | BinaryIO,
        *,
        metadata: Mapping[str, str] | None = None,
        content_type: str = "application/octet-stream",
    ) -> ObjectInfo:
        """Write once. Raises `PreconditionFailed` where the object exists."""
        return self._write(name, data, metadata, generation=0)

    def overwrite(
        self, name: str, data: bytes | BinaryIO, *, metadata: Mapping[str, str] | None = None
    ) -> ObjectInfo:
        """Write without a condition."""
        return self._write(name, data, metadata)

    def replace(
        self, name: str, data: bytes, *, generation: int, metadata: Mapping[str, str] | None = None
    ) -> ObjectInfo:
        """Compare-and-swap. Raises `PreconditionFailed` unless `generation` is the live one."""
        return self._write(name, data, metadata, generation=generation)

    def copy_from(self, source: ObjectStore, name: str, to: str, *, generation: int) -> ObjectInfo:
        """Copy one generation of `name` in `source` to the new object `to` here."""
        facts = source.stat(name, generation=generation)
        data = source.read(name, generation=generation).data
        return self._write(to, data, facts.metadata, generation=0)

    def delete(self, name: str, *, generation: int | None = None) -> None:
        """Remove the live object, or make it noncurrent. Raises `ObjectNotFound`."""
        with self._lock:
            found = self._find(name, generation)
            kept = [g for g in self._objects[name] if g is not found]
            if self._versioned and generation is None:
                kept.append(self._retired(found))
            self._keep(name, kept)

    def list(
        self,
        prefix: str = "",
        *,
        start: str | None = None,
        end: str | None = None,
        versions: bool = False,
        limit: int | None = None,
    ) -> Iterator[ObjectInfo]:
        """Objects in UTF-8 byte order of their names, `start` included, `end` excluded."""

        def listed(name: str) -> bool:
            return name.startswith(prefix) and (end is None or name < end)

        entries = self._pages(max(prefix, start or ""), listed, versions=versions)
        for number, info in enumerate(entries):
            if limit is not None and number >= limit:
                return
            yield info

    def _pages(
        self, start: str, listed: Callable[[str], bool], *, versions: bool
    ) -> Iterator[ObjectInfo]:
        """From `start` on while `listed` holds, each page as it is when it is reached."""
        while True:
            with self._lock:
                first = bisect_left(self._names, start)
                names = self._names[first : first + PAGE]
                page = [g for n in names if listed(n) for g in self._objects[n]]
            yield from (g.info for g in page if versions or g.live)
            if len(names) < PAGE or not listed(names[-1]):
                return
            start = names[-1] + "\0"  # the next possible name

    def _find(self, name: str, generation: int | None) -> _Generation:
        with self._lock:
            for found in reversed(self._objects.get(name, ())):
                if found.live if generation is None else found.info.generation == generation:
                    return found
        which = "" if generation is None else f" generation {generation}"
        raise ObjectNotFound(
            f"gs://{self._bucket}/{name}{which} does not exist", bucket=self._bucket, name=name
        )

    def _write(
        self,
        name: str,
        data: bytes | BinaryIO,
        metadata: Mapping[str, str] | None,
        *,
        generation: int | None = None,
    ) -> ObjectInfo:
        self._check_name(name)
        content = data if isinstance(data, bytes) else _whole(data)
        with self._lock:
            history = self._objects.get(name, [])
            live = history[-1] if history and history[-1].live else None
            found = live.info.generation if live else 0
            if generation is not None and generation != found:
                raise PreconditionFailed(
                    f"gs://{self._bucket}/{name}: expected generation {generation}, found {found}",
                    bucket=self._bucket,
                    name=name,
                )
            kept = [g for g in history if g is not live]
            if live and self._versioned:
                kept.append(self._retired(live))
            info = ObjectInfo(
                bucket=self._bucket,
                name=name,
                generation=self._next_generation(),
                size=len(content),
                created=self._clock.now(),
                metadata=dict(metadata or {}),
            )
            self._keep(name, [*kept, _Generation(info, content)])
            return info

    def _keep(self, name: str, generations: Sequence[_Generation]) -> None:
        known = name in self._objects
        if generations:
            self._objects[name] = generations
            if not known:
                insort(self._names, name)
        elif known:
            del self._objects[name]
            del self._names[bisect_left(self._names, name)]

    def _retired(self, live: _Generation) -> _Generation:
        deleted = live.info.deleted or self._clock.now()
        return replace(live, info=replace(live.info, deleted=deleted))

    def _next_generation(self) -> int:
        now = (self._clock.now() - _EPOCH) // timedelta(microseconds=1)
        self._last = max(now, self._last + 1)
        return self._last

    def _check_name(self, name: str) -> None:
        size = len(name.encode())
        if not 1 <= size <= _MAX_NAME_BYTES or name in (".", "..") or set(name) & {"\r", "\n"}:
            raise StoreError(
                f"not an object name: {name[:80]!r} ({size} bytes)", bucket=self._bucket, name=name
            )


def _whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()
