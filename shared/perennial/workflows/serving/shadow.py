"""A challenger that answers beside the champion, for the prediction log alone.

It is loaded by a task of its own and asked in a thread of its own, after the champion's answer is
ready: whatever it does, the caller's answer stands.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from perennial.domain.serving.prediction_log import ShadowAnswer
from perennial.domain.serving.problems import InvalidInstances
from perennial.errors import ModelError
from perennial.workflows.serving.loading import Answer, Model

log = logging.getLogger(__name__)

_AGAIN = timedelta(minutes=1)


class Challenger:
    """The one challenger of a pipeline that is kept loaded.

    Args:
        pipeline: whose challenger.
        load: fetches and verifies a version.

    Attributes:
        model: the challenger; None while there is none, or none is ready.
    """

    def __init__(self, pipeline: str, load: Callable[[str], Awaitable[Model]]) -> None:
        self.model: Model | None = None
        self._pipeline = pipeline
        self._load = load
        self._wanted: str | None = None
        self._since: datetime | None = None
        self._task: asyncio.Task[None] | None = None

    def follow(self, version: str | None, now: datetime) -> None:
        """Let go of another version and begin to load this one; nobody waits for that.

        One that cannot be loaded is tried again after a minute.
        """
        if self.model is not None and self.model.version != version:
            self.model = None
        if version is None or self.model is not None:
            self._wanted = version
            return
        if self._task is not None and not self._task.done():
            return  # the next look-up sees to it
        if version == self._wanted and self._since is not None and now - self._since < _AGAIN:
            return
        self._wanted, self._since = version, now
        self._task = asyncio.create_task(self._fetch(version))

    async def _fetch(self, version: str) -> None:
        extra = {"pipeline": self._pipeline, "version": version}
        try:
            model = await self._load(version)
        except Exception as error:  # noqa: BLE001 (whatever it is, the champion serves on)
            log.warning(
                "%s: the shadow %s does not load: %s", self._pipeline, version, error, extra=extra
            )
            return
        if version == self._wanted:
            self.model = model
            log.info("%s: %s answers as the shadow", self._pipeline, version, extra=extra)


class Shadows:
    """Asks challengers, one request at a time.

    Args:
        queue: how many requests may wait; a challenger is not asked about further ones.
        patience: seconds that an answer is waited for.
    """

    def __init__(self, *, queue: int = 8, patience: float = 1.0) -> None:
        self._queue = queue
        self._patience = patience
        self._pending = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="shadow")

    async def ask(
        self, model: Model, instances: Sequence[object], leave_out: Collection[str] = ()
    ) -> ShadowAnswer:
        """What a challenger says; its failure is an answer, too, which repeats no value.

        Args:
            model: the challenger.
            instances: as the caller sent them.
            leave_out: columns that are not even named.
        """
        version = model.version
        if self._pending >= self._queue:
            return ShadowAnswer(version, error="still at work on earlier requests")
        self._pending += 1
        future = asyncio.get_running_loop().run_in_executor(self._thread, model.answer, instances)
        future.add_done_callback(self._done)
        try:
            answer = await asyncio.wait_for(asyncio.shield(future), self._patience)
        except TimeoutError:
            return ShadowAnswer(version, error=f"no answer within {self._patience:g} s")
        except InvalidInstances as problem:
            fields = [name for name in problem.fields if name not in leave_out]
            said = f"cannot read the instances; errors: {problem.error_count}"
            named = f", in {', '.join(fields)}" if fields else ""
            return ShadowAnswer(version, error=said + named)
        except ModelError as error:
            return ShadowAnswer(version, error=str(error))
        except Exception as error:  # noqa: BLE001 (whatever it is, it is the shadow's alone)
            return ShadowAnswer(version, error=type(error).__name__)
        return ShadowAnswer(version, answer.predictions)

    def _done(self, future: asyncio.Future[Answer]) -> None:
        self._pending -= 1
        if not future.cancelled():
            future.exception()  # seen, also where nobody waits any more
