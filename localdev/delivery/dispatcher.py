"""Takes events from the outbox and sees each one delivered, or given up.

At least once, in no order: what is not acknowledged stays pending in the database, whatever
happens to this process, and is sent again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import Any

from localdev.clock import Clock
from localdev.delivery.dial import Dial, Retry
from localdev.delivery.outbox import Event, Outbox
from localdev.delivery.sender import Answer

_POLL_SECONDS = 0.015

log = logging.getLogger(__name__)


class Dispatcher:
    """Keeps a number of deliveries going while events are due.

    Args:
        outbox: where events come from.
        send: delivers one event once.
        dial: how badly to behave.
        retry: when to send again.
        senders: deliveries at the same time. One past its ack deadline no longer counts, and
            neither do duplicates.
        clock: tells how long pauses really are; `due` in the database is real time, so that it
            means the same after a restart at another scale.
        dead_letters: a file to which events that are given up are appended as JSON lines.
    """

    def __init__(
        self,
        outbox: Outbox,
        send: Callable[[Event], Coroutine[Any, Any, Answer]],
        *,
        dial: Dial,
        retry: Retry,
        senders: int,
        clock: Clock,
        dead_letters: Path,
    ) -> None:
        self._outbox = outbox
        self._send = send
        self._dial = dial
        self._retry = retry
        self._senders = senders
        self._clock = clock
        self._dead_letters = dead_letters
        self._order = dial.order()
        self._busy: set[int] = set()
        self._changed = True

    @property
    def in_flight(self) -> int:
        """Deliveries under way."""
        return len(self._busy)

    async def run(self) -> None:
        """Deliver until cancelled; an error of the database ends it."""
        version, next_due = -1, inf
        async with asyncio.TaskGroup() as tasks:
            while True:
                current, now = self._outbox.version(), time.time()
                if self._changed or current != version or now >= next_due:
                    self._changed, version = False, current
                    for event in self._take(now):
                        self._busy.add(event.id)
                        tasks.create_task(self._deliver(event, tasks))
                    next_due = self._outbox.next_due(now)
                await asyncio.sleep(_POLL_SECONDS)

    def _take(self, now: float) -> list[Event]:
        """Events to send now, as many as there are free senders."""
        free = self._senders - len(self._busy)
        if free <= 0:
            return []
        window = max(self._dial.shuffle, free)
        rows = self._outbox.due(now, limit=len(self._busy) + window)
        waiting = [event for event in rows if event.id not in self._busy]
        ready = [event for event in waiting if not self._held_back(event, now)]
        if len(ready) < len(waiting):
            self._changed = True  # look again at once: there may be others behind these
        if self._dial.shuffle > 1:
            self._order.shuffle(ready)
        return ready[:free]

    def _held_back(self, event: Event, now: float) -> bool:
        """Whether the dial loses or delays an event that is seen for the first time."""
        if event.due > 0:
            return False
        if self._dial.lost(event.id):
            log.info("lost %s on purpose", event.name)
            self._outbox.acknowledge(event)
            return True
        if self._dial.delay_seconds:
            due = now + self._clock.real_seconds(self._dial.delay(event.id))
            self._outbox.postpone(event, attempts=0, due=due)
            return True
        return False

    async def _deliver(self, event: Event, tasks: asyncio.TaskGroup) -> None:
        if event.attempts == 0:
            for pause in self._dial.repeats(event.id):
                tasks.create_task(self._repeat(event, pause))
        # The request outlives its deadline, as a handler that is slow is not interrupted either.
        request = tasks.create_task(self._send(event))
        deadline = self._clock.real_seconds(self._retry.ack_deadline_seconds)
        done, _ = await asyncio.wait({request}, timeout=deadline)
        if done:
            self._settle(event, request.result())
        else:
            reason = f"no answer within {self._retry.ack_deadline_seconds:g} s"
            self._settle(event, Answer(acknowledged=False, reached=True, reason=reason))
        self._busy.discard(event.id)
        self._changed = True

    async def _repeat(self, event: Event, pause: float) -> None:
        await asyncio.sleep(self._clock.real_seconds(pause))
        log.info("delivering %s once more on purpose", event.name)
        await self._send(event)

    def _settle(self, event: Event, answer: Answer) -> None:
        if answer.acknowledged:
            self._outbox.acknowledge(event)
            return
        attempts = event.attempts + answer.reached
        if attempts >= self._retry.attempts:
            self._give_up(event, attempts, answer.reason)
            return
        pause = self._clock.real_seconds(self._retry.pause(max(attempts, 1)))
        log.warning(
            "%s: %s; attempt %d of %d, next in %.2f s",
            event.name,
            answer.reason,
            attempts,
            self._retry.attempts,
            pause,
        )
        self._outbox.postpone(event, attempts, time.time() + pause)

    def _give_up(self, event: Event, attempts: int, reason: str) -> None:
        log.error("%s: %s; dead letter after %d attempts", event.name, reason, attempts)
        letter = asdict(event) | {
            "attempts": attempts,
            "reason": reason,
            "data": json.loads(event.data),
        }
        del letter["due"]
        with self._dead_letters.open("a") as file:
            file.write(json.dumps(letter) + "\n")
        self._outbox.bury(event, attempts)
