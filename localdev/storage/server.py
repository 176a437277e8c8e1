"""The server process: a socket, uvicorn, and the application on top."""

import logging
import socket

import uvicorn

from localdev.storage.access import NOBODY, Access
from localdev.storage.app import Emulator
from localdev.storage.connection import ClosableProtocol
from localdev.storage.engine import Engine

# Clients keep connections for reuse; closing them early would race with their next request.
_KEEP_ALIVE_SECONDS = 600
_SHUTDOWN_SECONDS = 3


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket; port 0 lets the system choose one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def serve(engine: Engine, listener: socket.socket, access: Access = NOBODY) -> None:
    """Answer requests until a signal ends the process."""
    config = uvicorn.Config(
        Emulator(engine, access),
        http=ClosableProtocol,
        lifespan="off",
        log_level=logging.WARNING,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])
