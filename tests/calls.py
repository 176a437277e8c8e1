"""A bucket that tells of every call, and ends the process at one of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from perennial.adapters.memory import MemoryStore
from perennial.errors import PerennialError
from perennial.ports import ObjectInfo


class Crash(BaseException):
    """The process ended: no handler of ours may catch it."""


@dataclass
class Calls:
    """What every bucket of a world does around each call.

    Attributes:
        made: the calls so far, as (bucket, method).
        listed: objects that listings have given.
        crash_at: end the process at this call, counted from 1, or at the n-th such call.
        after: whether the call takes effect before that.
        dead: whether the process has ended. Then no call takes effect, of whatever `finally` or
            other thread it comes, until `ended` is left.
        meanwhile: what somebody else does then, in the place of the process's end.
        jitter: yields to other threads at random, so that handlers interleave.
        watcher: told of each call when it is about to be made, and when it is over.
    """

    made: list[tuple[str, str]] = field(default_factory=list)
    listed: int = 0
    crash_at: int | tuple[str, str, int] | None = None
    after: bool = False
    dead: bool = False
    meanwhile: Callable[[], object] | None = None
    jitter: random.Random | None = None
    watcher: Callable[[Literal["before", "after"], str, str], None] | None = None

    @contextmanager
    def ended(self, at: int | tuple[str, str, int], *, after: bool = False) -> Iterator[None]:
        """Let the process that works in this block end at a call, counted from the block's start.

        Raises:
            AssertionError: when it did not come so far.
        """
        self.made.clear()
        self.crash_at, self.after = at, after
        try:
            yield
        except Crash:
            assert self.dead
        else:
            raise AssertionError(f"expected a crash at {at}, found {len(self.made)} calls")
        finally:
            self.crash_at, self.dead = None, False

    def around(self, bucket: str, method: str, call: Callable[[], Any]) -> Any:
        if self.dead:
            raise Crash(method)
        self.made.append((bucket, method))
        if self.watcher is not None:
            return self._seen(bucket, method, call, self.watcher)
        if self.jitter is not None:
            time.sleep(self.jitter.random() / 1000)
        if self.crash_at is None:
            return call()
        such = (bucket, method, self.made.count((bucket, method)))
        if self.crash_at not in (len(self.made), such):
            return call()
        self.crash_at = None
        if self.meanwhile is not None:
            return self._interrupted(call, self.meanwhile)
        if self.after:
            with suppress(PerennialError):  # an answer, which nobody is there to read
                call()
        self.dead = True
        raise Crash(method)

    def _seen(
        self, bucket: str, method: str, call: Callable[[], Any], watcher: Callable[..., None]
    ) -> Any:
        watcher("before", bucket, method)
        try:
            return call()
        finally:
            watcher("after", bucket, method)

    def _interrupted(self, call: Callable[[], Any], meanwhile: Callable[[], object]) -> Any:
        if not self.after:
            meanwhile()
            return call()
        try:
            return call()
        finally:
            meanwhile()


class Watched:
    """A bucket, with `Calls` around it."""

    def __init__(self, inner: MemoryStore, calls: Calls) -> None:
        self.inner = inner
        self.calls = calls
        self.bucket = inner.bucket

    def __getattr__(self, method: str) -> Callable[..., Any]:
        bound = getattr(self.inner, method)
        return lambda *args, **kwargs: self.calls.around(
            self.bucket, method, lambda: bound(*args, **kwargs)
        )

    def copy_from(self, source: Any, *args: Any, **kwargs: Any) -> ObjectInfo:
        return self.calls.around(
            self.bucket, "copy_from", lambda: self.inner.copy_from(source.inner, *args, **kwargs)
        )

    def list(self, *args: Any, **kwargs: Any) -> Iterator[ObjectInfo]:
        found = self.calls.around(self.bucket, "list", lambda: [*self.inner.list(*args, **kwargs)])
        self.calls.listed += len(found)
        return iter(found)
