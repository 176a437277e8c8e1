"""One pipeline as this process serves it: its head is followed, its champion kept ready.

All state belongs to the event loop; only store calls and loading run in threads.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from perennial.domain import names
from perennial.domain.registry import Head
from perennial.errors import ObjectNotFound
from perennial.ports import Clock, ObjectStore, StoredObject
from perennial.workflows.serving.loading import Loader, Model, load
from perennial.workflows.serving.lookup import Lookup

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """When to look and how long to wait, in seconds.

    Attributes:
        interval: a look-up younger than this is as good as a new one.
        patience: how long an answer waits for a look-up while there is a model to answer with.
        cold_patience: how long it waits while there is none.
    """

    interval: float = 1.0
    patience: float = 1.0
    cold_patience: float = 25.0


class VersionCache:
    """Versions that were asked for by name; the least recently used one goes first.

    Args:
        limit: how many are kept.
    """

    def __init__(self, limit: int = 4) -> None:
        self._limit = limit
        self._models: OrderedDict[tuple[str, str], Model] = OrderedDict()

    def get(self, pipeline: str, version: str) -> Model | None:
        """The model, if it is here."""
        key = (pipeline, version)
        if key in self._models:
            self._models.move_to_end(key)
        return self._models.get(key)

    def put(self, pipeline: str, model: Model) -> None:
        """Keep a model."""
        self._models[pipeline, model.version] = model
        self._models.move_to_end((pipeline, model.version))
        if len(self._models) > self._limit:
            self._models.popitem(last=False)


class ServedPipeline:
    """A pipeline's head and champion.

    Args:
        name: the pipeline.
        models: the models bucket.
        clock: decides when a look-up is old.
        loader: makes a scorer of a graph's bytes.
        cache: of versions asked for by name; shared by all pipelines.
        timing: when to look and how long to wait.

    Attributes:
        head: the registry as last seen; None until it was.
        champion: the model that answers; None until one is loaded.
        error: why the last look-up failed; empty when it did not.
        looked_up: when the last look-up that succeeded began (UTC).
    """

    def __init__(
        self,
        name: str,
        models: ObjectStore,
        clock: Clock,
        loader: Loader,
        cache: VersionCache,
        timing: Timing,
    ) -> None:
        self.name = name
        self.head: Head | None = None
        self.champion: Model | None = None
        self.error = ""
        self.looked_up: datetime | None = None
        self._models = models
        self._loader = loader
        self._cache = cache
        self._timing = timing
        self._lookup = Lookup(self._look_up, clock, timing.interval)
        self._generation = 0
        self._loading = asyncio.Lock()

    @property
    def known(self) -> bool:
        """Whether it has a head, or may have one: False once the store has said no."""
        return self.head is not None or bool(self.error) or self._lookup.under_way

    @property
    def forgettable(self) -> bool:
        """Whether nothing is lost when this object goes."""
        return self.head is None and not self._lookup.under_way

    async def refresh(self) -> None:
        """Follow the head, unless that was done within the interval.

        What fails is logged, kept in `error`, and tried again after the interval; meanwhile the
        model that serves goes on serving.
        """
        timing = self._timing
        await self._lookup.fresh(timing.patience if self.champion else timing.cold_patience)

    async def version(self, version: str) -> Model | None:
        """An approved version; None when there is no such.

        Raises:
            ModelError: when it cannot be verified, loaded or run.
            StoreError: when the store does not give it.
        """
        if self.head is None or version not in self.head.approved:
            return None  # not even the model that serves on, while its successor cannot be loaded
        if self.champion is not None and self.champion.version == version:
            return self.champion
        async with self._loading:
            model = self._cache.get(self.name, version) or await self._load(version)
            self._cache.put(self.name, model)
        return model

    async def _look_up(self, began: datetime) -> None:
        try:
            stored = await asyncio.to_thread(self._changed_head)
            if stored is not None:
                self.head = Head.from_json(stored.data)
                self._generation = stored.info.generation
            await self._follow(self.head.champion if self.head else None)
        except Exception as error:  # noqa: BLE001 (whatever it is, the old model keeps serving)
            if isinstance(error, ObjectNotFound) and self.head is None:
                self.error = ""  # no such pipeline, which is not a failure
            else:
                self._failed(error)
        else:
            self.error, self.looked_up = "", began

    def _changed_head(self) -> StoredObject | None:
        """The head; None when it is still the one that was seen last."""
        name = names.head(self.name)
        if self._generation and self._models.stat(name).generation == self._generation:
            return None
        return self._models.read(name)

    async def _follow(self, version: str | None) -> None:
        """Swap to the head's champion once it stands ready beside the old one."""
        if version is None:
            self.champion = None
        elif self.champion is None or self.champion.version != version:
            model = self._cache.get(self.name, version) or await self._load(version)
            before, self.champion = self.champion, model
            log.info(
                "serving %s %s",
                self.name,
                version,
                extra={
                    "pipeline": self.name,
                    "version": version,
                    "before": before.version if before else None,
                },
            )

    async def _load(self, version: str) -> Model:
        return await asyncio.to_thread(load, self._models, self._loader, self.name, version)

    def _failed(self, error: Exception) -> None:
        self.error = str(error) or repr(error)
        serving = self.champion.version if self.champion else None
        log.error(
            "%s: the look-up failed; %s: %s",
            self.name,
            f"{serving} keeps serving" if serving else "nothing serves",
            self.error,
            extra={"pipeline": self.name, "version": serving, "error": type(error).__name__},
        )
