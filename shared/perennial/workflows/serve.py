"""Serve each pipeline's champion, as the registry names it at this moment.

The platform gives CPU only while a request is handled, so requests drive everything: a look-up at
most about once a second for each pipeline, before the answer. There is no background timer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import TypeVar

from perennial.domain.names import PIPELINE_NAME
from perennial.domain.serving.prediction_log import Exchange, Refusal
from perennial.domain.serving.problems import Problem
from perennial.domain.serving.request_rows import Rows
from perennial.errors import StoreError
from perennial.ports import Clock, ObjectReader
from perennial.workflows.serving.loading import Answer, Loader, Model
from perennial.workflows.serving.lookup import Lookup
from perennial.workflows.serving.pipeline import ServedPipeline, Timing, VersionCache
from perennial.workflows.serving.recording import Later, Recorder

log = logging.getLogger(__name__)

T = TypeVar("T")

INLINE_INSTANCES = 64
"""Up to here a prediction is quicker than the hand-over to a thread would be missed."""

INLINE_BYTES = 64 * 1024
"""Up to here a body is: one instance may hold a text of megabytes."""

_HEADLESS = 100  # names without a head that may be remembered while their look-ups end


class Server:
    """Every pipeline of a models bucket, found and loaded when asked for.

    Args:
        models: the models bucket.
        clock: decides when a look-up is old.
        loader: makes a scorer of a graph's bytes.
        timing: when to look and how long to wait.
        versions: how many versions asked for by name are kept loaded.
        recorder: writes the prediction log; none is written without.
    """

    def __init__(
        self,
        models: ObjectReader,
        clock: Clock,
        loader: Loader,
        *,
        timing: Timing | None = None,
        versions: int = 4,
        recorder: Recorder | None = None,
    ) -> None:
        self._models = models
        self._clock = clock
        self._loader = loader
        self._timing = timing or Timing()
        self._cache = VersionCache(versions)
        self._recorder = recorder
        self._pipelines: dict[str, ServedPipeline] = {}
        self._missed = False
        self._names: frozenset[str] | None = None
        self._listing = Lookup(self._list, clock, self._timing.interval)
        # Apart from the default one, which store calls may fill while the store is silent.
        self._large = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large")
        self._batches = ThreadPoolExecutor(max_workers=2, thread_name_prefix="batch")

    async def pipeline(self, name: str) -> ServedPipeline | None:
        """A pipeline, freshly looked up; None when there is none of that name.

        The first unknown name costs one read. After it a listing, at most one a second, tells
        which names are worth a look, so that made-up names cannot hammer the store.
        """
        pipeline = self._pipelines.get(name)
        if pipeline is None:
            if not PIPELINE_NAME.fullmatch(name):
                return None
            if self._missed and not await self._may_exist(name):
                return None
            pipeline = self._track(name)
        await pipeline.refresh()
        if not pipeline.known:
            self._pipelines.pop(name, None)
            self._missed = True
            return None
        return pipeline

    async def pipelines(self) -> list[ServedPipeline]:
        """All of them, freshly looked up, their champions loaded."""
        found = await asyncio.gather(*(self.pipeline(name) for name in await self.names()))
        return [pipeline for pipeline in found if pipeline is not None]

    async def names(self) -> list[str]:
        """The names in the bucket, listed within the interval, and those that are served."""
        await self._listing.fresh(self._timing.patience)
        served = (name for name, pipeline in self._pipelines.items() if pipeline.head)
        return sorted((self._names or frozenset()).union(served))

    async def read(self, read: Callable[[bytes], Rows], body: bytes) -> Rows:
        """What a body holds; of large ones one at a time, as reading takes many times the bytes.

        Raises:
            Problem: when it is not what is read.
        """
        if len(body) <= INLINE_BYTES:
            return read(body)
        return await asyncio.get_running_loop().run_in_executor(self._large, read, body)

    async def answer(self, pipeline: ServedPipeline, model: Model, rows: Rows) -> Answer:
        """The model's answer; large batches leave the event loop to others meanwhile.

        Raises:
            Problem: naming each instance and field that cannot be read.
            ModelError: when the model fails on them.
        """
        keys = pipeline.settings.keys
        if _small(rows):
            return model.answer(rows.instances, keys)
        return await self.apart(partial(model.answer, rows.instances, keys))

    async def apart(self, work: Callable[[], T]) -> T:
        """What it returns, from a thread of its own, so that the event loop is free for others."""
        return await asyncio.get_running_loop().run_in_executor(self._batches, work)

    async def record(
        self,
        request: str,
        pipeline: ServedPipeline,
        model: Model,
        rows: Rows,
        answer: Answer,
        latency_ms: float,
        *,
        holdout: bool = False,
    ) -> Later | None:
        """Write the prediction log; return what is left of it to do after the answer."""
        if self._recorder is None:
            return None
        exchange = Exchange(
            request,
            pipeline.name,
            model.version,
            model.fields,
            rows.instances,
            answer.predictions,
            self._clock.now(),
            latency_ms,
            holdout,
        )
        challenger = pipeline.challenger.model if model is pipeline.champion else None
        apart = None if _small(rows) else self.apart
        return await self._recorder.record(exchange, pipeline.settings, challenger, apart)

    def refuse(
        self, request: str, pipeline: ServedPipeline, problem: Problem, latency_ms: float
    ) -> None:
        """Write into the prediction log that a request got no prediction, and why."""
        if self._recorder is not None:
            refusal = Refusal(
                request,
                pipeline.name,
                problem.headers.get("X-Model-Version"),
                problem.status,
                problem.type,
                self._clock.now(),
                latency_ms,
            )
            self._recorder.refuse(refusal, pipeline.settings)

    def age(self, pipeline: ServedPipeline) -> tuple[float | None, bool]:
        """Seconds since the registry was last seen as it is, and whether that is too long ago.

        None where it never was.
        """
        if pipeline.looked_up is None:
            return None, True
        age = max((self._clock.now() - pipeline.looked_up).total_seconds(), 0.0)
        return age, age > self._timing.stale

    async def _may_exist(self, name: str) -> bool:
        """Whether a name is worth a look: only a listing that succeeded can say no."""
        await self._listing.fresh(self._timing.patience)
        return self._listing.under_way or self._names is None or name in self._names

    async def _list(self, _: datetime) -> None:
        try:
            self._names = await asyncio.to_thread(_folders, self._models)
        except StoreError as error:
            self._names = None
            log.error("the listing of pipelines failed: %s", error)  # noqa: TRY400 (says it all)

    def _track(self, name: str) -> ServedPipeline:
        idle = [name for name, pipeline in self._pipelines.items() if pipeline.forgettable]
        if len(idle) > _HEADLESS:
            for one in idle:
                del self._pipelines[one]
        pipeline = ServedPipeline(
            name, self._models, self._clock, self._loader, self._cache, self._timing
        )
        self._pipelines[name] = pipeline
        return pipeline


def _small(rows: Rows) -> bool:
    return len(rows.instances) <= INLINE_INSTANCES and rows.size <= INLINE_BYTES


def _folders(models: ObjectReader) -> frozenset[str]:
    """The first segments of all names, each found by one listing of one object."""
    found: set[str] = set()
    start: str | None = None
    while (info := next(iter(models.list(start=start, limit=1)), None)) is not None:
        folder, slash, _ = info.name.partition("/")
        if slash:  # at the root lies what describes the deployment
            found.add(folder)
        start = folder + "0"  # the character after "/": skips what lies in the folder
    return frozenset(found)
