"""`python -m localdev.delivery`: deliver a storage emulator's events to a function."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from localdev.clock import Clock
from localdev.delivery.dial import add_arguments, dial_of, retry_of
from localdev.delivery.dispatcher import Dispatcher
from localdev.delivery.outbox import Outbox
from localdev.delivery.sender import Sender
from localdev.service import log_to_stderr, serve

_POLL_SECONDS = 0.05


async def deliver(options: argparse.Namespace) -> None:
    """Deliver until stopped, answering `GET /` with the number of events in each state."""
    outbox = Outbox(options.database)
    async with Sender(options.target) as sender:
        dispatcher = Dispatcher(
            outbox,
            sender.send,
            dial=dial_of(options),
            retry=retry_of(options),
            senders=options.senders,
            clock=Clock(options.clock_scale),
            dead_letters=options.dead_letters,
        )

        async def counts(_: Request) -> JSONResponse:
            return JSONResponse(outbox.counts() | {"in_flight": dispatcher.in_flight})

        await serve(Starlette(routes=[Route("/", counts)]), options.port, dispatcher.run())


def main(arguments: list[str] | None = None) -> int:
    """Read the options and deliver."""
    parser = argparse.ArgumentParser(prog="python -m localdev.delivery", description=__doc__)
    parser.add_argument("--database", type=Path, required=True, help="the emulator's SQLite file")
    parser.add_argument("--target", required=True, metavar="URL", help="where events are posted")
    parser.add_argument("--dead-letters", type=Path, required=True, metavar="FILE")
    parser.add_argument("--port", type=int, required=True, help="answers with counts of events")
    parser.add_argument("--clock-scale", type=float, default=1.0, metavar="S")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        dial_of(options)
    except ValueError as error:
        parser.error(str(error))
    log_to_stderr()
    while not options.database.exists():  # the emulator makes it, and may still be starting
        time.sleep(_POLL_SECONDS)
    asyncio.run(deliver(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
