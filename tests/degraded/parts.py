"""A deployment in memory whose parts can be taken away, and given back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from perennial.adapters.memory import MemoryStore
from perennial.errors import StoreUnavailable
from perennial.ports import Buckets, ObjectInfo
from perennial.workflows.registry import Registry
from tests.integration.ingest.world import World

Refusal = Callable[[str], Exception]


class Breakable:
    """A bucket that answers, or refuses everything in one way."""

    def __init__(self, inner: MemoryStore) -> None:
        self.inner = inner
        self.bucket = inner.bucket
        self.refusal: Refusal | None = None

    def __getattr__(self, method: str) -> Callable[..., Any]:
        bound = getattr(self.inner, method)

        def call(*arguments: Any, **options: Any) -> Any:
            self._meet(method)
            return bound(*arguments, **options)

        return call

    def copy_from(self, source: Breakable, *arguments: Any, **options: Any) -> ObjectInfo:
        self._meet("copy")
        source._meet("copy")
        return self.inner.copy_from(source.inner, *arguments, **options)

    def list(self, *arguments: Any, **options: Any) -> Iterator[ObjectInfo]:
        self._meet("list")
        return self.inner.list(*arguments, **options)

    def _meet(self, method: str) -> None:
        if self.refusal is not None:
            raise self.refusal(f"{method} gs://{self.bucket}")


def unreachable(what: str) -> Exception:
    return StoreUnavailable(f"{what}: no success after every retry")


class Deployment(World):
    """The same as ingest's, with buckets that can be taken away."""

    def __init__(self) -> None:
        super().__init__()
        self.breakable = {role: Breakable(store) for role, store in self.stores.items()}
        self.buckets = Buckets(**self.breakable)  # type: ignore[arg-type]
        self.registry = Registry(self.buckets.models, self.clock)

    @contextmanager
    def without(self, role: str, refusal: Refusal = unreachable) -> Iterator[None]:
        """Take a bucket away for a while."""
        self.breakable[role].refusal = refusal
        try:
            yield
        finally:
            self.breakable[role].refusal = None

    def decisions(self) -> dict[str, str]:
        """The verdicts there are, by file; a file with two would be an error."""
        found = [(one.file.name, one.decision) for one in self.verdicts()]
        assert len(dict(found)) == len(found), found
        return dict(found)
