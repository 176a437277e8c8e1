"""What the local cloud's own small servers have in common."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Coroutine
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette

from localdev.settings import HOST


def log_to_stderr() -> None:
    """Write log records, one line each, where the supervisor collects them."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)


async def serve(app: Starlette, port: int, work: Coroutine[Any, Any, None]) -> None:
    """Serve an application beside its background work, until SIGTERM or an error of either."""
    server = uvicorn.Server(
        uvicorn.Config(app, host=HOST, port=port, log_config=None, access_log=False, lifespan="off")
    )

    def stop(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    # The server handles these itself and then raises what it caught once more, for the handlers
    # that were there before; by default that would end the process before the work is cancelled.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    serving = asyncio.create_task(server.serve())
    working = asyncio.create_task(work)
    done, pending = await asyncio.wait({serving, working}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()
