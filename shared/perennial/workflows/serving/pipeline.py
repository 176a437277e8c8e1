"""One pipeline as this process serves it: its head is followed, its champion kept ready.

All state belongs to the event loop; only store calls and loading run in threads.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from perennial.domain import names
from perennial.domain.definitions.serving_settings import ServingSettings
from perennial.domain.versioning.registry import Head
from perennial.errors import ModelError, ObjectNotFound
from perennial.ports import Clock, ObjectReader, StoredObject
from perennial.workflows.serving.loading import Loader, Model, load
from perennial.workflows.serving.lookup import Lookup
from perennial.workflows.serving.shadow import Challenger

log = logging.getLogger(__name__)

_UNREAD = ServingSettings(sample=0.0)
_AGAIN = timedelta(minutes=1)


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

    @property
    def stale(self) -> float:
        """Seconds after which a look-up that succeeded vouches for nothing any more."""
        return 10 * self.interval


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
        settings: what the definition in force says, as last read: while a new one's cannot be read,
            those before it hold; before any was, no line is written and no other origin may ask.
        challenger: what answers as the shadow.
    """

    def __init__(
        self,
        name: str,
        models: ObjectReader,
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
        self.settings = _UNREAD
        self.challenger = Challenger(name, self._load)
        self._settled: str | None = None  # the definition whose settings are known, or missing
        self._missing: datetime | None = None  # since when they are
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

    def read_by(self, model: Model) -> frozenset[str]:
        """The columns that someone reads of a request to a model: it, the log, the challenger."""
        challenger = self.challenger.model
        return model.known.union(self.settings.keys, challenger.known if challenger else ())

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
            await self._catch_up(self.head, began)
        except Exception as error:  # noqa: BLE001 (whatever it is, the old model keeps serving)
            if isinstance(error, ObjectNotFound) and self.head is None:
                self.error = ""  # no such pipeline, which is not a failure
            else:
                self._failed(error)
        else:
            self.error, self.looked_up = "", began

    async def _catch_up(self, head: Head | None, now: datetime) -> None:
        """Load what the head names: neither the settings nor the champion wait for the other."""
        done = await asyncio.gather(
            self._follow(head.champion if head else None),
            self._settle(head.definition if head else "", now),
            return_exceptions=True,
        )
        shadowed = head is not None and head.waiting and self.settings.shadow and self.champion
        self.challenger.follow(head.waiting[-1] if head and shadowed else None, now)
        for error in done:
            if error is not None:
                raise error

    async def _settle(self, definition: str, now: datetime) -> None:
        """Read what the definition in force says to this process, once.

        Where it says nothing, because an earlier release put it in force, the defaults hold, and
        it is looked for again after a minute: `apply` may write it still.
        """
        due = self._missing is not None and now - self._missing >= _AGAIN
        if definition == self._settled and not due:
            return
        settings = ServingSettings()
        missing: datetime | None = None
        if definition:
            name = names.serving_settings(self.name, definition)
            try:
                stored = await asyncio.to_thread(self._models.read, name)
                settings = ServingSettings.from_json(stored.data)
            except ObjectNotFound:
                missing = now
            except (ValueError, TypeError) as error:
                raise ModelError(f"{name}: cannot read the settings ({error!r})") from error
        self.settings, self._settled, self._missing = settings, definition, missing

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
        """Load a version that the head names, which states its manifest's digest, too."""
        if self.head is None:
            raise ModelError(f"{self.name} {version}: no registry was seen that names it")
        return await asyncio.to_thread(load, self._models, self._loader, self.head, version)

    def _failed(self, error: Exception) -> None:
        self.error = str(error) or repr(error)
        serving = self.champion.version if self.champion else None
        wanted = self.head.champion if self.head else None
        log.error(
            "%s: the look-up failed; %s: %s",
            self.name,
            f"{serving} keeps serving" if serving else "nothing serves",
            self.error,
            extra={
                "pipeline": self.name,
                "version": serving,
                "champion": wanted,  # of the registry, as last seen
                "failed_lookup": type(error).__name__,  # infra/metrics.tf counts these lines
            },
        )
