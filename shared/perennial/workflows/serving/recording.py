"""Write the prediction log: before the answer goes, as CPU is only given until then.

With a challenger the line waits for its answer a moment; where that takes longer, the caller is
answered first and the line follows.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from functools import partial

from perennial.domain.definitions.serving_settings import ServingSettings
from perennial.domain.serving.prediction_log import Entry, Exchange, Refusal, ShadowAnswer, spread
from perennial.workflows.serving.loading import Model
from perennial.workflows.serving.shadow import Shadows

log = logging.getLogger(__name__)

Later = Callable[[], Awaitable[None]]
"""What is left to do once the caller has its answer."""

Apart = Callable[[Callable[[], bytes]], Awaitable[bytes]]
"""Lets another thread do it."""


class Recorder:
    """Writes a line for each request that its pipeline's settings sample.

    Args:
        write: takes one line.
        shadows: asks challengers.
        grace: seconds that an answer is held back for a challenger's.
        draw: a number of [0, 1), evenly distributed.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        shadows: Shadows,
        *,
        grace: float = 0.005,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._write = write
        self._shadows = shadows
        self._grace = grace
        self._draw = draw

    async def record(
        self,
        exchange: Exchange,
        settings: ServingSettings,
        challenger: Model | None,
        apart: Apart | None = None,
    ) -> Later | None:
        """Write the line now, or return what writes it; a failure is logged and nothing else.

        Args:
            exchange: what the line tells of.
            settings: what it may tell.
            challenger: who is asked too.
            apart: where a line is made that takes its time; without, it is made here.
        """
        if self._draw() >= settings.sample:
            return None
        features = self._draw() < settings.features
        entry = Entry(exchange, settings, features, spread(len(exchange.instances)))
        if challenger is None:
            await self._put(entry, None, apart)
            return None
        asked = asyncio.create_task(
            self._shadows.ask(challenger, entry.instances, settings.leave_out)
        )
        await asyncio.wait({asked}, timeout=self._grace)
        if asked.done():
            await self._put(entry, asked.result(), apart)
            return None

        async def finish() -> None:
            await self._put(entry, await asked, apart)

        return finish

    def refuse(self, refusal: Refusal, settings: ServingSettings) -> None:
        """Write a line for a request that got no prediction, if it is among the sampled."""
        if self._draw() < settings.sample:
            try:
                self._write(refusal.line())
            except Exception:  # the answer stands, whatever becomes of the line
                log.exception("%s: no line in the prediction log", refusal.pipeline)

    async def _put(self, entry: Entry, shadow: ShadowAnswer | None, apart: Apart | None) -> None:
        make = partial(entry.line, shadow)
        try:
            self._write(await apart(make) if apart else make())
        except Exception:  # the answer stands, whatever becomes of the line
            log.exception("%s: no line in the prediction log", entry.exchange.pipeline)
